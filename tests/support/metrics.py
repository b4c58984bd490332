"""What an operator under test serves on /metrics, read as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aiohttp
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from tests.support.operator import Operator

__all__ = ["OPENMETRICS", "Scrape", "ask", "scrape"]

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass(frozen=True, slots=True)
class Scrape:
    """One answer of /metrics: the text and its families by name."""

    text: str
    families: Mapping[str, Metric]

    def value(self, name: str, **labels: str) -> float:
        """Give the sum of the samples of this name that have these labels; 0 where there is none."""
        return sum(value for found, value in self._samples(name) if labels.items() <= found.items())

    def series(self) -> list[tuple[str, dict[str, str]]]:
        """Give name and labels of every sample."""
        return [(sample.name, sample.labels) for family in self.families.values() for sample in family.samples]

    def _samples(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        for family in self.families.values():
            for sample in family.samples:
                if sample.name == name:
                    yield sample.labels, sample.value


async def ask(operator: Operator, path: str, **headers: str) -> tuple[int, str]:
    """GET a path of the operator's port and give the code and the text."""
    url = f"http://127.0.0.1:{operator.health_port}/{path}"
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session, session.get(url) as response:
        return response.status, await response.text()


async def scrape(operator: Operator, *, openmetrics: bool = False) -> Scrape:
    """Read /metrics; AssertionError where it is not served, ValueError where it is not well formed."""
    code, text = await ask(operator, "metrics", **({"Accept": OPENMETRICS} if openmetrics else {}))
    assert code == 200, text
    families = parse_openmetrics(text) if openmetrics else parse(text)
    return Scrape(text, {family.name: family for family in families})

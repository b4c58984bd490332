"""The operator's own figures, as /metrics serves them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Scrape", "read_metrics"]

_WRITES: Final = frozenset({"create", "update", "patch", "delete"})


@dataclass(frozen=True, slots=True)
class Scrape:
    """All samples of one scrape: by name, and by the labels of each."""

    samples: dict[str, dict[frozenset[tuple[str, str]], float]] = field(default_factory=dict)

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a name that have these labels; 0 where there is none."""
        wanted = labels.items()
        return sum(value for found, value in self.samples.get(name, {}).items() if wanted <= set(found))

    @property
    def looks(self) -> float:
        """How often a namespace was looked at."""
        return self.total("nsiso_reconcile_duration_seconds_count")

    @property
    def waiting(self) -> float:
        """How many keys wait or are in work."""
        return self.total("nsiso_queue_depth")

    @property
    def requests(self) -> Counter[str]:
        """Requests to the API server by verb."""
        verbs: Counter[str] = Counter()
        for labels, value in self.samples.get("nsiso_api_requests_total", {}).items():
            verbs[dict(labels)["verb"]] += int(value)
        return verbs

    @property
    def writes(self) -> int:
        """Requests that write."""
        return sum(count for verb, count in self.requests.items() if verb in _WRITES)


def read_metrics(text: str) -> Scrape:
    """Read the text format."""
    scrape = Scrape()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            scrape.samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return scrape

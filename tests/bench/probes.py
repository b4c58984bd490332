"""Single probes: one drift until it is repaired, one new namespace until it is isolated; and their percentiles."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any, Final

from namespace_isolation.model.policy import Policy
from namespace_isolation.observe.served_policy import policies_path, read_policy
from tests.bench.arena import Arena
from tests.bench.figures import Figure
from tests.bench.observer import Seen
from tests.bench.problem import BenchProblem
from tests.bench.quantiles import quantile
from tests.bench.request import Request
from tests.bench.shapes import Place
from tests.bench.wanted import Wanted, namespace_creations, policies_of

__all__ = ["Disturbance", "Drift", "drifts", "isolate", "percentiles", "repair"]

_SHARES: Final = (50, 99)
_MERGE: Final = "application/merge-patch+json"
_OPEN: Final[dict[str, Any]] = {"spec": {"ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}}


class Disturbance(Enum):
    """What is done to a policy, and the type of the event that shows it repaired."""

    DELETED = "ADDED"
    OPENED = "MODIFIED"


@dataclass(frozen=True, slots=True)
class Drift:
    """A policy that is to be disturbed."""

    namespace: str
    policy: Policy
    how: Disturbance

    @property
    def request(self) -> Request:
        """The drifting write, as somebody's by hand."""
        path = f"{policies_path(self.namespace, self.policy.name)}"
        if self.how is Disturbance.DELETED:
            return Request("DELETE", path)
        return Request("PATCH", f"{path}?fieldManager=kubectl-edit", json.dumps(_OPEN).encode(), _MERGE)


def drifts(places: Iterable[Place], wanted: Wanted, count: int, random: Random) -> list[Drift]:
    """Choose policies to disturb, by turns deleted and opened, none twice: that would be a fight in the end."""
    keys = [(place.name, policy) for place in places for policy in policies_of(place, wanted)]
    chosen = random.sample(keys, min(count, len(keys)))
    kinds = tuple(Disturbance)
    return [Drift(name, policy, kinds[turn % len(kinds)]) for turn, (name, policy) in enumerate(chosen)]


def percentiles(name: str, title: str, seconds: Sequence[float], writes: Sequence[float] = ()) -> tuple[Figure, ...]:
    """Give the median and the 99th percentile of probes, beside those of single writes where there are such."""
    return tuple(
        Figure(
            name=f"{name}.p{share}",
            title=f"{title}, p{share}",
            unit="ms",
            value=1000 * quantile(seconds, share / 100),
            reference=1000 * quantile(writes, share / 100) if writes else None,
            against="a write" if writes else "",
        )
        for share in _SHARES
    )


async def repair(arena: Arena, drift: Drift) -> float:
    """Disturb a policy; the seconds from the API server's answer until the watch shows it repaired."""
    with arena.observer.of_policy(drift.namespace, drift.policy.name) as events:
        await arena.admin.send(drift.request)
        since = time.monotonic()
        await arena.until(lambda: _repaired(events, drift), f"{drift.policy.name} in {drift.namespace} repaired")
        last = events[-1]
    if not read_policy(last.document).matches(drift.policy):
        raise BenchProblem(f"{drift.policy.name} in {drift.namespace} was repaired to something else than is wanted")
    return max(0.0, last.at - since)


async def isolate(arena: Arena, place: Place) -> float:
    """Create a namespace; the seconds from the API server's answer until the watch shows its last policy."""
    wanted = {policy.name for policy in policies_of(place, arena.wanted)}
    with arena.observer.in_namespace(place.name) as events:
        await arena.admin.send(namespace_creations([place])[0])
        since = time.monotonic()
        await arena.until(lambda: _names(events) >= wanted, f"every policy in {place.name}")
        last = max(seen.at for seen in events)
    return max(0.0, last - since)


def _repaired(events: Sequence[Seen], drift: Drift) -> bool:
    """Whether the drift was seen, and behind it what repairs it."""
    return len(events) > 1 and events[-1].kind == drift.how.value


def _names(events: Sequence[Seen]) -> set[str]:
    return {seen.name for seen in events if seen.kind == "ADDED"}

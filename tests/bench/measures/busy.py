"""Drifts and new namespaces in the middle of the mass convergence of another isolation: they go before bulk work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random
from typing import Final

from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from tests.bench.arena import WITHIN, Arena
from tests.bench.expected import expecting
from tests.bench.figures import Result
from tests.bench.probes import Drift, drifts, isolate, percentiles, repair
from tests.bench.shapes import ENTRY, POLICIES_EACH, Place, isolation
from tests.bench.wanted import create

__all__ = ["measure_busy"]

_OTHER: Final = "other"
_LABELS: Final = {"bench-other": "yes"}
_MOST: Final = 400
"""Drifts, and new namespaces, that are prepared; a longer convergence is sampled in its first part only."""
_PROBES: Final = 2
"""Drifts under way at once, and new namespaces."""


async def measure_busy(arena: Arena) -> Result:
    """Have as many other namespaces isolated as the shape has, and disturb the shape's own meanwhile."""
    count = len(arena.places)
    others = [Place(name=f"{_OTHER}-{index:05}", labels=_LABELS, isolations=()) for index in range(count)]
    looks = (await arena.operator.scrape()).looks
    await arena.populate(others, [])
    await arena.operator.rest(int(looks) + count, within=WITHIN)
    async with expecting(arena, "late", min(_MOST, count)) as places:
        chosen = drifts(arena.places, arena.wanted, _MOST, Random(_MOST))  # noqa: S311 - the same choice in every run
        with arena.progress.step(f"drifts and new namespaces while {POLICIES_EACH * count} policies are written"):
            repaired, isolated = await _disturb(arena, POLICIES_EACH * count, chosen, places)
    await arena.withdraw([_OTHER])
    await arena.remove(others)
    return Result(
        measure="busy",
        shape=arena.shape.letter,
        namespaces=count,
        figures=(
            *percentiles("busy.repair", "in a mass convergence: one drift", repaired),
            *percentiles("busy.new-namespace", "in a mass convergence: new namespace", isolated),
        ),
        details={"repairs": repaired, "new_namespaces": isolated},
    )


async def _disturb(
    arena: Arena, bulk: int, chosen: Iterable[Drift], places: Iterable[Place]
) -> tuple[list[float], list[float]]:
    """Create the other isolation and probe until its last policy is written; each probe once at least."""
    arena.observer.forget()
    repaired: list[float] = []
    isolated: list[float] = []
    rest, coming = iter(chosen), iter(places)

    def goes_on() -> bool:
        return arena.observer.groups[_OTHER, "ADDED"] < bulk

    async def drift() -> None:
        for each in rest:
            repaired.append(await repair(arena, each))
            if not goes_on():
                return

    async def arrive() -> None:
        for place in coming:
            isolated.append(await isolate(arena, place))
            if not goes_on():
                return

    document = isolation(_OTHER, {"selector": {"matchLabels": _LABELS}}, allow=[ENTRY])
    await arena.admin.send(create(ISOLATIONS_PATH, document))
    await arena.seen(1, group=_OTHER)
    async with asyncio.TaskGroup() as group:
        for _ in range(_PROBES):
            group.create_task(drift())
            group.create_task(arrive())
        group.create_task(arena.seen(bulk, group=_OTHER))
    return repaired, isolated

"""New namespaces, one after the other: for how long a pod in them could run unprotected."""

from __future__ import annotations

from typing import Final

from tests.bench.arena import Arena
from tests.bench.expected import expecting
from tests.bench.figures import Result
from tests.bench.measures.latency import writing
from tests.bench.probes import isolate, percentiles

__all__ = ["measure_arrival"]

_COUNT: Final = 200
"""New namespaces; in a tiny cluster no more than it has policies."""


async def measure_arrival(arena: Arena) -> Result:
    """Measure from the API server's answer to a namespace's creation until the watch shows its last policy.

    Where each namespace has an isolation of its own, that is there before.
    """
    seconds = []
    async with expecting(arena, "new", min(_COUNT, arena.policies)) as places, writing(arena) as writes:
        with arena.progress.step(f"{len(places)} new namespaces are isolated, one after the other"):
            arena.observer.forget()
            for place in places:
                await writes.one()
                seconds.append(await isolate(arena, place))
                arena.progress.at(f"{len(seconds)}/{len(places)}")
    return Result(
        measure="new-namespace",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=percentiles("new-namespace", "new namespace: until its last policy", seconds, writes.seconds),
        details={"seconds": seconds, "writes": writes.seconds},
    )

"""Repair of single drifts, one after the other, half of them deletions and half of them edits that open a policy."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.bench.arena import Arena
from tests.bench.figures import Result
from tests.bench.measures.latency import writing
from tests.bench.probes import drifts, percentiles, repair

__all__ = ["measure_repair"]

_COUNT: Final = 200
"""Drifts; in a tiny cluster no more than it has policies."""


async def measure_repair(arena: Arena) -> Result:
    """Measure from the API server's answer to the drifting write until the watch shows it repaired."""
    chosen = drifts(arena.places, arena.wanted, _COUNT, Random(_COUNT))  # noqa: S311 - the same choice in every run
    seconds = []
    async with writing(arena) as writes:
        with arena.progress.step(f"{len(chosen)} drifts are repaired, one after the other"):
            arena.observer.forget()
            for each in chosen:
                await writes.one()
                seconds.append(await repair(arena, each))
                arena.progress.at(f"{len(seconds)}/{len(chosen)}")
    return Result(
        measure="repair",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=percentiles("repair", "one drift: until it is repaired", seconds, writes.seconds),
        details={"seconds": seconds, "writes": writes.seconds},
    )

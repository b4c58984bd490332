"""What is measured in which order: rounds, and in each a control plane for the convergence and one for the rest."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.arena import Arena, arena
from tests.bench.figures import Result
from tests.bench.machine import usage
from tests.bench.measures.arrival import measure_arrival
from tests.bench.measures.burst import measure_burst
from tests.bench.measures.busy import measure_busy
from tests.bench.measures.churn import measure_churn
from tests.bench.measures.convergence import measure_convergence
from tests.bench.measures.edit import measure_edit
from tests.bench.measures.idle import measure_idle
from tests.bench.measures.memory import measure_memory
from tests.bench.measures.repair import measure_repair
from tests.bench.measures.restart import measure_restart
from tests.bench.progress import Progress
from tests.bench.shapes import SHAPES, Shape

__all__ = ["MEASURES", "Plan", "run"]

_Measure = Callable[[Arena], Awaitable[Result]]

_AFTERWARDS: Final[dict[str, _Measure]] = {
    "restart": measure_restart,
    "memory": measure_memory,
    "repair": measure_repair,
    "new-namespace": measure_arrival,
    "edit": measure_edit,
    "burst": measure_burst,
    "busy": measure_busy,
}
"""What is measured on a cluster that has converged, and leaves it so; in this order."""

MEASURES: Final = ("convergence", *_AFTERWARDS, "idle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure. `idle` and `churn` are in seconds, 0 for not at all, and are done in the first round only."""

    sizes: tuple[int, ...]
    shapes: tuple[str, ...]
    measures: Collection[str]
    rounds: int
    idle: float
    churn: float


async def run(plan: Plan, progress: Progress, directory: Path) -> AsyncIterator[Result]:
    """Give results as they come; BenchProblem where one cannot be measured."""
    for letter in plan.shapes:
        for size in plan.sizes:
            for number in range(plan.rounds):
                with progress.under(f"{letter} {size} round {number + 1}/{plan.rounds}:"):
                    async for result in _round(SHAPES[letter], size, number, plan, progress, directory):
                        yield result


async def _round(
    shape: Shape, size: int, number: int, plan: Plan, progress: Progress, directory: Path
) -> AsyncIterator[Result]:
    """Take one round; who goes first changes from round to round."""
    if "convergence" in plan.measures:
        async with arena(shape, size, progress, directory) as stage:
            yield await _watched(stage, partial(measure_convergence, reference_first=number % 2 == 1))
    rest = [measure for name, measure in _AFTERWARDS.items() if name in plan.measures]
    if number == 0 and plan.idle and "idle" in plan.measures:
        rest.append(partial(measure_idle, seconds=plan.idle))
    if number == 0 and plan.churn:
        rest.append(partial(measure_churn, seconds=plan.churn))
    if rest:
        async with arena(shape, size, progress, directory) as stage:
            await stage.converge()
            for measure in rest:
                yield await _watched(stage, measure)


async def _watched(stage: Arena, measure: _Measure) -> Result:
    """Measure, and note what share of the machine other programs had meanwhile."""
    gc.collect()
    gc.freeze()  # else a collection now and then would stop the clock of what is measured
    before, resumed = usage(stage.pids), stage.admin.resumed
    result = await measure(stage)
    others = usage(stage.pids).share_of_others(before)
    resumed = stage.admin.resumed - resumed
    return replace(result, others=others, resumed=resumed, kubernetes=await stage.kubernetes())

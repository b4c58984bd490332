"""A fifth of all policies is deleted at once. Against R1 creating the very same policies."""

from __future__ import annotations

import signal
import time
from random import Random
from typing import Final

from tests.bench.arena import Arena
from tests.bench.figures import Figure, Result
from tests.bench.reference_process import Written
from tests.bench.wanted import creation, policies_of

__all__ = ["measure_burst"]

_SHARE: Final = 0.2


async def measure_burst(arena: Arena) -> Result:
    """Measure from the moment at which the operator may go on until the last policy is back.

    The deletions are all done while the operator's process stands still: else it would repair the first ones while the
    last ones are still to come. The reference creates the same policies, deleted as well, while no operator runs.
    """
    keys = [(place, policy) for place in arena.places for policy in policies_of(place, arena.wanted)]
    chosen = Random(len(keys)).sample(keys, max(1, int(_SHARE * len(keys))))  # noqa: S311 - the same choice in every run
    names = [(place.name, policy.name) for place, policy in chosen]

    await arena.operator.stop()
    await arena.delete(names)
    with arena.progress.step(f"the reference creates {len(chosen)} policies"):
        arena.observer.forget()
        written = await arena.reference.write([creation(place.name, policy) for place, policy in chosen])
        await arena.seen(len(chosen))
    await arena.restart()

    arena.operator.send(signal.SIGSTOP)
    try:
        await arena.delete(names)
    finally:
        arena.operator.send(signal.SIGCONT)
    with arena.progress.step(f"the operator repairs {len(chosen)} deletions"):
        since = time.monotonic()
        await arena.seen(len(chosen))
    _, last = arena.observer.span("ADDED")
    return Result(
        measure="burst",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=(_figure(last - since, len(chosen), written),),
        details={"policies": len(chosen)},
        refused=written.refused,
    )


def _figure(seconds: float, count: int, written: Written) -> Figure:
    return Figure(
        name="burst.policies",
        title=f"{count} deletions at once: until the last is repaired",
        unit="s",
        value=seconds,
        reference=written.seconds,
        against="R1",
    )

"""A quiet minute: the share of a core, and what is asked of the API server."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from tests.bench.arena import Arena
from tests.bench.figures import Figure, Result

__all__ = ["measure_idle", "quiet_requests"]

_QUIET: Final = 12.0
"""Seconds before the minute begins: the isolations are listed a second time 10 s after the start."""
_WATCH: Final = "watch"


async def measure_idle(arena: Arena, seconds: float) -> Result:
    """Leave the operator alone and look at what it did: CPU by the kernel's count, requests by its own.

    It is started anew before: after a convergence of many isolations it tells events for minutes, five a second.
    """
    operator = arena.operator
    await operator.stop()
    await arena.restart()
    with arena.progress.step(f"{seconds:.0f} s of quiet"):
        await asyncio.sleep(_QUIET)
        before = (await operator.scrape()).requests
        cpu, began = operator.cpu, time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            arena.progress.at(f"{left:.0f} s left")
            await asyncio.sleep(min(left, 1.0))
        share = (operator.cpu - cpu) / (time.monotonic() - began)
        requests = (await operator.scrape()).requests - before
    return Result(
        measure="idle",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=(
            Figure(name="idle.cpu", title="idle: share of a core", unit="%", value=100 * share),
            Figure(
                name="idle.requests",
                title=f"idle: requests but watches in {seconds:.0f} s",
                unit="",
                value=quiet_requests(requests),
            ),
        ),
        details={"seconds": seconds, "requests": dict(requests)},
    )


def quiet_requests(requests: Counter[str]) -> int:
    """Count the requests that are no watches."""
    return sum(count for verb, count in requests.items() if verb != _WATCH)

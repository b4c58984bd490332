"""The operator's memory at rest, and the most it ever took."""

from __future__ import annotations

from tests.bench.arena import Arena
from tests.bench.figures import Figure, Result

__all__ = ["measure_memory"]


async def measure_memory(arena: Arena) -> Result:
    """Read the memory of the process as it is."""
    memory = arena.operator.memory
    return Result(
        measure="memory",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=(
            Figure(name="memory.rss", title="memory at rest", unit="MiB", value=memory.now),
            Figure(name="memory.peak", title="memory at its most", unit="MiB", value=memory.peak),
        ),
    )

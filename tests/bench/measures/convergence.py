"""The first convergence: isolations and namespaces are there, the operator starts. Against R1, on one API server."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.arena import Arena
from tests.bench.figures import Figure, Result
from tests.bench.reference_process import Written
from tests.bench.shapes import Place, plain
from tests.bench.wanted import creations, keys_of

__all__ = ["measure_convergence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converged:
    """What the operator needed, in seconds."""

    start: float
    """From its start to the first policy."""
    policies: float
    """From the first policy to the last, as the observer saw them."""
    settled: float
    """From the first policy until every isolation has its finalizer and a status that says Ready."""
    cpu: float
    """CPU time between the first policy and the last."""
    memory: float
    """Resident memory when everything is settled, in MiB."""


async def measure_convergence(arena: Arena, *, reference_first: bool) -> Result:
    """Let the operator and the reference write the same policies, one after the other, in either order.

    The reference writes into namespaces of its own that no isolation selects, while no operator runs: it would remove
    these policies. Where the reference goes first, they are deleted again before the operator starts.
    """
    others = plain(arena.places)
    if reference_first:
        await arena.populate(others, [])
        written, theirs = await _reference(arena, others)
        await arena.delete(keys_of(others, arena.wanted))
        ours = await _operator(arena)
    else:
        ours = await _operator(arena)
        await arena.populate(others, [])
        written, theirs = await _reference(arena, others)
    return Result(
        measure="convergence",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=_figures(ours, written, theirs),
        refused=written.refused,
        details={
            "reference_first": reference_first,
            "reference_request_to_answer": written.seconds,
        },
    )


def _figures(ours: _Converged, written: Written, theirs: float) -> tuple[Figure, ...]:
    each = 1000 / written.count
    return (
        Figure(
            name="convergence.policies",
            title="first convergence: first policy to last",
            unit="s",
            value=ours.policies,
            reference=theirs,
            against="R1",
        ),
        Figure(
            name="convergence.settled",
            title="first convergence: to the last finalizer and status",
            unit="s",
            value=ours.settled,
            reference=theirs,
            against="R1",
        ),
        Figure(
            name="convergence.cpu",
            title="first convergence: CPU per policy",
            unit="ms",
            value=ours.cpu * each,
            reference=written.cpu * each,
            against="R1",
        ),
        Figure(
            name="convergence.memory", title="first convergence: memory when settled", unit="MiB", value=ours.memory
        ),
        Figure(
            name="convergence.start",
            title="first convergence: process start to first policy",
            unit="s",
            value=ours.start,
        ),
    )


async def _operator(arena: Arena) -> _Converged:
    """Start the operator, wait until all is in place, and stop it."""
    observer, operator = arena.observer, arena.operator
    with arena.progress.step(f"the operator writes {arena.policies} policies"):
        observer.forget()
        operator.begin()
        await arena.seen(1)
        cpu = operator.cpu
        await arena.seen(arena.policies)
        cpu = operator.cpu - cpu
        first, last = observer.span("ADDED")
        settled = (await arena.settled(arena.wanted)).at
        memory = operator.memory.now
    await operator.stop()
    return _Converged(
        start=first - operator.started_at,
        policies=last - first,
        settled=max(settled, last) - first,
        cpu=cpu,
        memory=memory,
    )


async def _reference(arena: Arena, others: list[Place]) -> tuple[Written, float]:
    """Have the reference write as many policies; and the seconds from the first to the last, as observed."""
    requests = creations(others, arena.wanted)
    with arena.progress.step(f"the reference writes {len(requests)} policies"):
        arena.observer.forget()
        written = await arena.reference.write(requests)
        await arena.seen(len(requests))
    first, last = arena.observer.span("ADDED")
    return written, last - first

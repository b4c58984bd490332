"""The order in which a namespace's policies may be written without a gap and without cutting an allowed flow.

Allow policies isolate, too. So what allows something for some pods comes first, then what selects every pod, then
what denies; what is no longer wanted goes last, the denials first. Additivity does the rest: a policy that replaces
another is in place before the other goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from namespace_isolation.model.plan import Delete, Step, Update
from namespace_isolation.model.policy import Reach

__all__ = ["in_safe_order"]


def in_safe_order(steps: Iterable[Step]) -> tuple[tuple[Step, ...], ...]:
    """Group steps into phases; within a phase the order does not matter, and steps are sorted by name."""
    phases: dict[tuple[int, int, int], list[Step]] = {}
    for step in sorted(steps, key=lambda each: each.name):
        phases.setdefault(_phase(step), []).append(step)
    return tuple(tuple(phases[key]) for key in sorted(phases))


def _phase(step: Step) -> tuple[int, int, int]:
    """Rank a step: additions before removals; by reach, rising for additions and falling for removals.

    At equal reach creations come before updates: a flow that moves from a policy to a new one never waits.
    """
    if isinstance(step, Delete):
        return 1, -step.live.reach, 0
    reach = step.policy.reach
    if isinstance(step, Update) and reach is not Reach.DENY and step.live.reach is Reach.DENY:
        # It opens what it denied until now: that waits until everything else is in place.
        return 0, Reach.DENY, 1
    return 0, reach, int(isinstance(step, Update))

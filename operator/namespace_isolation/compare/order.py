"""The order in which a namespace's policies may be written without a gap and without cutting an allowed flow.

Allow policies isolate, too. So what allows something for some pods comes first, then what selects every pod, then
what denies; what is no longer wanted goes last, the denials first. Additivity does the rest: a policy that replaces
another is in place before the other goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from namespace_isolation.model.plan import Delete, Release, Step, Update, Wait
from namespace_isolation.model.policy import Reach

__all__ = ["gives_way", "in_safe_order"]


def in_safe_order(steps: Iterable[Step]) -> tuple[tuple[Step, ...], ...]:
    """Group steps into phases; within a phase the order does not matter, and steps are sorted by name."""
    phases: dict[tuple[int, int], list[Step]] = {}
    for step in sorted(steps, key=lambda each: each.name):
        phases.setdefault(_phase(step), []).append(step)
    return tuple(tuple(phases[key]) for key in sorted(phases))


def gives_way(step: Step) -> bool:
    """Whether a step isolates pods anew or takes isolation away, so that it waits until every allowance is in place.

    An update that lessens a policy's reach takes isolation away from pods that a new denial is to cover first.
    """
    if isinstance(step, Delete | Release | Wait):
        return False
    return step.policy.reach is Reach.DENY or (isinstance(step, Update) and step.live.reach > step.policy.reach)


def _phase(step: Step) -> tuple[int, int]:
    """Rank a step: new allowances, changed allowances, denials, removals; by reach, rising until the removals.

    New policies come before changed ones, because a flow may move from an old policy into a new one.
    """
    if isinstance(step, Wait) and step.wanted:
        return 4, 0  # told, and nothing waits for it
    if isinstance(step, Delete | Release | Wait):
        return 3, -step.live.reach
    if gives_way(step):
        return 2, int(isinstance(step, Update))
    return int(isinstance(step, Update)), step.policy.reach

"""Where one isolation stands in one namespace: counts, and the first few of everything that a status names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from namespace_isolation.apply.fights import failure_of
from namespace_isolation.model import limits
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Create, Step, Update, Why
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.model.verbatim import Direction

__all__ = ["HELD", "Pending", "Standing", "action_of", "standing_of"]


HELD: Final = Failure(
    reason="Held", message="Policies that are to go wait for others that cannot be written or deleted."
)
"""The problem where nothing failed by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What Audit leaves undone: how many policies it would create, update and delete, and the first of them."""

    create: int
    update: int
    delete: int
    first: tuple[tuple[str, str, Why], ...]
    """Action (Create, Update, Delete), policy and reason, at most 20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One isolation in one namespace, as of a generation of the isolation: policies desired and in place.

    `undone`: steps that failed or were held. `outstanding`: drifts that are there now, as they were not repaired or,
    in Audit, are not to be. `unmanaged`: the first 20 of `unmanaged_count` policies of others that widen it.
    """

    generation: int
    desired: int = 0
    in_place: int = 0
    undone: int = 0
    outstanding: int = 0
    failures: tuple[Failure, ...] = ()
    fights: tuple[Fight, ...] = ()
    pending: Pending | None = None
    unmanaged: tuple[Unmanaged, ...] = ()
    unmanaged_count: int = 0
    widened: tuple[tuple[Direction, bool, int], ...] = ()
    """How many of them allow something in which direction, and whether every peer on every port."""

    @property
    def failing(self) -> bool:
        """Whether something could not be done, or does not last."""
        return bool(self.undone or self.fights)

    @property
    def in_sync(self) -> bool:
        """Whether everything is as it should be."""
        return self.desired == self.in_place and not self.failing and self.pending is None


def standing_of(
    *,
    generation: int,
    desired: int,
    in_place: int,
    results: Sequence[StepResult],
    fights: Iterable[Fight],
    unmanaged: Sequence[Unmanaged],
) -> Standing:
    """Sum up the results of one isolation in one namespace."""
    undone = [each for each in results if each.undone]
    reported = [each.step for each in results if each.result is Result.REPORTED]
    fought = tuple(fights)
    told = [each.failure for each in undone if each.failure is not None and each.fight is None]
    return Standing(
        generation=generation,
        desired=desired,
        in_place=in_place,
        undone=len(undone),
        outstanding=sum(each.step.why.is_drift and (each.undone or each.result is Result.REPORTED) for each in results),
        failures=(*(failure_of(fight) for fight in fought), *told)[: limits.RECENT],
        fights=fought,
        pending=_pending(reported) if reported else None,
        unmanaged=tuple(sorted(unmanaged, key=lambda each: (not each.wide_open, each.policy)))[: limits.RECENT],
        unmanaged_count=len(unmanaged),
        widened=_widened(unmanaged),
    )


def _widened(unmanaged: Iterable[Unmanaged]) -> tuple[tuple[Direction, bool, int], ...]:
    counts = Counter((side, side in each.wide_open) for each in unmanaged for side in each.widens)
    return tuple((*key, count) for key, count in counts.items())


def action_of(step: Step) -> str:
    """Name what a step does to its policy."""
    if isinstance(step, Create):
        return "Create"
    return "Update" if isinstance(step, Update) else "Delete"


def _pending(steps: Sequence[Step]) -> Pending:
    actions = [action_of(step) for step in steps]
    return Pending(
        create=actions.count("Create"),
        update=actions.count("Update"),
        delete=actions.count("Delete"),
        first=tuple((action_of(step), step.name, step.why) for step in steps[: limits.RECENT]),
    )

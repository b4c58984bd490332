"""Which changes of policies depend on each other, and which of them only a bridge can carry over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from namespace_isolation.compare.flows import Flow, flows_of, may_overlap, selectors_exclude

__all__ = ["Change", "Dependence", "dependence_of"]

Json = dict[str, Any]

_MOST_PAIRS: Final = 100_000
"""Pairs of flows that are compared for one edit (about 0.2 s); beyond, policies of the same pods count as dependent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The update of one policy: its canonical specs before and after as texts, and whether it comes last anyway."""

    name: str
    before: str
    after: str
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """What each update that does not come last waits for, and the names of those that need a bridge."""

    waits: Mapping[str, frozenset[str]]
    bridged: frozenset[str]

    @property
    def is_none(self) -> bool:
        """Whether any order will do."""
        return not self.bridged and not any(self.waits.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """A change taken apart: both specs, and the flows that it lets in and takes out."""

    before: Json
    after: Json
    added: Sequence[Flow]
    removed: Sequence[Flow]

    @property
    def moves(self) -> bool:
        """Whether it leaves pods or directions that it isolated."""
        left = set(self.before["policyTypes"]) - set(self.after["policyTypes"])
        return bool(left) or self.before["podSelector"] != self.after["podSelector"]


@lru_cache(maxsize=64)
def dependence_of(changes: tuple[Change, ...], *, denial: bool) -> Dependence:
    """Find out what must precede what; remembered, because one edit brings the same changes to every namespace.

    A change that lets a flow in must precede the one that takes it out elsewhere. With a `denial` among the steps, one
    that moves to other pods can go neither before it (its old pods would be open) nor after it (its new pods would be
    cut), so it is bridged; so is one that waits for a change that comes last, and one of each circle.
    """
    taken = {change.name: _take_apart(change) for change in changes}
    pairs = sum(len(one.added) * len(other.removed) for one in taken.values() for other in taken.values())
    waits = {
        name: {
            other
            for other in taken
            if other != name and _must_precede(taken[other], late, exactly=pairs <= _MOST_PAIRS)
        }
        for name, late in taken.items()
    }
    last = {change.name for change in changes if change.last}
    bridged = {name for name in taken if waits[name] & last or (denial and name not in last and taken[name].moves)}
    early = {name: set() if name in bridged else waits[name] for name in taken if name not in last}
    while (circle := _circle(early)) is not None:
        bridged.add(max(circle))
        early[max(circle)] = set()
    return Dependence(waits={name: frozenset(each) for name, each in early.items()}, bridged=frozenset(bridged))


def _take_apart(change: Change) -> _Change:
    before, after = json.loads(change.before), json.loads(change.after)
    old, new = flows_of(before), flows_of(after)
    return _Change(
        before=before,
        after=after,
        added=[flow for text, flow in new.items() if text not in old],
        removed=[flow for text, flow in old.items() if text not in new],
    )


def _must_precede(early: _Change, late: _Change, *, exactly: bool) -> bool:
    """Whether one update may let in what another takes out."""
    if not early.added or not late.removed:
        return False
    if not set(early.after["policyTypes"]) & set(late.before["policyTypes"]):
        return False
    if selectors_exclude(early.after["podSelector"], late.before["podSelector"]):
        return False
    return not exactly or any(may_overlap(added, removed) for added in early.added for removed in late.removed)


def _circle(waits: Mapping[str, set[str]]) -> set[str] | None:
    """Find updates that wait for each other."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return set(error.args[1])
    return None

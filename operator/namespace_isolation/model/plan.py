"""What differs between desired and live policies, as values: steps, the kind of drift, and the plan they make up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from namespace_isolation.model.policy import LivePolicy, Policy

__all__ = ["UNKNOWN", "Create", "Delete", "Drift", "Plan", "Release", "Step", "Update", "Wait", "Why"]


UNKNOWN: Final = "unknown"
"""The field manager where nothing tells who it was."""


class Why(StrEnum):
    """Why a step is needed. Only what somebody else did is drift."""

    WANTED = "Wanted"
    """Newly wanted: a new namespace, isolation or entry."""
    OUTDATED = "Outdated"
    """Our own work of an earlier spec or version."""
    TAKEN_OVER = "TakenOver"
    """Somebody else made a policy of a reserved name."""
    UNWANTED = "Unwanted"
    """Our own work that is no longer wanted."""
    MODIFIED = "Modified"
    """Drift: somebody changed a policy of ours."""
    BRIDGE = "Bridge"
    """Keeps flows while the policies that hold them change; unwanted right afterwards."""
    DELETED = "Deleted"
    """Drift: somebody deleted a policy of ours."""
    EXTRA = "Extra"
    """Drift: a policy that claims to be ours and that no isolation wants."""

    UNMANAGED = "Unmanaged"
    """Somebody else's policy, which allows what an isolation denies, and which it asks to remove."""

    @property
    def is_drift(self) -> bool:
        """Whether somebody else made the difference."""
        return self is Why.MODIFIED or self is Why.DELETED or self is Why.EXTRA  # asked often, and a set hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The evidence of a drift: which fields differ, which field manager wrote them last, and when (RFC 3339, in UTC).

    The API server keeps no trace of who removed a field or deleted an object: that is UNKNOWN, never a guess.
    """

    fields: tuple[str, ...] = ()
    manager: str = UNKNOWN
    changed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A policy that is to be there."""

    policy: Policy
    why: Why

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy.name

    @property
    def isolation(self) -> str:
        """The isolation it belongs to."""
        return self.policy.isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_Wanted):
    """A policy that is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(_Wanted):
    """A policy that is there and differs."""

    live: LivePolicy

    @property
    def is_own_change(self) -> bool:
        """Whether it replaces our own older work; what somebody else changed has no claim to be kept meanwhile."""
        return self.why is Why.OUTDATED


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotWanted:
    """A policy that is there and is not, or not so, to be there."""

    live: LivePolicy
    isolation: str
    why: Why

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.live.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(_NotWanted):
    """A policy that is to go.

    `keeps_flows`: pods that it selects are not isolated by default afterwards, so what it allows goes on being allowed
    and must not be cut while something that isolates these pods is still there.
    """

    keeps_flows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(_NotWanted):
    """A policy that was deleted, is held by somebody's finalizer, and still works: that can only be told."""

    wanted: bool
    """Whether it is to come back once it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(_NotWanted):
    """A policy that stays when its isolation goes, though it cannot be rendered: only its ownerReference is removed."""


Step = Create | Update | Delete | Release | Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way of one namespace from live to desired: phases in the order that is safe, steps of a phase in any order.

    `kept`: names of the policies that are as they should be, by isolation.
    """

    namespace: str
    phases: tuple[tuple[Step, ...], ...]
    kept: tuple[tuple[str, str], ...]

    def steps(self) -> Iterator[Step]:
        """All steps, in order."""
        for phase in self.phases:
            yield from phase

    def own_changes(self) -> dict[str, Update]:
        """Give the updates of our own older work, by name."""
        return {step.name: step for step in self.steps() if isinstance(step, Update) and step.is_own_change}

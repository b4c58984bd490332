"""What came of a plan: every step with its result, as values for the status, the log and the tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.plan import Delete, Drift, Step, Why
from namespace_isolation.model.policy import Policy

__all__ = ["Failure", "Outcome", "Rehearsal", "Result", "StepResult"]


class Result(Enum):
    """How a step ended."""

    DONE = "Done"
    FAILED = "Failed"
    HELD = "Held"
    """Not tried, because what must come before it failed."""
    MOOT = "Moot"
    """No longer needed: the namespace or the policy went away in between."""
    REPORTED = "Reported"
    """Not to be done: its isolation is in Audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed: Kubernetes' reason and words."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step, how it ended, why it failed, the evidence where it repairs a drift, and the fight it is a round of."""

    step: Step
    result: Result
    failure: Failure | None = None
    drift: Drift | None = None
    fight: Fight | None = None

    @property
    def undone(self) -> bool:
        """Whether the step remains to be done."""
        return self.result is Result.FAILED or self.result is Result.HELD  # asked often, and a set hashes in Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One reconcile of one namespace: what was done, and what was in place already (policy names by isolation)."""

    namespace: str
    results: tuple[StepResult, ...]
    kept: tuple[tuple[str, str], ...]

    @property
    def gone(self) -> frozenset[str]:
        """Name the policies that were taken away."""
        ended = {Result.DONE, Result.MOOT}
        deleted = (each for each in self.results if isinstance(each.step, Delete))
        return frozenset(each.step.name for each in deleted if each.result in ended)

    @property
    def failed(self) -> bool:
        """Whether something remains to be done."""
        return any(each.undone for each in self.results)

    @property
    def to_retry(self) -> bool:
        """Whether something remains to be done soon: what is fought over has a time of its own."""
        return any(each.undone and each.fight is None for each in self.results)

    @property
    def bridged(self) -> bool:
        """Whether a bridge was built, which is to be taken away at once."""
        return any(each.step.why is Why.BRIDGE for each in self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What isolations in Audit would do in a namespace; `desired` and `kept` are theirs alone."""

    desired: Mapping[str, Policy] = field(default_factory=dict)
    kept: tuple[tuple[str, str], ...] = ()
    findings: tuple[StepResult, ...] = ()

"""What came of a plan: every step with its result, as values for the status, the log and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from namespace_isolation.model.plan import Drift, Step, Why

__all__ = ["Failure", "Outcome", "Result", "StepResult"]


class Result(Enum):
    """How a step ended."""

    DONE = "Done"
    FAILED = "Failed"
    HELD = "Held"
    """Not tried, because what must come before it failed."""
    MOOT = "Moot"
    """No longer needed: the namespace or the policy went away in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a step failed: Kubernetes' reason and words."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """One step, how it ended, why it failed, and the evidence where it repaired a drift."""

    step: Step
    result: Result
    failure: Failure | None = None
    drift: Drift | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One reconcile of one namespace: what was done, and what was in place already (policy names by isolation)."""

    namespace: str
    results: tuple[StepResult, ...]
    kept: tuple[tuple[str, str], ...]

    @property
    def failed(self) -> bool:
        """Whether something remains to be done."""
        return any(each.result in {Result.FAILED, Result.HELD} for each in self.results)

    @property
    def bridged(self) -> bool:
        """Whether a bridge was built, which is to be taken away at once."""
        return any(each.step.why is Why.BRIDGE for each in self.results)

"""Repairs that come one after the other, on a clock of the test's own."""

from __future__ import annotations

from namespace_isolation.apply.fights import Fights
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import Delete, Drift, Step, Update, Why
from namespace_isolation.model.policy import Policy
from tests.support.objects import live_from, policy

__all__ = ["ARGO", "DENY", "Clock", "FightFixture", "removal", "repair"]

DENY = policy("team.default-deny-all")
ARGO = Drift(fields=("spec.egress",), manager="argocd")


class Clock:
    """Seconds, that pass when the test says so."""

    def __init__(self) -> None:
        """Start at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def repair(wanted: Policy = DENY) -> Update:
    """Undo what somebody changed."""
    return Update(policy=wanted, live=live_from(wanted, digest="0"), why=Why.MODIFIED)


def removal(why: Why = Why.EXTRA) -> Delete:
    """Remove what nobody wants."""
    return Delete(live=live_from(DENY), isolation="team", why=why)


class FightFixture:
    """Fights, and repairs that come one after the other."""

    def __init__(self) -> None:
        """Start at peace."""
        self.clock = Clock()
        self.fights = Fights(self.clock)

    def repair(self, step: Step | None = None, *, after: float = 0.1, namespace: str = "payments") -> Fight | None:
        """Repair a policy some seconds after what was before, whether or not that is its time."""
        self.clock.now += after
        done = StepResult(step=step or repair(), result=Result.DONE, drift=ARGO)
        return self.fights.repaired(namespace, done)

    def begin(self, step: Step | None = None, namespace: str = "payments") -> Fight:
        """Repair until it is a fight."""
        *_, fight = (self.repair(step, namespace=namespace) for _ in range(5))
        assert fight is not None
        return fight

    def waits(self, step: Step | None = None, namespace: str = "payments") -> bool:
        """Whether a step has to wait now."""
        return self.fights.holding(namespace, step or repair()) is not None

"""The writer between the plan and the API server: what is fought over waits, everything else is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from namespace_isolation.apply.carry_out import carry_out
from namespace_isolation.apply.fights import FightGuard
from namespace_isolation.compare.order import in_safe_order
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import Policy
from tests.support.fighting import DENY, FightFixture, removal, repair
from tests.support.objects import live_from, policy


class Recorder:
    """A writer that writes nothing, and answers the same to everything."""

    def __init__(self, result: Result = Result.DONE, reason: str = "") -> None:
        """End every step like this."""
        self.result, self.reason = result, reason
        self.written: list[str] = []

    async def read(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Give the name as the document."""
        return {"metadata": {"namespace": namespace, "name": name}}

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Note the step."""
        assert namespace == "payments"
        self.written.append(step.name)
        failure = Failure(reason=self.reason, message="") if self.reason else None
        return StepResult(step=step, result=self.result, failure=failure)


class Fixture(FightFixture):
    """A guard around a recorder."""

    def __init__(self, result: Result = Result.DONE, reason: str = "") -> None:
        """Start at peace."""
        super().__init__()
        self.writer = Recorder(result, reason)
        self.guard = FightGuard(self.writer, self.fights)

    async def five(self, step: Step) -> StepResult:
        """Carry a step out five times at once."""
        for _ in range(4):
            await self.guard.carry_out("payments", step)
        return await self.guard.carry_out("payments", step)


_LIVE = live_from(DENY)
_CHANGED = Update(policy=DENY, live=_LIVE, why=Why.OUTDATED)

# sentence: the step, how it ends, and whether five of them make a fight
_COUNTED: dict[str, tuple[Step, Result, str, bool]] = {
    "a repair of what was modified": (repair(), Result.DONE, "", True),
    "a repair of what was deleted": (Create(policy=DENY, why=Why.DELETED), Result.DONE, "", True),
    "a removal of what is too much": (removal(), Result.DONE, "", True),
    "a removal of what is somebody else's": (removal(Why.UNMANAGED), Result.DONE, "", True),
    "a repair that admission changes": (repair(), Result.FAILED, "ChangedOnWrite", True),
    "a creation that admission changes": (Create(policy=DENY, why=Why.WANTED), Result.FAILED, "ChangedOnWrite", True),
    "an edit of our own that admission changes": (_CHANGED, Result.FAILED, "ChangedOnWrite", True),
    "a repair that is refused": (repair(), Result.FAILED, "Forbidden", False),
    "a repair that is moot": (repair(), Result.MOOT, "", False),
    "what is newly wanted": (Create(policy=DENY, why=Why.WANTED), Result.DONE, "", False),
    "an edit of our own": (_CHANGED, Result.DONE, "", False),
    "a take-over": (Update(policy=DENY, live=_LIVE, why=Why.TAKEN_OVER), Result.DONE, "", False),
    "a bridge": (Create(policy=DENY, why=Why.BRIDGE), Result.DONE, "", False),
    "a removal of our own": (removal(Why.UNWANTED), Result.DONE, "", False),
    "a release": (Release(live=_LIVE, isolation="team", why=Why.UNWANTED), Result.DONE, "", False),
    "a wait for a finalizer": (
        Wait(live=_LIVE, isolation="team", why=Why.EXTRA, wanted=False),
        Result.FAILED,
        "HeldByFinalizer",
        False,
    ),
}


@pytest.mark.parametrize(("step", "result", "reason", "counts"), _COUNTED.values(), ids=_COUNTED.keys())
async def test_what_counts_as_a_repair(step: Step, result: Result, reason: str, *, counts: bool) -> None:
    """What undoes somebody's change, or is changed on its way; our own work and refusals are no fight."""
    seen = Fixture(result, reason)
    done = await seen.five(step)
    assert (done.fight is not None) is counts
    assert done.result is result
    assert len(seen.writer.written) == 5


async def test_a_repair_in_the_pause_is_not_carried_out() -> None:
    """It waits, and says why."""
    seen = Fixture()
    await seen.five(repair())
    held = await seen.guard.carry_out("payments", repair())
    assert held.result is Result.HELD
    assert held.fight is not None
    assert held.failure is not None
    assert (held.fight.rounds, held.failure.reason) == (5, "Fight")
    assert len(seen.writer.written) == 5
    seen.clock.now += 1.0
    tried = await seen.guard.carry_out("payments", repair())
    assert (tried.result, tried.fight and tried.fight.rounds) == (Result.DONE, 6)


async def test_reading_never_waits() -> None:
    """What differs can be told at any time."""
    seen = Fixture()
    await seen.five(repair())
    assert await seen.guard.read("payments", DENY.name) == {
        "metadata": {"namespace": "payments", "name": DENY.name},
    }


def _create(name: str) -> Create:
    return Create(policy=_wanted(name), why=Why.WANTED)


def _wanted(name: str) -> Policy:
    return policy(name, {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]})


def _delete(name: str) -> Delete:
    return Delete(live=live_from(_wanted(name)), isolation=name.partition(".")[0], why=Why.UNWANTED)


async def test_a_fight_holds_up_nothing_else_of_its_namespace() -> None:
    """Neither creations nor repairs nor removals, of its own isolation or of another."""
    seen = Fixture()
    await seen.five(repair())
    seen.writer.written.clear()
    steps = (repair(), _create("team.x"), _create("other.x"), _delete("team.old"), _delete("other.old"))
    plan = Plan(namespace="payments", phases=in_safe_order(steps), kept=())
    outcome = await carry_out(plan, seen.guard, still_wanted=lambda: True)
    assert set(seen.writer.written) == {"team.x", "other.x", "team.old", "other.old"}
    assert [each.step.name for each in outcome.results if each.undone] == [DENY.name]
    assert outcome.failed
    assert not outcome.to_retry


async def test_what_fails_beside_a_fight_is_tried_again_soon() -> None:
    """Only the fight has a time of its own."""
    seen = Fixture()
    await seen.five(repair())
    seen.writer.result, seen.writer.reason = Result.FAILED, "Forbidden"
    plan = Plan(namespace="payments", phases=in_safe_order((repair(), _create("team.x"))), kept=())
    outcome = await carry_out(plan, seen.guard, still_wanted=lambda: True)
    assert outcome.to_retry

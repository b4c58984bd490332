"""Carrying out a plan: every step is tried, none is fatal to the rest, nothing is removed too early."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from namespace_isolation.apply.carry_out import carry_out
from namespace_isolation.compare.order import in_safe_order
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Plan, Step, Update, Why
from tests.support.objects import live_from, policy

Json = dict[str, Any]

_SOME: Json = {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [{"podSelector": {}}]}]}
_EVERY: Json = {"ingress": [{"from": [{"podSelector": {}}]}]}
_DENY: Json = {"policyTypes": ["Ingress", "Egress"]}


class Recorder:
    """A writer that writes nothing, remembers the order, and fails where it is told to."""

    def __init__(self, **results: Result) -> None:
        """`results`: how the steps with these names end (`_` for `.` and `-`)."""
        self.results = results
        self.written: list[str] = []
        self.together: list[set[str]] = []
        self._under_way: set[str] = set()
        self.still_wanted = True
        self.broken = ""
        self.fight: Fight | None = None
        self.ended: list[str] = []

    async def read(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Read nothing."""
        raise AssertionError(namespace, name)

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Take part in a phase, and end as told."""
        assert namespace == "payments"
        self.written.append(step.name)
        self._under_way.add(step.name)
        await asyncio.sleep(0)
        self.together.append(set(self._under_way))
        self._under_way.discard(step.name)
        if step.name == self.broken:
            raise RuntimeError(step.name)
        await asyncio.sleep(0)
        self.ended.append(step.name)
        result = self.results.get(step.name.replace(".", "_").replace("-", "_"), Result.DONE)
        failure = Failure(reason="Forbidden", message="no") if result is Result.FAILED else None
        fight = self.fight if result in {Result.FAILED, Result.HELD} else None
        return StepResult(step=step, result=result, failure=failure, fight=fight)


def _create(name: str, spec: Json) -> Create:
    return Create(policy=policy(name, spec), why=Why.WANTED)


def _update(name: str, spec: Json) -> Update:
    wanted = policy(name, spec)
    return Update(policy=wanted, live=live_from(wanted, digest="0"), why=Why.OUTDATED)


def _delete(name: str, spec: Json, *, keeps_flows: bool = True) -> Delete:
    live = live_from(policy(name, spec))
    return Delete(live=live, isolation=name.partition(".")[0], why=Why.UNWANTED, keeps_flows=keeps_flows)


async def _outcome(writer: Recorder, *steps: Step) -> Outcome:
    plan = Plan(namespace="payments", phases=in_safe_order(steps), kept=(("a", "a.kept"),))
    return await carry_out(plan, writer, still_wanted=lambda: writer.still_wanted)


def _results(outcome: Outcome) -> dict[str, Result]:
    return {each.step.name: each.result for each in outcome.results}


async def test_the_phases_are_carried_out_in_order_and_the_steps_of_one_together() -> None:
    """A phase begins when the one before has ended; within a phase nothing waits."""
    writer = Recorder()
    outcome = await _outcome(
        writer, _delete("a.old", _SOME), _create("a.deny", _DENY), _create("a.y", _SOME), _create("a.x", _SOME)
    )
    assert writer.written == ["a.x", "a.y", "a.deny", "a.old"]
    assert writer.together[0] == {"a.x", "a.y"}
    assert writer.together[2:] == [{"a.deny"}, {"a.old"}]
    assert set(_results(outcome).values()) == {Result.DONE}
    assert not outcome.failed


async def test_what_was_kept_is_handed_on() -> None:
    """The outcome knows the namespace and what was in place before."""
    outcome = await _outcome(Recorder())
    assert outcome == Outcome(namespace="payments", results=(), kept=(("a", "a.kept"),))
    assert not outcome.failed


async def test_a_failure_stops_no_later_creation_or_repair() -> None:
    """A denial comes even where an allowance could not be written, and drift is always repaired."""
    writer = Recorder(a_x=Result.FAILED)
    repair = replace(_update("a.y", _SOME), why=Why.MODIFIED)
    outcome = await _outcome(writer, _create("a.x", _SOME), repair, _create("a.deny", _DENY))
    assert _results(outcome) == {"a.x": Result.FAILED, "a.y": Result.DONE, "a.deny": Result.DONE}
    assert outcome.failed


async def test_an_edit_takes_nothing_out_after_a_failure_of_its_isolation() -> None:
    """What moved into a policy that could not be written stays in the one where it was."""
    writer = Recorder(a_x=Result.FAILED)
    outcome = await _outcome(writer, _create("a.x", _SOME), _update("a.y", _SOME), _update("b.y", _SOME))
    assert _results(outcome) == {"a.x": Result.FAILED, "a.y": Result.HELD, "b.y": Result.DONE}


async def test_nothing_is_taken_out_for_isolations_that_changed_meanwhile() -> None:
    """The plan is stale then: what is missing is still created, and the rest is left to the next look."""
    writer = Recorder()
    writer.still_wanted = False
    outcome = await _outcome(writer, _create("a.x", _SOME), _update("a.y", _SOME), _delete("a.old", _SOME))
    assert _results(outcome) == {"a.x": Result.DONE, "a.y": Result.HELD, "a.old": Result.HELD}


async def test_what_stays_denied_anyway_is_removed_though_another_denial_cannot_be() -> None:
    """A finalizer on an old denial must not keep an entry alive that was taken out of the resource."""
    writer = Recorder(a_deny=Result.FAILED)
    outcome = await _outcome(writer, _delete("a.deny", _DENY), _delete("a.web", _SOME, keeps_flows=False))
    assert _results(outcome) == {"a.deny": Result.FAILED, "a.web": Result.DONE}


async def test_a_step_that_raises_is_told_after_the_others_of_its_phase_have_ended() -> None:
    """Nothing goes on writing in a namespace that was given back."""
    writer = Recorder(a_x=Result.DONE)
    broken = _create("a.broken", _SOME)
    writer.broken = broken.name
    with pytest.raises(RuntimeError, match="broken"):
        await _outcome(writer, broken, _create("a.x", _SOME))
    assert writer.ended == ["a.x"]


async def test_deletions_of_an_isolation_are_held_after_its_failure() -> None:
    """What a policy that is not in place was to replace stays."""
    writer = Recorder(a_deny=Result.FAILED)
    outcome = await _outcome(writer, _create("a.deny", _DENY), _delete("a.old", _DENY), _delete("a.web", _SOME))
    assert _results(outcome) == {"a.deny": Result.FAILED, "a.old": Result.HELD, "a.web": Result.HELD}
    assert writer.written == ["a.deny"]
    assert outcome.failed


async def test_a_failure_of_one_isolation_holds_no_deletion_of_another() -> None:
    """An isolation that cannot be written does not keep its neighbour's stale policies alive."""
    writer = Recorder(a_deny=Result.FAILED)
    outcome = await _outcome(writer, _create("a.deny", _DENY), _delete("b.old", _SOME), _delete("b.deny", _DENY))
    assert _results(outcome) == {"a.deny": Result.FAILED, "b.old": Result.DONE, "b.deny": Result.DONE}


async def test_allowances_stay_while_a_denial_cannot_be_removed() -> None:
    """Deny goes first; if it does not go, nothing that it was allowed past goes."""
    writer = Recorder(a_deny=Result.FAILED)
    outcome = await _outcome(writer, _delete("a.deny", _DENY), _delete("a.dns", _EVERY), _delete("a.web", _SOME))
    assert _results(outcome) == {"a.deny": Result.FAILED, "a.dns": Result.HELD, "a.web": Result.HELD}


async def test_allowances_of_another_isolation_stay_too_while_a_denial_cannot_be_removed() -> None:
    """An isolation may allow DNS only because another one denies it: cutting it would cut every pod."""
    writer = Recorder(a_deny=Result.FAILED)
    outcome = await _outcome(writer, _delete("a.deny", _DENY), _delete("b.dns", _EVERY))
    assert _results(outcome) == {"a.deny": Result.FAILED, "b.dns": Result.HELD}


async def test_an_allowance_for_every_pod_that_cannot_be_removed_holds_the_others() -> None:
    """It isolates every pod, too, and the pods of the others would keep nothing else."""
    writer = Recorder(a_dns=Result.FAILED)
    outcome = await _outcome(writer, _delete("a.dns", _EVERY), _delete("b.web", _SOME), _delete("a.web", _SOME))
    assert _results(outcome) == {"a.dns": Result.FAILED, "b.web": Result.HELD, "a.web": Result.HELD}


async def test_an_allowance_for_some_pods_that_cannot_be_removed_holds_nothing() -> None:
    """A tenant's finalizer on one policy keeps no other alive."""
    writer = Recorder(a_web=Result.FAILED)
    outcome = await _outcome(writer, _delete("a.web", _SOME), _delete("a.x", _SOME), _create("a.new", _SOME))
    assert _results(outcome) == {"a.new": Result.DONE, "a.web": Result.FAILED, "a.x": Result.DONE}


async def test_what_is_moot_or_held_is_no_failure_that_holds_others() -> None:
    """A policy that went away by itself holds up nothing."""
    writer = Recorder(a_x=Result.MOOT)
    outcome = await _outcome(writer, _create("a.x", _SOME), _delete("a.old", _SOME))
    assert _results(outcome) == {"a.x": Result.MOOT, "a.old": Result.DONE}
    assert not outcome.failed


def _stranger(isolation: str) -> Delete:
    return Delete(live=live_from(policy("raw", _SOME)), isolation=isolation, why=Why.UNMANAGED)


_FIGHT = Fight(namespace="payments", policy="a.deny", isolation="a", rounds=5, pause=1.0, manager="argocd")

# sentence: what failed before, whether because of a fight, and whether somebody else's policy is kept for it
_BEFORE: dict[str, tuple[Step, Fight | None, bool]] = {
    "a denial of the isolation that asks": (_create("a.deny", _DENY), None, True),
    "a denial of another isolation": (_create("b.deny", _DENY), None, True),
    "a denial that was opened": (replace(_update("b.deny", _DENY), why=Why.MODIFIED), None, True),
    "a denial that is fought over": (_create("a.deny", _DENY), _FIGHT, True),
    "an allowance of the isolation that asks": (_create("a.x", _SOME), None, True),
    "an allowance that is fought over": (_create("a.x", _SOME), _FIGHT, False),
    "an allowance of another isolation": (_create("b.x", _SOME), None, False),
}


@pytest.mark.parametrize(("before", "fight", "kept"), _BEFORE.values(), ids=_BEFORE.keys())
async def test_somebody_elses_policy_stays_while_a_denial_is_missing(
    before: Step, fight: Fight | None, *, kept: bool
) -> None:
    """It may be all that isolates its pods."""
    writer = Recorder(**{before.name.replace(".", "_"): Result.HELD if fight else Result.FAILED})
    writer.fight = fight
    outcome = await _outcome(writer, before, _stranger("a"))
    assert (_results(outcome)["raw"] is Result.HELD) is kept


async def test_what_is_fought_over_holds_no_removal_of_our_own() -> None:
    """Whoever changes one policy back could else keep another one from being revoked."""
    writer = Recorder(a_deny=Result.HELD)
    writer.fight = _FIGHT
    outcome = await _outcome(writer, _create("a.deny", _DENY), _delete("a.old", _SOME), _update("a.y", _SOME))
    assert {_results(outcome)[name] for name in ("a.old", "a.y")} == {Result.DONE}
    assert outcome.failed
    assert not outcome.to_retry

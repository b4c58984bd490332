"""What drifted in an isolation and what was done about it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Update, Why
from namespace_isolation.model.resource_status import DriftRecord
from namespace_isolation.report.clock import timestamp
from namespace_isolation.report.drift_log import DriftLog
from tests.support.objects import live_from, policy

Json = dict[str, Any]

WANTED = policy("team.default-deny-all")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
FIGHT = Fight(namespace="payments", policy=WANTED.name, isolation="team", rounds=5, pause=1.0, manager="unknown")
_EDITED = Drift(fields=("spec.egress",), manager="kubectl-edit", changed="2026-01-02T03:00:00Z")


def _done(why: Why = Why.MODIFIED, result: Result = Result.DONE, drift: Drift | None = None) -> StepResult:
    return StepResult(step=Update(policy=WANTED, live=live_from(WANTED), why=why), result=result, drift=drift)


def _deleted(result: Result = Result.DONE) -> StepResult:
    return StepResult(step=Create(policy=WANTED, why=Why.DELETED), result=result, drift=Drift())


def _extra(result: Result = Result.DONE) -> StepResult:
    step = Delete(live=live_from(WANTED), isolation="team", why=Why.EXTRA)
    return StepResult(step=step, result=result, drift=Drift(manager="helm", changed="2026-01-01T00:00:00Z"))


_WHERE = {"namespace": "payments", "policy": WANTED.name, "time": "2026-01-02T03:04:05Z"}

# sentence: what happened, and what the entry says beside where and when
_ENTRIES: dict[str, tuple[StepResult, Json]] = {
    "an edit that was undone": (
        _done(drift=_EDITED),
        {
            "kind": "Modified",
            "action": "Corrected",
            "fields": ["spec.egress"],
            "manager": "kubectl-edit",
            "changed": "2026-01-02T03:00:00Z",
        },
    ),
    "an edit that could not be undone": (
        _done(result=Result.FAILED),
        {"kind": "Modified", "action": "Failed", "manager": "unknown"},
    ),
    "an edit that Audit found": (
        _done(result=Result.REPORTED, drift=Drift(fields=("spec.egress",))),
        {"kind": "Modified", "action": "Reported", "fields": ["spec.egress"], "manager": "unknown"},
    ),
    "a deletion that was undone": (_deleted(), {"kind": "Deleted", "action": "Corrected", "manager": "unknown"}),
    "a deletion that Audit found": (
        _deleted(Result.REPORTED),
        {"kind": "Deleted", "action": "Reported", "manager": "unknown"},
    ),
    "a policy too many that was removed": (
        _extra(),
        {"kind": "Extra", "action": "Corrected", "manager": "helm", "changed": "2026-01-01T00:00:00Z"},
    ),
}


@pytest.mark.parametrize(("done", "entry"), _ENTRIES.values(), ids=_ENTRIES.keys())
def test_what_is_noted(done: StepResult, entry: Json) -> None:
    """Who, what, and what was done about it, as the schema takes it; only what was corrected counts as such."""
    log = DriftLog({})
    assert log.add("payments", done, NOW)
    assert list(log.recent) == [{**_WHERE, **entry}]
    assert log.corrected == (entry["action"] == "Corrected")
    DriftRecord.model_validate(log.recent[0])


def test_the_newest_stands_first() -> None:
    """As people read it."""
    log = DriftLog({})
    log.add("payments", _done(), NOW)
    log.add("other", _deleted(), NOW)
    assert [entry["namespace"] for entry in log.recent] == ["other", "payments"]


@pytest.mark.parametrize(
    "done",
    [_done(result=Result.MOOT), replace(_done(result=Result.HELD), fight=FIGHT)]
    + [_done(why=why, result=result) for why in Why if not why.is_drift for result in Result],
    ids=lambda done: f"{done.step.why} {done.result.value}",
)
def test_what_is_no_drift_or_still_waits_is_not_noted(done: StepResult) -> None:
    """Our own work, and what went away or waits for the end of a fight."""
    log = DriftLog({})
    assert not log.add("payments", done, NOW)
    assert (log.corrected, list(log.recent)) == (0, [])


OUTSTANDING = [Result.FAILED, Result.REPORTED]


@pytest.mark.parametrize("result", OUTSTANDING, ids=lambda result: result.value)
def test_an_outstanding_drift_is_told_once(result: Result) -> None:
    """However often it is found; one in another namespace is another."""
    log = DriftLog({})
    found = _done(result=result, drift=_EDITED)
    assert [log.add("payments", found, NOW) for _ in range(3)] == [True, False, False]
    assert log.add("other", found, NOW)
    assert len(log.recent) == 2


_OTHERS: dict[str, StepResult] = {
    "other fields": _done(result=Result.REPORTED, drift=Drift(fields=("spec.ingress",), manager="kubectl-edit")),
    "somebody else": _done(result=Result.REPORTED, drift=Drift(fields=("spec.egress",), manager="argocd")),
    "a deletion": _deleted(Result.REPORTED),
    "a try that failed": _done(result=Result.FAILED, drift=_EDITED),
    "a correction": _done(result=Result.DONE, drift=_EDITED),
}


@pytest.mark.parametrize("other", _OTHERS.values(), ids=_OTHERS.keys())
def test_another_drift_of_the_same_policy_is_told(other: StepResult) -> None:
    """By other fields, another manager, or what was done about it."""
    log = DriftLog({})
    log.add("payments", _done(result=Result.REPORTED, drift=_EDITED), NOW)
    assert log.add("payments", other, NOW)


def test_the_same_change_made_again_while_it_is_outstanding_is_not_told_again() -> None:
    """Only its time differs."""
    log = DriftLog({})
    log.add("payments", _done(result=Result.REPORTED, drift=_EDITED), NOW)
    again = Drift(fields=_EDITED.fields, manager=_EDITED.manager, changed="2026-01-02T04:00:00Z")
    assert not log.add("payments", _done(result=Result.REPORTED, drift=again), NOW + timedelta(hours=1))


@pytest.mark.parametrize("result", OUTSTANDING, ids=lambda result: result.value)
def test_a_drift_that_was_gone_is_told_again(result: Result) -> None:
    """Whether it was corrected or went away by itself; one that is still there is not."""
    log = DriftLog({})
    found = _done(result=result, drift=_EDITED)
    log.add("payments", found, NOW)
    log.forget("payments", {WANTED.name, "team.x"})
    assert not log.add("payments", found, NOW)
    log.forget("payments")
    assert log.add("payments", found, NOW)
    assert log.add("payments", _done(drift=_EDITED), NOW)
    assert log.add("payments", found, NOW)
    log.forget("nowhere")


def test_every_correction_is_told_and_counted() -> None:
    """Somebody who opens a policy ten times is told ten times."""
    log = DriftLog({})
    assert all(log.add("payments", _done(drift=_EDITED), NOW) for _ in range(10))
    assert (log.corrected, len(log.recent)) == (10, 10)


@pytest.mark.parametrize("result", OUTSTANDING, ids=lambda result: result.value)
def test_a_restart_tells_nothing_again(result: Result) -> None:
    """The log goes on from the status: what stands there as outstanding is known, what was corrected is over."""
    log = DriftLog({})
    found = _done(result=result, drift=_EDITED)
    log.add("payments", found, NOW)
    log.add("other", found, NOW)
    log.add("other", _done(drift=_EDITED), NOW)
    after = DriftLog({"drift": {"corrected": log.corrected, "recent": list(log.recent)}})
    assert after.corrected == 1
    assert not after.add("payments", found, NOW + timedelta(days=1))
    assert after.add("other", found, NOW + timedelta(days=1))


def test_a_restart_tells_nothing_again_that_a_status_had_no_room_to_name() -> None:
    """Of thirty that are outstanding twenty are named; the others were told as well."""
    found = _done(result=Result.REPORTED, drift=_EDITED)
    log = DriftLog({})
    for index in range(30):
        log.add(f"n{index}", found, NOW)
    status = {"drift": {"corrected": 0, "outstanding": 30, "recent": list(log.recent)}}
    after = DriftLog(status)
    assert not any(after.add(f"n{index}", found, NOW, first_look=True) for index in range(30))
    assert list(after.recent) == list(log.recent)
    assert not any(after.add(f"n{index}", found, NOW) for index in range(30))
    assert after.add("n30", found, NOW, first_look=True)


def test_a_drift_that_comes_later_is_told_though_fewer_were_found_than_a_status_counted() -> None:
    """Some went away while nobody looked: only a first look takes what it finds for known."""
    after = DriftLog({"drift": {"outstanding": 30, "recent": []}})
    found = _done(result=Result.REPORTED, drift=_EDITED)
    assert not after.add("n1", found, NOW, first_look=True)
    assert after.add("n2", found, NOW)


def test_a_correction_is_told_though_a_restart_came_between() -> None:
    """What was outstanding and not named is counted when it is corrected."""
    after = DriftLog({"drift": {"corrected": 1, "outstanding": 30, "recent": []}})
    assert after.add("n1", _done(drift=_EDITED), NOW)
    assert after.corrected == 2


def test_the_log_keeps_the_last_twenty() -> None:
    """The count is for ever, the details are bounded, also those of one entry."""
    old = {**_WHERE, "kind": "Modified", "action": "Corrected", "manager": "unknown"}
    log = DriftLog({"drift": {"corrected": 5, "recent": [old]}})
    for index in range(25):
        fields = tuple(f"spec.{number}" for number in range(30))
        log.add(f"n{index}", _done(drift=Drift(fields=fields)), NOW)
    assert log.corrected == 30
    assert [entry["namespace"] for entry in log.recent] == [f"n{index}" for index in range(24, 4, -1)]
    assert all(len(entry["fields"]) == 20 for entry in log.recent)


def test_what_was_told_is_not_kept_of_what_is_over() -> None:
    """Neither a correction nor a namespace that was left takes memory for ever."""
    log = DriftLog({})
    for index in range(100):
        log.add(f"n{index}", _done(result=Result.FAILED), NOW)
        log.add(f"m{index}", _done(), NOW)
    for index in range(100):
        log.forget(f"n{index}")
    assert log._told == {}


@pytest.mark.parametrize("status", [{}, {"drift": None}, {"drift": {}}, {"drift": {"recent": None}}], ids=str)
def test_a_status_without_a_log_starts_at_zero(status: dict[str, object]) -> None:
    """Whatever an older version wrote."""
    log = DriftLog(status)
    assert (log.corrected, list(log.recent)) == (0, [])


def test_time_is_written_as_kubernetes_does() -> None:
    """In UTC, to the second, with a Z."""
    assert timestamp(NOW) == "2026-01-02T03:04:05Z"
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-01-02T03:04:05Z"


def test_what_was_deleted_and_not_put_back_is_known_after_a_restart() -> None:
    """It would else be taken for newly wanted; what was changed, or put back, is none of it."""
    log = DriftLog({})
    log.add("payments", _deleted(Result.REPORTED), NOW)
    log.add("other", _deleted(Result.REPORTED), NOW)
    log.add("other", _deleted(), NOW)
    log.add("third", _done(result=Result.REPORTED, drift=_EDITED), NOW)
    after = DriftLog({"drift": {"recent": list(log.recent)}})
    assert list(after.deleted) == [("payments", WANTED.name)]

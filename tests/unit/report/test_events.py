"""Which events are told of which news, in which words."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.model.event import Event
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Step, Update, Why
from namespace_isolation.report.events import events_of, events_of_status
from tests.support.objects import NAMESPACE, isolation, live_from, policy

Json = dict[str, Any]

DENY = policy("team.default-deny-all")
LIVE = live_from(DENY, uid="u-old")
FIGHT = Fight(
    namespace=NAMESPACE,
    policy=DENY.name,
    isolation="team",
    rounds=5,
    pause=1.0,
    manager="field manager looper",
)
FORBIDDEN = Failure(reason="Forbidden", message="quota\nexceeded \x1b[31m")
CHANGED = Drift(fields=("spec.egress", "spec.ingress"), manager="kubectl-edit", changed="2026-01-01T00:00:00Z")


def _update(why: Why) -> Update:
    return Update(policy=DENY, why=why, live=LIVE)


def _create(why: Why) -> Create:
    return Create(policy=DENY, why=why)


def _delete(why: Why) -> Delete:
    return Delete(live=LIVE, isolation="team", why=why)


def _told(done: StepResult) -> list[Event]:
    return list(events_of(NAMESPACE, [done], {DENY.name: live_from(DENY, uid="u-new")}))


OF = "NetworkPolicy team.default-deny-all of NamespaceIsolation team"

TABLE: dict[str, tuple[StepResult, tuple[str, str, str, str, str]]] = {
    "a change undone": (
        StepResult(step=_update(Why.MODIFIED), result=Result.DONE, drift=CHANGED),
        (
            "Normal",
            "DriftCorrected",
            "Update",
            "u-old",
            f"{OF} was changed (spec.egress, spec.ingress; field manager kubectl-edit) and has been put back.",
        ),
    ),
    "a change by nobody knows whom undone": (
        StepResult(step=_update(Why.MODIFIED), result=Result.DONE, drift=Drift(fields=("metadata.labels[a]",))),
        (
            "Normal",
            "DriftCorrected",
            "Update",
            "u-old",
            f"{OF} was changed (metadata.labels[a]; field manager unknown) and has been put back.",
        ),
    ),
    "a deletion undone": (
        StepResult(step=_create(Why.DELETED), result=Result.DONE, drift=Drift()),
        ("Normal", "DriftCorrected", "Create", "u-new", f"{OF} was deleted and has been created anew."),
    ),
    "something extra removed": (
        StepResult(step=_delete(Why.EXTRA), result=Result.DONE, drift=Drift(manager="kubectl-create")),
        (
            "Normal",
            "DriftCorrected",
            "Delete",
            "u-old",
            f"{OF} is not asked for by it (field manager kubectl-create) and has been removed.",
        ),
    ),
    "a change that Audit leaves": (
        StepResult(step=_update(Why.MODIFIED), result=Result.REPORTED, drift=CHANGED),
        (
            "Warning",
            "DriftDetected",
            "Report",
            "u-old",
            (
                f"{OF} was changed (spec.egress, spec.ingress; field manager kubectl-edit) and stays so: the "
                "isolation is in Audit."
            ),
        ),
    ),
    "a change that could not be undone": (
        StepResult(step=_update(Why.MODIFIED), result=Result.FAILED, failure=FORBIDDEN),
        (
            "Warning",
            "DriftDetected",
            "Update",
            "u-old",
            f"{OF} was changed, which could not be put right: Forbidden: quota exceeded \\x1b[31m",
        ),
    ),
    "a policy taken over": (
        StepResult(step=_update(Why.TAKEN_OVER), result=Result.DONE),
        (
            "Normal",
            "TookOver",
            "Update",
            "u-old",
            f"{OF} had been made by somebody else; the isolation took it over and replaced its spec.",
        ),
    ),
    "an unmanaged policy removed": (
        StepResult(step=_delete(Why.UNMANAGED), result=Result.DONE),
        (
            "Normal",
            "UnmanagedRemoved",
            "Delete",
            "u-old",
            (
                "NetworkPolicy team.default-deny-all allowed what NamespaceIsolation team denies by default, and has "
                "been removed, as its unmanagedPolicies asks."
            ),
        ),
    ),
    "a fight with admission": (
        StepResult(step=_create(Why.WANTED), result=Result.FAILED, failure=FORBIDDEN, fight=FIGHT),
        (
            "Warning",
            "Fight",
            "BackOff",
            "u-new",
            (
                f"{OF} is changed back by field manager looper as often as it is repaired; repairs of it wait longer "
                "each time, up to 5 minutes."
            ),
        ),
    ),
}


@pytest.mark.parametrize(("done", "told"), TABLE.values(), ids=TABLE.keys())
def test_news_of_a_policy_are_told_on_it(done: StepResult, told: tuple[str, str, str, str, str]) -> None:
    """Severity, reason, action, the policy's uid as far as it is known, and one plain sentence."""
    (event,) = _told(done)
    of = event.regarding
    assert (event.kind, event.reason, event.action, of.uid, event.note) == told
    assert (of.api_version, of.kind, of.namespace, of.name) == (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        NAMESPACE,
        DENY.name,
    )


def test_a_round_of_a_fight_is_a_repair_and_a_fight() -> None:
    """Both are told, and both become series: no number of rounds is in the words."""
    done = StepResult(step=_update(Why.MODIFIED), result=Result.DONE, drift=CHANGED, fight=FIGHT)
    later = StepResult(
        step=done.step,
        result=Result.DONE,
        drift=Drift(fields=CHANGED.fields, manager=CHANGED.manager, changed="2026-01-01T00:09:00Z"),
        fight=Fight(namespace=NAMESPACE, policy=DENY.name, isolation="team", rounds=9, pause=16, manager=FIGHT.manager),
    )
    assert [event.reason for event in _told(done)] == ["DriftCorrected", "Fight"]
    assert [event.key for event in _told(done)] == [event.key for event in _told(later)]


def test_a_repair_that_fails_in_a_fight_is_told_as_the_fight() -> None:
    """One event for one fact; and nobody knows by whom, that is said."""
    nobody = Fight(namespace=NAMESPACE, policy=DENY.name, isolation="team", rounds=5, pause=1, manager="unknown")
    (event,) = _told(StepResult(step=_update(Why.MODIFIED), result=Result.FAILED, failure=FORBIDDEN, fight=nobody))
    assert event.reason == "Fight"
    assert "by an unknown field manager as often" in event.note


def test_a_policy_that_is_gone_is_named_without_a_uid() -> None:
    """Audit creates none in its place, and nobody remembers which it was."""
    reported = StepResult(step=_create(Why.DELETED), result=Result.REPORTED, drift=Drift())
    (event,) = events_of(NAMESPACE, [reported], {})
    assert (event.regarding.name, event.regarding.uid) == (DENY.name, None)
    assert event.note == f"{OF} was deleted and stays so: the isolation is in Audit."


@pytest.mark.parametrize("step", [_create(Why.WANTED), _update(Why.OUTDATED), _delete(Why.UNWANTED)])
@pytest.mark.parametrize("result", [Result.DONE, Result.FAILED, Result.REPORTED])
def test_our_own_work_is_no_event(step: Step, result: Result) -> None:
    """10,000 new namespaces are 40,000 policies, and no news to anybody."""
    assert _told(StepResult(step=step, result=result)) == []


@pytest.mark.parametrize(
    ("why", "result"),
    [
        *((why, Result.MOOT) for why in (Why.TAKEN_OVER, Why.UNMANAGED, Why.MODIFIED)),
        *((why, Result.HELD) for why in (Why.TAKEN_OVER, Why.UNMANAGED)),
    ],
)
def test_what_did_not_come_about_is_no_event(why: Why, result: Result) -> None:
    """A namespace that went away, or a step that was held."""
    assert _told(StepResult(step=_update(why), result=result)) == []


def test_a_drift_whose_repair_waits_for_another_is_told() -> None:
    """A policy that nobody asked for stays as long as what failed before it does."""
    (event,) = _told(StepResult(step=_delete(Why.EXTRA), result=Result.HELD))
    assert (event.kind, event.reason) == ("Warning", "DriftDetected")
    assert event.note.endswith("is not asked for by it and stays so until what failed before it succeeds.")


def test_texts_of_others_leave_room_for_ours() -> None:
    """A field manager, a list of fields and a refusal of any length."""
    drift = Drift(fields=tuple(f"metadata.labels[{'x' * 60}{each}]" for each in range(99)), manager="m" * 999)
    (event,) = _told(StepResult(step=_update(Why.MODIFIED), result=Result.DONE, drift=drift))
    assert len(event.note.encode()) < 1024
    assert event.note.endswith("has been put back.")
    failure = Failure(reason="Forbidden", message="x" * 9999)
    (event,) = _told(StepResult(step=_update(Why.MODIFIED), result=Result.FAILED, drift=drift, failure=failure))
    assert len(event.note.encode()) <= 1024
    assert "could not be put right: Forbidden: xxx" in event.note


def _status(*, accepted: str = "Accepted", ready: str = "InSync", generation: int = 1, **rest: Any) -> Json:  # noqa: ANN401
    """Write a status; the messages are the reasons once more."""
    good = {"Accepted", "AcceptedWithNotices", "InSync", "NoNamespaces", "Audit"}

    def condition(kind: str, reason: str) -> Json:
        return {
            "type": kind,
            "status": str(reason in good),
            "reason": reason,
            "message": f"So: {reason}.",
            "observedGeneration": generation,
        }

    return {"conditions": [condition("Accepted", accepted), condition("Ready", ready)], **rest}


def _turns(before: Json, after: Json) -> list[tuple[str, str, str]]:
    return [(event.kind, event.reason, event.note) for event in events_of_status(isolation(), before, after)]


def test_what_turned_is_told_on_the_isolation() -> None:
    """With its uid, so that `kubectl describe` finds it."""
    events = list(events_of_status(isolation(), {}, _status()))
    assert [event.reason for event in events] == ["Accepted", "Isolated"]
    for event in events:
        of = event.regarding
        assert (of.api_version, of.kind, of.namespace, of.name, of.uid) == (
            "nsiso.dev/v1alpha1",
            "NamespaceIsolation",
            None,
            "team",
            "uid-of-team",
        )


@pytest.mark.parametrize("ready", ["InSync", "Failed", "Fight", "Progressing", "Audit", "NotAccepted"])
def test_what_is_as_it_was_is_not_told_again(ready: str) -> None:
    """After a restart the status is the same as before; counts and words in it may differ at any time."""
    before = _status(ready=ready, problems=[{"namespace": "a", "reason": "Forbidden", "message": "m"}])
    after = _status(ready=ready, problems=[{"namespace": "a", "reason": "Forbidden", "message": "n"}])
    assert _turns(before, after) == []


def test_another_first_problem_is_told() -> None:
    """Who looks at the events would else mend what is mended already."""
    before = _status(ready="Failed", problems=[{"namespace": "a", "reason": "Invalid", "message": "m"}])
    after = _status(ready="Failed", problems=[{"namespace": "a", "reason": "ChangedOnWrite", "message": "m"}])
    assert _turns(before, after) == [("Warning", "Failed", "So: Failed. a: ChangedOnWrite: m")]


def test_acceptance_is_told_when_it_or_its_reasons_change() -> None:
    """Not for every generation."""
    fine, bad = _status(), _status(accepted="Invalid", ready="NotAccepted")
    refused = ("Warning", "NotAccepted", "So: Invalid.")
    assert _turns(fine, bad) == [refused]
    assert _turns(bad, fine) == [("Normal", "Accepted", "So: Accepted."), ("Normal", "Isolated", "So: InSync.")]
    noticed = _status(accepted="AcceptedWithNotices")
    assert _turns(fine, noticed) == [("Normal", "Accepted", "So: AcceptedWithNotices.")]
    worse = _status(accepted="Invalid", ready="NotAccepted", generation=2)
    worse["conditions"][0]["message"] = "So: something else."
    assert _turns(bad, worse) == [("Warning", "NotAccepted", "So: something else.")]


def test_isolated_is_told_once_for_every_edit() -> None:
    """Whether or not a status in between said that work is under way."""
    old, new, under_way = _status(), _status(generation=2), _status(generation=2, ready="Progressing")
    isolated = ("Normal", "Isolated", "So: InSync.")
    assert _turns(old, new) == [isolated]
    assert [*_turns(old, under_way), *_turns(under_way, new)] == [isolated]


def test_failing_is_told_when_it_begins_and_names_the_first_problem() -> None:
    """Also where it is a fight; and once it is over, that all is well."""
    problem = {"namespace": "payments", "reason": "Forbidden", "message": "quota\nexceeded"}
    fine, failed = _status(), _status(ready="Failed", problems=[problem])
    assert _turns(fine, failed) == [("Warning", "Failed", "So: Failed. payments: Forbidden: quota exceeded")]
    assert _turns(failed, fine) == [("Normal", "Isolated", "So: InSync.")]
    # A fight names its policy by itself, and the words of its problem differ from round to round.
    fought = _status(ready="Fight", problems=[{**problem, "reason": "Fight"}])
    assert _turns(fine, fought) == [("Warning", "Failed", "So: Fight.")]


def test_audit_and_an_isolation_of_nothing_isolate_nobody() -> None:
    """So that is not said; of Audit it is said that it does not."""
    for ready in ("NoNamespaces", "Progressing", "Deleting"):
        assert _turns(_status(ready="Progressing"), _status(ready=ready)) == []
    audited = [("Normal", "Audited", "So: Audit.")]
    assert _turns(_status(ready="InSync"), _status(ready="Audit")) == audited
    assert _turns(_status(ready="Audit"), _status(ready="Audit")) == []

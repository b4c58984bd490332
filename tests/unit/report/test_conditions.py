"""The conditions of an isolation: a table of all states, as kstatus and `kubectl wait` read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.conditions import conditions_of
from namespace_isolation.report.standing import Standing
from namespace_isolation.report.tally import Tally, tally_of
from tests.support.objects import audited, frozen, isolation

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAM = isolation(generation=4)
AUDITED = audited(generation=4)
GOING = isolation(deleting=True)
_TYPES = ["Accepted", "Ready", "Reconciling", "Stalled"]
_FIGHT = Fight(namespace="payments", policy="team.x", isolation="team", rounds=9, pause=16.0, manager="argocd")


def _tally(**counts: Any) -> Tally:  # noqa: ANN401 - fields of Tally
    """Count nothing but what is said."""
    return replace(tally_of(TEAM, frozenset(), {}), **counts)


def _conditions(found: Isolation, counted: Tally, previous: tuple[Json, ...] = ()) -> dict[str, Json]:
    conditions = conditions_of(found, counted, previous, NOW)
    assert [each["type"] for each in conditions] == _TYPES
    return {each["type"]: each for each in conditions}


DONE = _tally(matched=3, looked_at=3, in_sync=3)
BUSY = _tally(matched=3, looked_at=2, in_sync=2)
BROKEN = _tally(matched=3, looked_at=3, in_sync=2, failed=1)
FOUGHT = _tally(matched=3, looked_at=3, in_sync=2, failed=1, fight=_FIGHT)
REHEARSED = _tally(matched=3, looked_at=3, audits=True, create=5, update=4, delete=2)
LOOKING = _tally(matched=3, looked_at=2, audits=True, create=5)
UNREADABLE = _tally(matched=3, looked_at=3, audits=True, failed=1)
NONE = _tally()

# sentence: the isolation, its numbers; Ready and its reason, Reconciling and its reason, Stalled
STATES: dict[str, tuple[Isolation, Tally, str, str, str]] = {
    "everything is in place": (TEAM, DONE, "True InSync", "False Settled", "False NotStalled"),
    "no namespace matches": (TEAM, NONE, "True NoNamespaces", "False Settled", "False NotStalled"),
    "work is under way": (TEAM, BUSY, "False Progressing", "True Progressing", "False NotStalled"),
    "something fails": (TEAM, BROKEN, "False Failed", "True Retrying", "False NotStalled"),
    "something that is left behind fails": (
        TEAM,
        replace(DONE, failed=1),
        "False Failed",
        "True Retrying",
        "False NotStalled",
    ),
    "somebody fights": (TEAM, FOUGHT, "False Fight", "True Retrying", "False NotStalled"),
    "Audit has looked at everything": (AUDITED, REHEARSED, "True Audit", "False Settled", "False NotStalled"),
    "Audit has nothing to look at": (
        AUDITED,
        replace(NONE, audits=True),
        "True Audit",
        "False Settled",
        "False NotStalled",
    ),
    "Audit still looks": (AUDITED, LOOKING, "False Progressing", "True Progressing", "False NotStalled"),
    "Audit cannot read something": (AUDITED, UNREADABLE, "False Failed", "True Retrying", "False NotStalled"),
    "it is not accepted": (frozen(), NONE, "False NotAccepted", "False Settled", "True NotAccepted"),
    "it is not accepted, and something failed before": (
        frozen(),
        BROKEN,
        "False NotAccepted",
        "False Settled",
        "True NotAccepted",
    ),
    "it is being deleted": (GOING, DONE, "False Deleting", "True Deleting", "False NotStalled"),
    "it is being deleted, and something fails": (
        GOING,
        BROKEN,
        "False Deleting",
        "True Deleting",
        "False NotStalled",
    ),
    "it is being deleted in Audit": (
        audited(deleting=True),
        REHEARSED,
        "False Deleting",
        "True Deleting",
        "False NotStalled",
    ),
    "it is being deleted and not accepted": (
        frozen(deleting=True),
        NONE,
        "False Deleting",
        "True Deleting",
        "False NotStalled",
    ),
}


@pytest.mark.parametrize(("found", "counted", "ready", "reconciling", "stalled"), STATES.values(), ids=STATES.keys())
def test_the_state(found: Isolation, counted: Tally, ready: str, reconciling: str, stalled: str) -> None:
    """Each sentence of the table holds."""
    told = _conditions(found, counted)
    states = [f"{told[kind]['status']} {told[kind]['reason']}" for kind in _TYPES[1:]]
    assert states == [ready, reconciling, stalled]


@pytest.mark.parametrize(("found", "counted"), [row[:2] for row in STATES.values()], ids=STATES.keys())
def test_every_state_is_one_of_done_busy_and_stalled(found: Isolation, counted: Tally) -> None:
    """Exactly one of Ready, Reconciling and Stalled is True; each condition has a reason and a sentence."""
    told = _conditions(found, counted)
    assert [told[kind]["status"] for kind in _TYPES[1:]].count("True") == 1
    for condition in told.values():
        assert condition["reason"].isalpha()
        assert len(condition["message"].split()) > 2
        assert condition["observedGeneration"] == found.generation


@pytest.mark.parametrize(
    ("found", "status", "reason", "says"),
    [
        (TEAM, "True", "Accepted", "The resource is valid."),
        (AUDITED, "True", "Accepted", "The resource is valid."),
        (
            isolation(unmanagedPolicies="Remove", defaultDeny=[]),
            "True",
            "AcceptedWithNotices",
            "spec.unmanagedPolicies: Remove takes away",
        ),
        (isolation(mode="Dry"), "False", "Invalid", "spec.mode: must be 'Enforce' or 'Audit'"),
        (isolation(allow="x", dns="y"), "False", "Invalid", "spec.dns: must be an object, not a string"),
    ],
    ids=["valid", "Audit", "with a notice", "a mode that is none", "several faults"],
)
def test_accepted_says_what_is_wrong_or_surprising(found: Isolation, status: str, reason: str, says: str) -> None:
    """With the path and the words of each fault."""
    condition = _conditions(found, NONE)["Accepted"]
    assert (condition["status"], condition["reason"]) == (status, reason)
    assert says in condition["message"]


def test_what_stalls_is_named_where_it_stalls() -> None:
    """Whoever reads only Stalled sees the path."""
    assert "spec.mode" in _conditions(frozen(), NONE)["Stalled"]["message"]


def test_audit_says_plainly_that_nothing_is_enforced_and_what_would_be_done() -> None:
    """True because everything was looked at: that must not be read as isolated."""
    message = _conditions(AUDITED, REHEARSED)["Ready"]["message"]
    assert message.startswith("Audit: nothing is written, and nothing is enforced by this resource.")
    for part in ("create 5", "update 4", "delete 2"):
        assert part in message


def test_a_fight_names_policy_namespace_and_opponent() -> None:
    """Enough to find who it is."""
    message = _conditions(TEAM, FOUGHT)["Ready"]["message"]
    assert "team.x in namespace payments" in message
    assert "argocd" in message


def test_a_long_message_is_cut_to_what_the_schema_takes() -> None:
    """Two hundred faults do not make the status unwritable."""
    bad = isolation(allow=[{"name": f"e{index}"} for index in range(200)])
    told = _conditions(bad, NONE)
    assert 1000 < len(told["Accepted"]["message"]) <= 1024
    assert told["Accepted"]["message"].endswith("…")


def _timed(status: str, time: str, **more: str) -> Json:
    return {"type": "Ready", "status": status, "lastTransitionTime": time, **more}


@pytest.mark.parametrize(
    ("previous", "time"),
    [
        ((), "2026-01-01T00:00:00Z"),
        ((_timed("True", "2025-01-01T00:00:00Z", reason="Other"),), "2025-01-01T00:00:00Z"),
        ((_timed("False", "2025-01-01T00:00:00Z"),), "2026-01-01T00:00:00Z"),
        ((_timed("True", ""),), "2026-01-01T00:00:00Z"),
        (({"type": "Ready", "status": "True"},), "2026-01-01T00:00:00Z"),
        (
            ({}, {"type": "Accepted", "status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z"}),
            "2026-01-01T00:00:00Z",
        ),
    ],
    ids=["new", "the same status", "another status", "an empty time", "no time", "another condition"],
)
def test_a_condition_keeps_the_time_when_its_status_changed(previous: tuple[Json, ...], time: str) -> None:
    """A new reason or message is no transition."""
    assert _conditions(TEAM, DONE, previous)["Ready"]["lastTransitionTime"] == time


def test_a_standing_in_sync_is_what_the_states_rest_on() -> None:
    """One namespace that is in place makes the plainest state."""
    standings = {"payments": Standing(generation=4, desired=2, in_place=2)}
    counted = tally_of(TEAM, frozenset({"payments"}), standings)
    assert _conditions(TEAM, counted)["Ready"]["reason"] == "InSync"

"""The status of an isolation: what it counts, what it names, and that its size is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure
from namespace_isolation.model.plan import Why
from namespace_isolation.model.resource_status import IsolationStatus
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.report.drift_log import DriftLog
from namespace_isolation.report.standing import Pending, Standing
from namespace_isolation.report.status import is_complete, status_of
from tests.support.objects import audited, frozen, isolation

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAM = isolation(generation=3)
AUDITED = audited(generation=3)
GOOD = Standing(generation=3, desired=4, in_place=4)
BAD = replace(GOOD, in_place=3, undone=1, outstanding=1, failures=(Failure(reason="Forbidden", message="no " * 500),))


def _status(
    standings: Mapping[str, Standing], *members: str, previous: Json | None = None, of: Isolation = TEAM
) -> Json:
    return status_of(
        of,
        members=frozenset(members),
        standings=standings,
        drift=DriftLog(previous or {}),
        previous=previous or {},
        now=NOW,
    )


def _reasons(status: Json) -> dict[str, str]:
    return {condition["type"]: condition["reason"] for condition in status["conditions"]}


def test_a_status_counts_namespaces_and_policies() -> None:
    """In sync, drifted and failed; desired and in place; with summaries for people."""
    status = _status({"a": GOOD, "b": BAD}, "a", "b", "c")
    assert status["observedGeneration"] == 3
    assert status["namespaces"] == {"matched": 3, "inSync": 1, "drifted": 1, "failed": 1, "summary": "1/3"}
    assert status["policies"] == {"desired": 8, "inPlace": 7, "summary": "7/8"}
    assert status["drift"] == {"corrected": 0, "outstanding": 1, "recent": []}
    assert status["unmanaged"] == {"count": 0, "recent": []}
    assert list(_reasons(status)) == ["Accepted", "Ready", "Reconciling", "Stalled"]


def test_a_standing_of_an_older_generation_is_not_in_sync() -> None:
    """The new spec is not in place before it was looked at."""
    status = _status({"a": replace(GOOD, generation=2)}, "a")
    assert status["namespaces"]["summary"] == "0/1"
    assert status["policies"]["summary"] == "0/0"
    assert _reasons(status)["Ready"] == "Progressing"


def test_a_namespace_that_is_no_longer_selected_counts_only_while_it_fails_or_drifts() -> None:
    """What cannot be taken away is a problem of this isolation."""
    status = _status({"a": GOOD, "left": GOOD, "stuck": BAD}, "a")
    assert status["namespaces"] == {"matched": 1, "inSync": 1, "drifted": 1, "failed": 1, "summary": "1/1"}
    assert [problem["namespace"] for problem in status["problems"]] == ["stuck"]
    assert _reasons(status)["Ready"] == "Failed"


def test_a_status_is_bounded_whatever_the_number_of_namespaces() -> None:
    """Twenty problems with short messages, in order; and it is what the schema takes."""
    names = [f"n{index:04}" for index in range(2000)]
    status = _status(dict.fromkeys(names, BAD), *names)
    assert [problem["namespace"] for problem in status["problems"]] == names[:20]
    assert all(280 < len(problem["message"]) <= 300 for problem in status["problems"])
    assert status["namespaces"]["failed"] == 2000
    IsolationStatus.model_validate(status)


@pytest.mark.parametrize("reason", ["Forbidden", "A proxy's page: " + "x" * 200])
def test_whatever_the_api_server_says_is_a_status_that_can_be_written(reason: str) -> None:
    """A reason is a word to the schema, and may be a page to a proxy."""
    failing = replace(BAD, failures=(Failure(reason=reason, message=""),))
    IsolationStatus.model_validate(_status({"a": failing}, "a"))


def test_what_waits_without_a_failure_of_its_own_is_a_problem_too() -> None:
    """A namespace counts as failed: somebody will look for the reason."""
    (problem,) = _status({"a": replace(GOOD, undone=1)}, "a")["problems"]
    assert problem["reason"] == "Held"


def test_a_fight_is_a_problem_until_it_is_over() -> None:
    """Its namespace is named, and Ready says who it is."""
    fight = Fight(namespace="a", policy="team.x", isolation="team", rounds=5, pause=1.0, manager="argocd")
    failure = Failure(reason="Fight", message="team.x was changed back")
    status = _status({"a": replace(GOOD, fights=(fight,), failures=(failure,))}, "a")
    assert [problem["reason"] for problem in status["problems"]] == ["Fight"]
    assert _reasons(status)["Ready"] == "Fight"
    assert status["namespaces"]["inSync"] == 0


# Audit


def _pending(*steps: tuple[str, str, Why], more: int = 0) -> Pending:
    return Pending(create=len(steps) + more, update=0, delete=0, first=steps)


_STEP = ("Create", "team.default-deny-all", Why.WANTED)


def test_audit_tells_what_would_be_done() -> None:
    """Counted everywhere, the first by namespace and in the order in which they would be written."""
    standings = {
        "b": replace(GOOD, in_place=3, pending=_pending(_STEP)),
        "a": replace(GOOD, in_place=2, pending=_pending(("Create", "team.x", Why.DELETED), _STEP)),
        "c": GOOD,
    }
    status = _status(standings, "a", "b", "c", of=AUDITED)
    assert status["audit"] == {
        "create": 3,
        "update": 0,
        "delete": 0,
        "first": [
            {"namespace": "a", "policy": "team.x", "action": "Create", "why": "Deleted"},
            {"namespace": "a", "policy": "team.default-deny-all", "action": "Create", "why": "Wanted"},
            {"namespace": "b", "policy": "team.default-deny-all", "action": "Create", "why": "Wanted"},
        ],
    }
    assert status["namespaces"]["summary"] == "1/3"
    assert _reasons(status)["Ready"] == "Audit"
    IsolationStatus.model_validate(status)


def test_audit_that_would_do_nothing_says_so() -> None:
    """The section is there: to find nothing is an answer."""
    assert _status({"a": GOOD}, "a", of=AUDITED)["audit"] == {"create": 0, "update": 0, "delete": 0, "first": []}


def test_audit_names_twenty_and_counts_all() -> None:
    """Of the first namespaces by name."""
    names = [f"n{index:04}" for index in range(2000)]
    standing = replace(GOOD, in_place=0, pending=_pending(*(_STEP,) * 20, more=5))
    audit = _status(dict.fromkeys(names, standing), *names, of=AUDITED)["audit"]
    assert (audit["create"], len(audit["first"])) == (50_000, 20)
    assert {each["namespace"] for each in audit["first"]} == {"n0000"}


@pytest.mark.parametrize(
    "found",
    [TEAM, frozen(generation=3), audited(generation=3, deleting=True)],
    ids=["Enforce", "not accepted", "Audit, but leaving"],
)
def test_only_audit_has_a_section_of_its_own(found: Isolation) -> None:
    """What an earlier Audit found is no plan of what is done now."""
    standings = {"a": replace(GOOD, generation=2, pending=_pending(_STEP))}
    assert "audit" not in _status(standings, "a", of=found)


# Policies of others


def _found(namespace: str, policy: str, *, wide: bool = False, kept: str | None = None) -> Unmanaged:
    return Unmanaged(
        namespace=namespace, policy=policy, widens=("Ingress",), wide_open=("Ingress",) if wide else (), kept=kept
    )


def _with(*unmanaged: Unmanaged, count: int | None = None) -> Standing:
    return replace(GOOD, unmanaged=unmanaged, unmanaged_count=len(unmanaged) if count is None else count)


def test_policies_of_others_are_named_those_that_are_wide_open_first() -> None:
    """Then by namespace and name; with the reason where one is kept though it was to go."""
    standings = {
        "b": _with(_found("b", "x"), _found("b", "y", wide=True)),
        "a": _with(_found("a", "z", kept="another controller owns it"), _found("a", "k", wide=True)),
    }
    status = _status(standings, "a", "b")
    assert status["unmanaged"] == {
        "count": 4,
        "recent": [
            {"namespace": "a", "policy": "k", "widens": ["Ingress"], "wideOpen": ["Ingress"]},
            {"namespace": "b", "policy": "y", "widens": ["Ingress"], "wideOpen": ["Ingress"]},
            {"namespace": "a", "policy": "z", "widens": ["Ingress"], "kept": "another controller owns it"},
            {"namespace": "b", "policy": "x", "widens": ["Ingress"]},
        ],
    }
    assert _reasons(status)["Ready"] == "InSync"
    IsolationStatus.model_validate(status)


def test_policies_of_others_are_counted_beyond_the_twenty_that_are_named() -> None:
    """A wide open one of the last namespace is among them."""
    names = [f"n{index:04}" for index in range(100)]
    standings = {name: _with(_found(name, "x"), count=50) for name in names}
    standings["n0099"] = _with(_found("n0099", "x", wide=True), count=50)
    unmanaged = _status(standings, *names)["unmanaged"]
    assert unmanaged["count"] == 5000
    assert [each["namespace"] for each in unmanaged["recent"]] == ["n0099", *names[:19]]


# When it is written


@pytest.mark.parametrize("found", [TEAM, AUDITED, frozen(generation=3)], ids=["Enforce", "Audit", "not accepted"])
def test_a_status_without_news_is_the_same_status(found: Isolation) -> None:
    """Nothing is written without a difference: only a transition takes a new time."""
    standings = {"a": _with(_found("a", "x")), "b": replace(BAD, pending=_pending(_STEP))}
    first = _status(standings, "a", "b", of=found)
    again = status_of(
        found,
        members=frozenset("ab"),
        standings=dict(reversed(standings.items())),
        drift=DriftLog(first),
        previous=first,
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert again == first


@pytest.mark.parametrize(
    ("standings", "complete"),
    [
        ({"a": GOOD, "b": GOOD}, True),
        ({"a": GOOD, "b": BAD}, True),
        ({"a": GOOD}, False),
        ({"a": GOOD, "b": replace(GOOD, generation=2)}, False),
        ({}, False),
    ],
    ids=["all", "one fails", "one is missing", "one is older", "none"],
)
def test_an_isolation_is_complete_once_every_namespace_was_looked_at(
    standings: Mapping[str, Standing],
    complete: bool,  # noqa: FBT001
) -> None:
    """In its present generation; one without namespaces is complete at once."""
    assert is_complete(TEAM, ["a", "b"], standings) is complete
    assert is_complete(TEAM, [], standings)


def test_a_deletion_is_a_generation_that_is_never_carried_out() -> None:
    """What was observed before it tells, after a restart, whether the resource was edited as well."""
    going = isolation(generation=4, deleting=True)
    assert _status({}, "a", previous={"observedGeneration": 3}, of=going)["observedGeneration"] == 3
    assert _status({}, "a", of=going)["observedGeneration"] == -1

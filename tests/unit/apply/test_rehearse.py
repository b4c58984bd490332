"""What isolations in Audit would do in one namespace: found out, with its evidence, and nothing done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from namespace_isolation.apply.rehearse import Evidence, rehearse
from namespace_isolation.cluster import ApiError
from namespace_isolation.model.outcome import Rehearsal, Result
from namespace_isolation.model.plan import Drift, Why
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.view import View
from tests.support.boards import Shelf
from tests.support.objects import (
    audited,
    desired_in,
    foreign_document,
    frozen,
    isolation,
    live_from,
    policy,
    stranger,
    view,
)

Json = dict[str, Any]

DENY, DNS = "team.default-deny-all", "team.allow-dns-egress"
AUDITED = audited()
WANTED = desired_in(view(isolation()))
IN_PLACE = tuple(live_from(each) for each in WANTED.values())
OPENED = live_from(WANTED[DENY], digest="0", foreign=True)
LIVE_DNS = live_from(WANTED[DNS])
_BROKEN = ApiError(status=500, reason="Broken", message="no", request="GET /")
_EDIT = {
    "manager": "kubectl-edit",
    "operation": "Update",
    "time": "2026-01-02T00:00:00Z",
    "fieldsV1": {"f:spec": {"f:egress": {}}},
}


def _rehearsed(seen: View, **documents: Json | ApiError) -> tuple[Rehearsal, list[str]]:
    """Rehearse with documents by the name of their policy behind the dot (`_` for `-`)."""
    shelf = Shelf({f"team.{name.replace('_', '-')}": each for name, each in documents.items()})
    return asyncio.run(rehearse(seen, decide=desired_in, reader=shelf, evidence=Evidence())), shelf.asked


def _served(**changes: Any) -> Json:  # noqa: ANN401 - any JSON
    document = WANTED[DENY].manifest("payments")
    document["spec"] = {**document["spec"], **changes}
    document["metadata"]["managedFields"] = [_EDIT]
    return document


def test_what_is_missing_is_found_without_a_question_to_the_api_server() -> None:
    """A thousand namespaces in Audit cost no read."""
    found, asked = _rehearsed(view(AUDITED))
    assert {(each.step.name, each.step.why, each.result) for each in found.findings} == {
        (DENY, Why.WANTED, Result.REPORTED),
        (DNS, Why.WANTED, Result.REPORTED),
    }
    assert all(each.drift is None and each.failure is None for each in found.findings)
    assert set(found.desired) == {DENY, DNS}
    assert found.kept == ()
    assert asked == []


def test_what_is_in_place_is_kept() -> None:
    """An earlier Enforce left it, and nothing is found."""
    found, _ = _rehearsed(view(AUDITED, live=IN_PLACE))
    assert found.findings == ()
    assert set(found.kept) == {("team", DENY), ("team", DNS)}


def test_an_edit_is_found_with_its_fields_and_who_made_it() -> None:
    """By the document as served, like a repair would."""
    found, asked = _rehearsed(view(AUDITED, live=[OPENED, LIVE_DNS]), default_deny_all=_served(egress=[{}]))
    (finding,) = found.findings
    assert finding.drift == Drift(fields=("spec.egress",), manager="kubectl-edit", changed="2026-01-02T00:00:00Z")
    assert (finding.step.why, finding.result) == (Why.MODIFIED, Result.REPORTED)
    assert asked == [DENY]


def test_a_deletion_is_found_and_nobody_is_named() -> None:
    """The API server keeps no trace of who it was."""
    found, asked = _rehearsed(view(AUDITED, live=[LIVE_DNS], lost=[DENY]))
    (finding,) = found.findings
    assert (finding.step.why, finding.drift, asked) == (Why.DELETED, Drift(), [])


def test_a_policy_too_many_is_found_with_who_made_it() -> None:
    """That is all that can be told of it."""
    extra = live_from(policy("team.more"), foreign=True)
    document = foreign_document("team.more", managedFields=[_EDIT])
    found, _ = _rehearsed(view(AUDITED, live=[*IN_PLACE, extra]), more=document)
    (finding,) = found.findings
    assert (finding.step.why, finding.drift) == (
        Why.EXTRA,
        Drift(manager="kubectl-edit", changed="2026-01-02T00:00:00Z"),
    )


def test_what_is_gone_in_between_is_moot() -> None:
    """It is no edit any more, and the watch will tell what it is."""
    found, asked = _rehearsed(view(AUDITED, live=[OPENED, LIVE_DNS]))
    assert [(each.result, each.drift) for each in found.findings] == [(Result.MOOT, None)]
    assert asked == [DENY]


def test_what_cannot_be_read_fails_alone() -> None:
    """With the server's words; the other findings stand."""
    found, _ = _rehearsed(view(AUDITED, live=[OPENED]), default_deny_all=_BROKEN)
    results = {each.step.name: (each.result, each.failure) for each in found.findings}
    assert results == {DENY: (Result.FAILED, _BROKEN.failure), DNS: (Result.REPORTED, None)}


_NOTHING = Rehearsal()

# sentence: what is seen, where nobody is to be told what Audit would do
_SILENT: dict[str, View] = {
    "nobody governs": view(),
    "Enforce": view(isolation()),
    "not accepted": view(frozen()),
    "Audit, but leaving": view(audited(deleting=True), live=IN_PLACE),
    "Audit elsewhere": view(isolation("other"), others=[AUDITED]),
    "the namespace is ending": view(AUDITED, live=IN_PLACE, ending=True),
    "the namespace is gone": view(AUDITED, gone=True),
}


@pytest.mark.parametrize("seen", _SILENT.values(), ids=_SILENT.keys())
def test_where_nothing_is_audited_nothing_is_found(seen: View) -> None:
    """And nothing is asked."""
    assert _rehearsed(seen) == (_NOTHING, [])


def test_only_what_concerns_audit_is_told() -> None:
    """What Enforce does beside it is done, and needs no rehearsal."""
    found, _ = _rehearsed(view(AUDITED, isolation("other")))
    assert {each.step.isolation for each in found.findings} == {"team"}
    assert {each.isolation for each in found.desired.values()} == {"team"}


# sentence: what is left of an isolation in Audit in a namespace that it does not select, and how it is recognised
_LEFT: dict[str, LivePolicy] = {
    "by its owner": live_from(WANTED[DENY], managed_by=None, isolation=None),
    "by its labels": live_from(policy("team.x", owner=False)),
    "by its name": stranger("team.allow-x-ingress"),
}


@pytest.mark.parametrize("live", _LEFT.values(), ids=_LEFT.keys())
def test_what_audit_left_where_it_does_not_select_would_go(live: LivePolicy) -> None:
    """Enforce would take it away; that is told."""
    found, _ = _rehearsed(view(others=[AUDITED], live=[live]))
    assert [each.step.name for each in found.findings] == [live.name]
    assert found.desired == {}


def test_what_remove_would_take_is_found() -> None:
    """As a deletion of somebody else's policy: no drift, and nothing is read for it."""
    team = audited(unmanagedPolicies="Remove")
    found, asked = _rehearsed(view(team, live=[*IN_PLACE, stranger("raw")]))
    assert [(each.step.name, each.step.why, each.drift) for each in found.findings] == [("raw", Why.UNMANAGED, None)]
    assert asked == []

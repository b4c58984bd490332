"""Desired against live in one namespace: which steps, and why."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from namespace_isolation.compare.compare import compare
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Update, Wait, Why
from namespace_isolation.model.policy import LivePolicy, Owner, rendering_hash
from namespace_isolation.model.view import View
from tests.support.objects import desired_in, frozen, isolation, live_from, policy, stranger, view

DENY, DNS = "team.default-deny-all", "team.allow-dns-egress"
TEAM = isolation()
WANTED = desired_in(view(TEAM))
LIVE_DENY, LIVE_DNS = live_from(WANTED[DENY]), live_from(WANTED[DNS])
IN_PLACE = (LIVE_DENY, LIVE_DNS)

Steps = dict[str, tuple[type, Why]]


def _plan(seen: View) -> Plan:
    return compare(desired_in(seen), seen)


def _steps(seen: View) -> Steps:
    return {step.name: (type(step), step.why) for step in _plan(seen).steps()}


def _live(**facts: Any) -> tuple[LivePolicy, ...]:  # noqa: ANN401 - fields of LivePolicy
    """Give both policies in place, the denial with these facts."""
    return (LIVE_DNS, live_from(WANTED[DENY], **facts))


_OPEN = "0" * 32
_OTHER_OWNER = (Owner("gone", "uid-of-gone"),)

# sentence: what is seen, and the steps
TABLE: dict[str, tuple[View, Steps]] = {
    "what is in place needs nothing": (view(TEAM, live=IN_PLACE), {}),
    "what is missing is created": (view(TEAM), {DENY: (Create, Why.WANTED), DNS: (Create, Why.WANTED)}),
    "what somebody deleted is created again, as drift": (
        view(TEAM, live=[LIVE_DNS], lost={DENY}),
        {DENY: (Create, Why.DELETED)},
    ),
    "what was lost and is not wanted any more is not missed": (view(TEAM, live=IN_PLACE, lost={"team.x"}), {}),
    "a spec that was changed is repaired": (
        view(TEAM, live=_live(digest=_OPEN, foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a spec that was changed while we were away is repaired, as drift": (
        view(TEAM, live=_live(digest=_OPEN)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a spec that was changed together with its hash is drift where it was watched": (
        view(TEAM, live=_live(digest=_OPEN, hash=rendering_hash(_OPEN), foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "our own older spec is brought up to date": (
        view(TEAM, live=_live(digest=_OPEN, hash=rendering_hash(_OPEN))),
        {DENY: (Update, Why.OUTDATED)},
    ),
    "the work of an older version of us is brought up to date": (
        view(TEAM, live=_live(hash=f"0-{WANTED[DENY].digest}")),
        {DENY: (Update, Why.OUTDATED)},
    ),
    "an older description is brought up to date": (
        view(TEAM, live=_live(description="Denies it all.")),
        {DENY: (Update, Why.OUTDATED)},
    ),
    "a label that was stripped is drift": (
        view(TEAM, live=_live(managed_by=None, foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a label that was stripped while we were away is drift": (
        view(TEAM, live=_live(isolation=None)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a label that was changed is drift": (
        view(TEAM, live=_live(managed_by="helm", foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "an annotation that was stripped is drift": (
        view(TEAM, live=_live(hash=None)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "an ownerReference that was stripped is drift": (
        view(TEAM, live=_live(owners=(), foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "an ownerReference that was bent is drift": (
        view(TEAM, live=_live(owners=(Owner("team", "uid-of-team", plain=False),))),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "an isolation made anew takes its policies over without drift": (
        view(TEAM, live=_live(owners=(Owner("team", "an-older-uid"),))),
        {DENY: (Update, Why.OUTDATED)},
    ),
    "all marks stripped from a policy of ours is drift": (
        view(TEAM, live=_live(owners=(), managed_by=None, isolation=None, hash=None, foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "somebody else's policy with only our prefix stays": (view(TEAM, live=(*IN_PLACE, stranger("team.x"))), {}),
    "somebody else's policy of a wanted name is taken over": (
        view(TEAM, live=(LIVE_DNS, stranger(DENY))),
        {DENY: (Update, Why.TAKEN_OVER)},
    ),
    "a policy that its isolation no longer wants is removed": (
        view(isolation(dns={"enabled": False}), live=IN_PLACE),
        {DNS: (Delete, Why.UNWANTED)},
    ),
    "a policy with our labels that no isolation wants is removed, as drift": (
        view(TEAM, live=(*IN_PLACE, live_from(policy("team.more"), foreign=True))),
        {"team.more": (Delete, Why.EXTRA)},
    ),
    "a policy with a generated name that no isolation wants is removed, as drift": (
        view(TEAM, live=(*IN_PLACE, stranger("team.allow-all-ingress"))),
        {"team.allow-all-ingress": (Delete, Why.EXTRA)},
    ),
    "a policy that is not ours stays": (view(TEAM, live=(*IN_PLACE, stranger("default-deny-all"))), {}),
    "the policies of an isolation that no longer selects the namespace are removed": (
        view(others=[TEAM], live=IN_PLACE),
        {DENY: (Delete, Why.UNWANTED), DNS: (Delete, Why.UNWANTED)},
    ),
    "the policies of an isolation that is deleted are removed": (
        view(isolation(deleting=True), live=IN_PLACE),
        {DENY: (Delete, Why.UNWANTED), DNS: (Delete, Why.UNWANTED)},
    ),
    "a changed policy of an isolation that is deleted is removed without drift": (
        view(isolation(deleting=True), live=[live_from(WANTED[DENY], digest=_OPEN, foreign=True)]),
        {DENY: (Delete, Why.UNWANTED)},
    ),
    "a policy whose ownerReference names an isolation that is gone is removed": (
        view(TEAM, live=(*IN_PLACE, live_from(policy("gone.default-deny-all")))),
        {"gone.default-deny-all": (Delete, Why.UNWANTED)},
    ),
    "a retained policy stays": (
        view(TEAM, live=(*IN_PLACE, live_from(policy("gone.default-deny-all", owner=False)))),
        {},
    ),
    "a retained policy is taken over when its isolation comes back": (
        view(TEAM, live=_live(owners=())),
        {DENY: (Update, Why.OUTDATED)},
    ),
    "an isolation that is retained gives up its ownerReferences": (
        view(isolation(deleting=True, deletionPolicy="Retain"), live=IN_PLACE),
        {DENY: (Update, Why.OUTDATED), DNS: (Update, Why.OUTDATED)},
    ),
    "a frozen isolation's policies are left alone": (
        view(frozen(), live=_live(digest=_OPEN, foreign=True)),
        {},
    ),
    "nothing is added for a frozen isolation": (view(frozen(), live=[LIVE_DNS], lost={DENY}), {}),
    "a frozen isolation that is deleted takes its policies along": (
        view(frozen(deleting=True), live=IN_PLACE),
        {DENY: (Delete, Why.UNWANTED), DNS: (Delete, Why.UNWANTED)},
    ),
    "a frozen isolation that is deleted and retained releases its policies": (
        view(frozen(deleting=True, deletionPolicy="Retain"), live=IN_PLACE),
        {DENY: (Release, Why.UNWANTED), DNS: (Release, Why.UNWANTED)},
    ),
    "a frozen isolation that is deleted and retained leaves what it has released": (
        view(frozen(deleting=True, deletionPolicy="Retain"), live=[structs.replace(LIVE_DENY, owners=())]),
        {},
    ),
    "a frozen isolation that is retained and stays releases nothing": (
        view(frozen(deletionPolicy="Retain"), live=IN_PLACE),
        {},
    ),
    "a frozen isolation does not hold up its neighbour": (
        view(frozen("b"), TEAM, live=[live_from(policy("b.default-deny-all"))]),
        {DENY: (Create, Why.WANTED), DNS: (Create, Why.WANTED)},
    ),
    "a frozen isolation's policy with an owner that is gone is left alone": (
        view(frozen(), live=_live(owners=_OTHER_OWNER)),
        {},
    ),
    "an unwanted policy that a finalizer holds is waited for": (
        view(isolation(dns={"enabled": False}), live=(structs.replace(LIVE_DNS, ending=True), LIVE_DENY)),
        {DNS: (Wait, Why.UNWANTED)},
    ),
    "a wanted policy that is being deleted is waited for while it is as it should be": (
        view(TEAM, live=_live(ending=True)),
        {DENY: (Wait, Why.DELETED)},
    ),
    "a policy that is back without a mark after ours was lost is drift": (
        view(TEAM, live=_live(managed_by=None, isolation=None, hash=None, owners=()), lost={DENY}),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a wanted policy that is being deleted and is open is closed": (
        view(TEAM, live=_live(ending=True, digest=_OPEN, foreign=True)),
        {DENY: (Update, Why.MODIFIED)},
    ),
    "a namespace that is being deleted is left alone": (view(TEAM, ending=True), {}),
    "a namespace that is being deleted keeps what nobody wants": (view(others=[TEAM], live=IN_PLACE, ending=True), {}),
    "a namespace that is gone is left alone": (view(TEAM, live=[LIVE_DNS], gone=True), {}),
}


@pytest.mark.parametrize(("seen", "steps"), TABLE.values(), ids=TABLE.keys())
def test_the_plan(seen: View, steps: Steps) -> None:
    """Each sentence of the table holds."""
    assert _steps(seen) == steps


def test_what_is_as_it_should_be_is_kept_by_isolation() -> None:
    """The status counts what is in place; what is being deleted is not in place for good."""
    assert set(_plan(view(TEAM, live=IN_PLACE)).kept) == {("team", DENY), ("team", DNS)}
    assert _plan(view(TEAM, live=_live(ending=True))).kept == (("team", DNS),)
    assert _plan(view(TEAM)).kept == ()
    assert _plan(view(TEAM, gone=True)).kept == ()


def test_a_deletion_names_the_isolation_that_it_is_done_for() -> None:
    """The claim of an isolation that is there counts more than that of one that is gone."""
    live = live_from(policy("team.more"), owners=_OTHER_OWNER)
    (step,) = _plan(view(TEAM, live=(*IN_PLACE, live))).steps()
    assert step.isolation == "team"
    orphan = live_from(policy("gone.default-deny-all"))
    (step,) = _plan(view(TEAM, live=(*IN_PLACE, orphan))).steps()
    assert step.isolation == "gone"


@pytest.mark.parametrize("why", Why)
def test_only_what_somebody_else_did_is_drift(why: Why) -> None:
    """Modified, Deleted and Extra; everything else is our own work."""
    assert why.is_drift == (why in {Why.MODIFIED, Why.DELETED, Why.EXTRA})


def test_a_deletion_keeps_flows_where_the_pods_are_not_isolated_afterwards() -> None:
    """An entry that is taken out of a resource that still denies is to be cut; one of a resource that goes is not."""
    web = {"name": "web", "to": [{"podSelector": {"matchLabels": {"app": "api"}}}]}
    before = isolation(allow=[web])
    live = [live_from(each) for each in desired_in(view(before)).values()]
    edited = [step for step in _plan(view(isolation(generation=2), live=live)).steps() if isinstance(step, Delete)]
    gone = [step for step in _plan(view(isolation(deleting=True), live=live)).steps() if isinstance(step, Delete)]
    assert {step.keeps_flows for step in edited} == {False}
    assert {step.keeps_flows for step in gone} == {True}

"""Policies of others where an isolation asks to remove them: which go, which stay, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.unmanaged import unmanaged_in
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Delete, Step, Wait, Why
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.view import View
from tests.support.objects import audited, desired_in, frozen, isolation, live_from, policy, stranger, view

Json = dict[str, Any]

OPEN: Json = {"ingress": [{}]}
OPEN_BOTH: Json = {"ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}
OPEN_ONE_DENY_OTHER: Json = {"ingress": [{}], "policyTypes": ["Ingress", "Egress"]}
_OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x", "uid": "u"}
_NSISO = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": "gone", "uid": "uid-of-gone"}
_ENDING: Json = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}


def _removing(name: str = "team", *deny: str, **facts: Any) -> Isolation:  # noqa: ANN401 - as of `isolation`
    if deny:
        facts["defaultDeny"] = list(deny)
    return isolation(name, unmanagedPolicies="Remove", **facts)


def _removals(seen: View) -> dict[str, str]:
    """Give the policies that go, and the isolations that ask for it."""
    steps = compare(desired_in(seen), seen).steps()
    return {step.name: step.isolation for step in steps if step.why is Why.UNMANAGED}


def _kept(seen: View, found: Isolation) -> str | None:
    (named,) = unmanaged_in(seen, found, desired_in(seen).keys())
    return named.kept


# sentence: the policy of somebody else, and why it is kept; empty where it goes
_ONE: dict[str, tuple[LivePolicy, str]] = {
    "what lets everybody in goes": (stranger("raw"), ""),
    "what lets some pods in goes": (stranger("raw", {"ingress": [{"from": [{"podSelector": {}}]}]}), ""),
    "what opens both directions goes": (stranger("raw", OPEN_BOTH), ""),
    "what opens one direction and denies the other goes": (stranger("raw", OPEN_ONE_DENY_OTHER), ""),
    "what another object owns, but does not control, goes": (stranger("raw", ownerReferences=[_OWNER]), ""),
    "what Helm installed goes": (stranger("raw", labels={"app.kubernetes.io/managed-by": "Helm"}), ""),
    "what another operator controls is kept": (
        stranger("raw", ownerReferences=[{**_OWNER, "controller": True}]),
        "another controller owns it",
    ),
    "what was retained when its isolation went is kept": (
        live_from(policy("gone.allow-x-ingress", OPEN, owner=False)),
        "it bears the labels of an isolation that does not exist: retained, or forged",
    ),
}


@pytest.mark.parametrize(("live", "kept"), _ONE.values(), ids=_ONE.keys())
def test_what_goes_and_what_is_kept_though_it_widens(live: LivePolicy, kept: str) -> None:
    """Where both directions are denied; what is kept is told with the reason."""
    team = _removing()
    seen = view(team, live=[live])
    assert _removals(seen) == ({} if kept else {live.name: "team"})
    assert _kept(seen, team) == (kept or None)


# sentence: the policy; it is no finding at all, and stays
_NONE: dict[str, LivePolicy] = {
    "what denies": stranger("raw", {"policyTypes": ["Ingress", "Egress"]}),
    "what is desired": stranger("team.default-deny-all"),
    "what belongs to an isolation that is not accepted": live_from(policy("frozen.allow-x-ingress", OPEN)),
    "a verbatim policy of one that is not accepted": live_from(policy("frozen.x", OPEN)),
    "what belongs to an isolation in Audit": live_from(policy("audited.allow-x-ingress", OPEN)),
    "a verbatim policy of one in Audit": live_from(policy("audited.x", OPEN, owner=False)),
    "what has the name of one in Audit": stranger("audited.default-deny-all"),
}


@pytest.mark.parametrize("live", _NONE.values(), ids=_NONE.keys())
def test_what_does_not_widen_or_is_claimed_stays(live: LivePolicy) -> None:
    """An isolation that acts for nothing itself has its policies all the same."""
    seen = view(_removing(), frozen("frozen"), audited("audited"), live=[live])
    assert _removals(seen) == {}


_STANDING = "it is, or claims to be, of an isolation that is in Audit or not accepted"
_LEGACY = [{"name": "legacy", "spec": OPEN}]

# sentence: the isolation that bears the prefix of a policy without any mark, and whether that one is kept for its name
_BARE: dict[str, tuple[Isolation, bool]] = {
    "a verbatim policy of one in Audit": (audited("b", policies=_LEGACY), True),
    "a policy of one in Audit that does not name it": (audited("b"), False),
    "any policy of one that is not accepted: nobody knows its names": (frozen("b"), True),
    "a policy of one that is enforced and does not name it": (isolation("b"), False),
    "a policy of one that leaves": (isolation("b", policies=_LEGACY, deleting=True), False),
}


@pytest.mark.parametrize(("found", "kept"), _BARE.values(), ids=_BARE.keys())
def test_what_lost_every_mark_is_kept_for_its_name(found: Isolation, *, kept: bool) -> None:
    """Nobody repairs it meanwhile, so it may look like a stranger's."""
    team = _removing()
    seen = view(team, found, live=[stranger("b.legacy", OPEN)])
    assert _removals(seen) == ({} if kept else {"b.legacy": "team"})
    assert _kept(seen, team) == (_STANDING if kept else None)


# sentence: a policy that widens, and that claims an isolation that nothing is done for
_HIDING: dict[str, LivePolicy] = {
    "made under a generated name": stranger("b.allow-x-ingress", OPEN),
    "bearing both labels": stranger(
        "anything", OPEN, labels={"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "b"}
    ),
    "left in place, and opened since": live_from(policy("b.allow-x-ingress", OPEN), digest="0"),
}


@pytest.mark.parametrize("elsewhere", [False, True], ids=["governs here", "governs elsewhere"])
@pytest.mark.parametrize("standing", [frozen("b"), audited("b")], ids=["not accepted", "in Audit"])
@pytest.mark.parametrize("live", _HIDING.values(), ids=_HIDING.keys())
def test_nothing_hides_behind_an_isolation_that_stands_still(
    live: LivePolicy, standing: Isolation, *, elsewhere: bool
) -> None:
    """Nobody repairs or removes it, so who is enforced names it, and keeps it."""
    team = _removing()
    seen = view(team, others=[standing], live=[live]) if elsewhere else view(team, standing, live=[live])
    assert _removals(seen) == {}
    assert _kept(seen, team) == _STANDING


@pytest.mark.parametrize("standing", [frozen("b"), audited("b")], ids=["not accepted", "in Audit"])
def test_what_was_left_in_place_as_we_wrote_it_hides_nothing(standing: Isolation) -> None:
    """It is what the other isolation allowed, and policies add up; where that one selects nothing it is a stranger."""
    team, live = _removing(), live_from(policy("b.allow-x-ingress", OPEN))
    assert unmanaged_in(view(team, standing, live=[live]), team, ()) == ()
    elsewhere = unmanaged_in(view(team, others=[standing], live=[live]), team, ())
    assert [each.policy for each in elsewhere] == ([live.name] if standing.spec else [])


# sentence: what the isolation denies, the policy, and whether it goes, and which direction keeps it otherwise
_DIRECTIONS: dict[str, tuple[tuple[str, ...], Json, bool, str]] = {
    "ingress is denied and widened": (("Ingress",), OPEN, True, ""),
    "egress is denied and widened": (("Egress",), {"egress": [{}], "policyTypes": ["Egress"]}, True, ""),
    "ingress is widened, egress only isolated by it": (("Ingress",), OPEN_ONE_DENY_OTHER, False, "Egress"),
    "ingress is widened, egress allowed by it": (("Ingress",), OPEN_BOTH, False, "Egress"),
    "egress is widened, ingress allowed by it": (("Egress",), OPEN_BOTH, False, "Ingress"),
}


@pytest.mark.parametrize(("denied", "spec", "goes", "direction"), _DIRECTIONS.values(), ids=_DIRECTIONS.keys())
def test_what_isolates_where_nothing_else_does_is_kept(
    denied: tuple[str, ...], spec: Json, *, goes: bool, direction: str
) -> None:
    """To remove it would open its pods in that direction."""
    team = _removing("team", *denied)
    seen = view(team, live=[stranger("raw", spec)])
    assert _removals(seen) == ({"raw": "team"} if goes else {})
    assert _kept(seen, team) == (None if goes else f"it isolates pods for {direction}, which nothing else denies there")


_RAW_BOTH = stranger("raw", OPEN_BOTH)
_INGRESS = _removing("a", "Ingress")

# sentence: the isolations, and who removes the policy that opens both directions, if it goes
_SEVERAL: dict[str, tuple[tuple[Isolation, ...], str]] = {
    "Report beside Remove": ((isolation("b"), _removing("a")), "a"),
    "Ignore beside Remove": ((isolation("b", unmanagedPolicies="Ignore"), _removing("a")), "a"),
    "Report alone": ((isolation("b"),), ""),
    "Ignore alone": ((isolation("b", unmanagedPolicies="Ignore"),), ""),
    "two that remove: the first of them": ((_removing("a"), _removing("b")), "a"),
    "one that removes and one that denies the other direction": (
        (_INGRESS, isolation("b", defaultDeny=["Egress"])),
        "a",
    ),
    "one that removes, and the other direction is denied only in Audit": (
        (_INGRESS, audited("b", defaultDeny=["Egress"])),
        "",
    ),
    "one that removes, and the other direction is denied by one that leaves": (
        (_INGRESS, isolation("b", defaultDeny=["Egress"], deleting=True)),
        "",
    ),
    "one that removes, and the other direction is denied by one that goes and is retained": (
        (_INGRESS, isolation("b", defaultDeny=["Egress"], deleting=True, deletionPolicy="Retain")),
        "",
    ),
    "one that removes, and the other direction is denied by nobody": ((_INGRESS, isolation("b", defaultDeny=[])), ""),
    "one that removes in Audit": ((audited("a", unmanagedPolicies="Remove"), isolation("b")), ""),
    "one that removes and denies nothing": (
        (isolation("a", defaultDeny=[], unmanagedPolicies="Remove"), isolation("b")),
        "",
    ),
    "one that removes and leaves": ((_removing("a", deleting=True), isolation("b")), ""),
}


@pytest.mark.parametrize(("isolations", "asking"), _SEVERAL.values(), ids=_SEVERAL.keys())
def test_of_several_isolations_one_asks_and_all_protect(isolations: tuple[Isolation, ...], asking: str) -> None:
    """One that asks is enough; what is denied is what all that are enforced deny together."""
    assert _removals(view(*isolations, live=[_RAW_BOTH])) == ({"raw": asking} if asking else {})


def test_one_that_does_not_select_the_namespace_removes_nothing_there() -> None:
    """Whatever it asks for elsewhere."""
    assert _removals(view(isolation("b"), others=[_removing("a")], live=[_RAW_BOTH])) == {}


def test_audit_tells_what_remove_would_take() -> None:
    """The rehearsal plans it, and its own finding says why another one would be kept."""
    found = audited("a", unmanagedPolicies="Remove", defaultDeny=["Ingress"])
    rehearsal = replace(view(found, live=[stranger("raw"), stranger("two", OPEN_BOTH)]), rehearsal=True)
    assert _removals(rehearsal) == {"raw": "a"}
    named = unmanaged_in(rehearsal, found, desired_in(rehearsal).keys())
    assert {each.policy: each.kept is None for each in named} == {"raw": True, "two": False}


def _steps(*live: LivePolicy) -> Iterable[Step]:
    seen = view(_removing(), live=live)
    return (step for step in compare(desired_in(seen), seen).steps() if step.why is Why.UNMANAGED)


def test_it_goes_last_and_cuts_what_it_allowed() -> None:
    """After everything that replaces what it isolated is in place."""
    seen = view(_removing(), live=[stranger("raw")])
    *_, last = compare(desired_in(seen), seen).phases
    (step,) = last
    assert isinstance(step, Delete)
    assert (step.name, step.keeps_flows) == ("raw", False)


def test_one_that_was_deleted_and_is_held_is_waited_for() -> None:
    """It still works: that can only be told."""
    (step,) = _steps(stranger("raw", **_ENDING))
    assert isinstance(step, Wait)
    assert not step.wanted


def test_what_an_isolation_that_is_gone_owned_goes_as_its_own() -> None:
    """It is no policy of somebody else, and needs nobody who asks."""
    seen = view(isolation(), live=[stranger("raw", ownerReferences=[_NSISO])])
    assert [(step.name, step.why) for step in compare(desired_in(seen), seen).steps() if isinstance(step, Delete)] == [
        ("raw", Why.EXTRA)
    ]

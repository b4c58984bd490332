"""Which policies one namespace should have, from all isolations that select it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.view import View
from tests.support.objects import desired_in, frozen, isolation, live_from, policy, view

DENY = "team.default-deny-all"
DNS = "team.allow-dns-egress"


def _names(seen: View) -> set[str]:
    return set(desired_in(seen))


def test_an_isolation_yields_its_policies() -> None:
    """The plain case."""
    assert _names(view(isolation())) == {DENY, DNS}


def test_no_isolation_yields_nothing() -> None:
    """A namespace that nobody selects needs no policy."""
    assert _names(view(others=[isolation()])) == set()


@pytest.mark.parametrize("seen", [view(isolation(), ending=True), view(isolation(), gone=True)], ids=["ending", "gone"])
def test_a_namespace_that_goes_needs_nothing(seen: View) -> None:
    """Whoever governs it: what is in it goes with it."""
    assert _names(seen) == set()


def test_an_isolation_that_leaves_wants_nothing() -> None:
    """A deleted isolation yields no policy, and its neighbour keeps its own."""
    assert _names(view(isolation(deleting=True))) == set()
    assert _names(view(isolation(deleting=True), isolation("other"))) == {
        "other.default-deny-all",
        "other.allow-dns-egress",
    }


def test_an_isolation_that_is_retained_still_wants_its_policies_without_owner() -> None:
    """Both deletionPolicy Retain and `--cascade=orphan` keep the policies; only the ownerReferences go."""
    for found in (isolation(deleting=True, deletionPolicy="Retain"), isolation(deleting=True, finalizers=["orphan"])):
        desired = desired_in(view(found, live=[live_from(policy(DENY))]))
        assert set(desired) == {DENY, DNS}
        assert {each.owner for each in desired.values()} == {None}


def test_an_isolation_that_goes_and_is_retained_begins_nothing_where_it_was_not() -> None:
    """Neither its own policies, nor another one's dns on the strength of a denial that is not to come."""
    going = isolation("other", deleting=True, deletionPolicy="Retain")
    assert _names(view(going)) == set()
    assert "team.allow-dns-egress" not in _names(view(isolation(defaultDeny=["Ingress"]), going))


def test_an_isolation_that_goes_and_is_retained_is_brought_to_its_last_spec_where_it_was() -> None:
    """It may have been edited just before: what is replaced is not only taken away."""
    going = isolation(deleting=True, deletionPolicy="Retain")
    assert _names(view(going, live=[live_from(policy("team.default-deny-ingress"))])) == {DENY, DNS}


def test_an_isolation_that_is_not_accepted_wants_nothing_new() -> None:
    """What is in place is left alone, and nothing is added."""
    assert _names(view(frozen())) == set()


# sentence: the isolations, what is live, and whose DNS policies are wanted
_DNS: dict[str, tuple[tuple[Isolation, ...], tuple[LivePolicy, ...], set[str]]] = {
    "denied egress brings DNS": ((isolation(),), (), {"team"}),
    "denied egress alone brings DNS": ((isolation(defaultDeny=["Egress"]),), (), {"team"}),
    "denied ingress alone does not": ((isolation(defaultDeny=["Ingress"]),), (), set()),
    "no denial does not": ((isolation(defaultDeny=[]),), (), set()),
    "DNS turned off stays off": ((isolation(dns={"enabled": False}),), (), set()),
    "a neighbour that denies egress brings it for all who want it": (
        (isolation(defaultDeny=[]), isolation("deny", dns={"enabled": False})),
        (),
        {"team"},
    ),
    "a neighbour that denies ingress does not": (
        (isolation(defaultDeny=[]), isolation("b", defaultDeny=["Ingress"])),
        (),
        set(),
    ),
    "two that deny bring two": ((isolation(), isolation("b")), (), {"team", "b"}),
    "a neighbour that leaves denies nothing": ((isolation(defaultDeny=[]), isolation("b", deleting=True)), (), set()),
    "a neighbour that is not accepted and has its denial in place does": (
        (isolation(defaultDeny=[]), frozen("b")),
        (live_from(policy("b.default-deny-all")),),
        {"team"},
    ),
    "a neighbour that is not accepted and denies only egress does": (
        (isolation(defaultDeny=[]), frozen("b")),
        (live_from(policy("b.default-deny-egress")),),
        {"team"},
    ),
    "a neighbour that is not accepted and denies only ingress does not": (
        (isolation(defaultDeny=[]), frozen("b")),
        (live_from(policy("b.default-deny-ingress")),),
        set(),
    ),
    "a neighbour that is gone and left its denial behind does": (
        (isolation(defaultDeny=[]),),
        (live_from(policy("b.default-deny-all", owner=False)),),
        {"team"},
    ),
    "a neighbour that is gone and whose denial goes, too, does not": (
        (isolation(defaultDeny=[]),),
        (live_from(policy("b.default-deny-all")),),
        set(),
    ),
    "a raw policy that is called like a denial does not": (
        (isolation(defaultDeny=[]),),
        (live_from(policy("b.default-deny-all"), owners=(), managed_by=None, isolation=None, hash=None),),
        set(),
    ),
    "a neighbour that leaves and whose denial is still there does not": (
        (isolation(defaultDeny=[]), isolation("b", deleting=True)),
        (live_from(policy("b.default-deny-all")),),
        set(),
    ),
    "a neighbour that is not accepted and has nothing in place does not": (
        (isolation(defaultDeny=[]), frozen("b")),
        (),
        set(),
    ),
}


@pytest.mark.parametrize(("isolations", "live", "wanted"), _DNS.values(), ids=_DNS.keys())
def test_dns_is_allowed_where_egress_is_denied(
    isolations: tuple[Isolation, ...], live: tuple[LivePolicy, ...], wanted: set[str]
) -> None:
    """allow-dns-egress isolates by itself: it comes only where something denies egress by default."""
    names = _names(view(*isolations, live=live))
    assert {name.partition(".")[0] for name in names if name.endswith(".allow-dns-egress")} == wanted


def test_several_isolations_add_up() -> None:
    """Each has policies of its own; none shadows another's."""
    entry = {"name": "web", "from": [{"podSelector": {}}]}
    names = _names(view(isolation("a", allow=[entry]), isolation("b", allow=[entry])))
    assert {name for name in names if "web" in name} == {
        f"{each}.allow-web-{way}" for each in "ab" for way in ("ingress", "egress")
    }


def test_an_isolation_is_rendered_once_per_intent() -> None:
    """News that change no intent (a status, a label) give the very same policies; a new generation gives new ones."""
    renderings = Renderings()
    first = decide(view(isolation()), renderings)
    again = decide(view(replace(isolation(), resource_version=99)), renderings)
    assert all(again[name] is first[name] for name in first)
    assert decide(view(isolation(generation=2)), renderings)[DENY] is not first[DENY]


@pytest.mark.parametrize(
    "other",
    [
        isolation(uid="made-anew"),
        isolation(deleting=True, deletionPolicy="Retain"),
        isolation(generation=2, defaultDeny=["Ingress"]),
        isolation(deleting=True),
        isolation(deletionPolicy="Retain", generation=1),
    ],
    ids=["made anew", "retained", "another spec", "deleted", "retained later"],
)
def test_another_intent_is_rendered_anew(other: Isolation) -> None:
    """What was remembered never outlives what it was made of."""
    renderings = Renderings()
    decide(view(isolation()), renderings)
    assert decide(view(other), renderings) == desired_in(view(other))


def test_a_forgotten_isolation_is_rendered_anew() -> None:
    """Nothing is kept of an isolation that is gone."""
    renderings = Renderings()
    first = decide(view(isolation()), renderings)
    renderings.forget("team")
    renderings.forget("never-known")
    assert decide(view(isolation()), renderings)[DENY] is not first[DENY]

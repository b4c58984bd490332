"""Which policies a namespace should have where some isolations are enforced, some audited, some not accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.view import View
from tests.support.objects import audited, desired_in, frozen, isolation, live_from, policy, view
from tests.support.strategies import specs

Json = dict[str, Any]

_BOTH = ("allow-dns-egress", "default-deny-all")


def _rehearsal(seen: View) -> View:
    return replace(seen, rehearsal=True)


def _policies(*isolations: str) -> set[str]:
    return {f"{each}.{name}" for each in isolations for name in _BOTH}


# sentence: the isolations, what is desired, and what is desired in a rehearsal
_TABLE: dict[str, tuple[tuple[Isolation, ...], set[str], set[str]]] = {
    "an audited one desires nothing": ((audited("a"),), set(), _policies("a")),
    "an enforced one beside it desires its own": (
        (audited("a"), isolation("e")),
        _policies("e"),
        _policies("a", "e"),
    ),
    "several audited ones are rehearsed together": (
        (audited("a"), audited("b"), frozen("f")),
        set(),
        _policies("a", "b"),
    ),
    "one that is not accepted is not rehearsed": ((frozen("f"), isolation("e")), _policies("e"), _policies("e")),
    "one in Audit that leaves is not rehearsed": ((audited("a", deleting=True),), set(), set()),
    "one in Audit that goes and leaves its policies begins nothing": (
        (audited("a", deleting=True, deletionPolicy="Retain"),),
        set(),
        set(),
    ),
}


@pytest.mark.parametrize(("isolations", "wanted", "rehearsed"), _TABLE.values(), ids=_TABLE.keys())
def test_what_is_desired(isolations: tuple[Isolation, ...], wanted: set[str], rehearsed: set[str]) -> None:
    """Each sentence of the table holds."""
    seen = view(*isolations)
    assert set(desired_in(seen)) == wanted
    assert set(desired_in(_rehearsal(seen))) == rehearsed


_OPEN = isolation("e", defaultDeny=[])
_DENIAL = (live_from(policy("a.default-deny-all")),)
_DENIED_INGRESS = (live_from(policy("a.default-deny-ingress")),)

# sentence: the isolation beside e, which allows DNS and denies nothing; what is live; whether e's DNS is desired, now
# and in a rehearsal
_DNS: dict[str, tuple[Isolation, tuple[LivePolicy, ...], bool, bool]] = {
    "a denial that is only audited brings no DNS": (audited("a"), (), False, True),
    "a denial that an audited one left in place does": (audited("a"), _DENIAL, True, True),
    "a denial of ingress that an audited one left in place does not": (
        audited("a", defaultDeny=["Ingress"]),
        _DENIED_INGRESS,
        False,
        False,
    ),
    "a denial in place that an audited one would remove brings it until then": (
        audited("a", defaultDeny=[]),
        _DENIAL,
        True,
        False,
    ),
    "a denial that an audited one leaves as it goes does not": (audited("a", deleting=True), _DENIAL, False, False),
    "a denial in place of one that is not accepted does": (frozen("a"), _DENIAL, True, True),
    "a denial that is enforced does": (isolation("a"), (), True, True),
}


@pytest.mark.parametrize(("beside", "live", "now", "rehearsed"), _DNS.values(), ids=_DNS.keys())
def test_dns_follows_denials_that_are_in_place_or_to_be(
    beside: Isolation, live: tuple[LivePolicy, ...], *, now: bool, rehearsed: bool
) -> None:
    """It isolates by itself, so a denial that nobody enforces must not bring it."""
    seen = view(_OPEN, beside, live=live)
    assert ("e.allow-dns-egress" in desired_in(seen)) is now
    assert ("e.allow-dns-egress" in desired_in(_rehearsal(seen))) is rehearsed


@pytest.mark.parametrize(
    ("found", "stance", "rehearsed"),
    [
        (isolation(), Stance.WANTED, Stance.WANTED),
        (audited(), Stance.AUDIT, Stance.WANTED),
        (frozen(), Stance.FROZEN, Stance.FROZEN),
        (audited(deleting=True), Stance.LEAVING, Stance.LEAVING),
        (isolation(deleting=True), Stance.LEAVING, Stance.LEAVING),
    ],
    ids=["Enforce", "Audit", "not accepted", "Audit, but leaving", "leaving"],
)
def test_a_rehearsal_takes_audit_for_enforce_and_nothing_else(
    found: Isolation, stance: Stance, rehearsed: Stance
) -> None:
    """Only what may be asked of the operator by changing one word."""
    assert view(found).stance_of(found) is stance
    assert _rehearsal(view(found)).stance_of(found) is rehearsed


@given(one=specs(), other=st.none() | specs(), live=st.booleans())
def test_a_rehearsal_desires_exactly_what_enforcing_would(one: Json, other: Json | None, live: bool) -> None:  # noqa: FBT001
    """Whatever the neighbour, and whatever is left in place."""
    beside = [] if other is None else [isolation("b", **other)]
    left = _DENIAL if live else ()
    rehearsed = desired_in(_rehearsal(view(audited("a", **one), *beside, live=left)))
    assert rehearsed == desired_in(view(isolation("a", **one), *beside, live=left))


def test_audit_and_enforce_are_rendered_alike() -> None:
    """What was rendered for the rehearsal is what is written afterwards, though another generation is rendered anew."""
    renderings = Renderings()
    before = decide(_rehearsal(view(audited())), renderings)
    assert decide(view(isolation(generation=2)), renderings) == before

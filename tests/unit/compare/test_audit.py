"""Desired against live where one isolation is enforced, one audited, one not accepted: each acts for itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from msgspec import structs

from namespace_isolation.compare.compare import compare
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Create, Delete, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import LivePolicy, Owner
from namespace_isolation.model.view import View
from tests.support.objects import audited, desired_in, frozen, isolation, live_from, policy, stranger, view

ALL = (isolation("e"), audited("a"), frozen("f"))
ENFORCED = (isolation("e"), isolation("a"), frozen("f"))
_NAMES = tuple(f"{each}.{name}" for each in "eaf" for name in ("default-deny-all", "allow-dns-egress"))
WANTED = desired_in(view(isolation("e"), isolation("a"), isolation("f")))
IN_PLACE = {name: live_from(WANTED[name]) for name in _NAMES}

Steps = dict[str, tuple[type[Step], Why]]


def _steps(seen: View) -> Steps:
    return {step.name: (type(step), step.why) for step in compare(desired_in(seen), seen).steps()}


def _mine(steps: Steps, isolation_: str) -> dict[str, tuple[type[Step], Why]]:
    return {name.partition(".")[2]: step for name, step in steps.items() if name.startswith(f"{isolation_}.")}


def _each(suffix: str, **facts: object) -> Iterable[LivePolicy]:
    """Give everything in place, but of each isolation one policy with these facts."""
    return [structs.replace(live, **facts) if name.endswith(suffix) else live for name, live in IN_PLACE.items()]


def _more(name: str) -> Iterable[LivePolicy]:
    """Give everything in place, and one policy more of each isolation."""
    return [*IN_PLACE.values(), *(live_from(policy(f"{each}.{name}"), foreign=True) for each in "eaf")]


_DENY = "default-deny-all"

# sentence: what is live, what was lost, and the steps for the policies of an isolation that is enforced
_TABLE: dict[str, tuple[Iterable[LivePolicy], Iterable[str], Steps]] = {
    "all is in place": (IN_PLACE.values(), (), {}),
    "nothing is in place": ((), (), {_DENY: (Create, Why.WANTED), "allow-dns-egress": (Create, Why.WANTED)}),
    "a denial was deleted": (
        [live for name, live in IN_PLACE.items() if _DENY not in name],
        [name for name in _NAMES if _DENY in name],
        {_DENY: (Create, Why.DELETED)},
    ),
    "a denial was opened": (_each(_DENY, digest="0", foreign=True), (), {_DENY: (Update, Why.MODIFIED)}),
    "a label was stripped": (_each(_DENY, managed_by=None, foreign=True), (), {_DENY: (Update, Why.MODIFIED)}),
    "an owner was stripped": (_each(_DENY, owners=(), foreign=True), (), {_DENY: (Update, Why.MODIFIED)}),
    "there is one more": (_more("more"), (), {"more": (Delete, Why.EXTRA)}),
    "a denial is being deleted": (_each(_DENY, ending=True), (), {_DENY: (Wait, Why.DELETED)}),
    "somebody made a policy of a reserved name": (
        [stranger(name) if _DENY in name else live for name, live in IN_PLACE.items()],
        (),
        {_DENY: (Update, Why.TAKEN_OVER)},
    ),
}


@pytest.mark.parametrize(("live", "lost", "steps"), _TABLE.values(), ids=_TABLE.keys())
def test_each_isolation_acts_for_its_own_policies(
    live: Iterable[LivePolicy], lost: Iterable[str], steps: Steps
) -> None:
    """Enforce does what is to be done, Audit and what is not accepted nothing; a rehearsal tells it for Audit."""
    seen = view(*ALL, live=live, lost=lost)
    now, rehearsed = _steps(seen), _steps(replace(seen, rehearsal=True))
    assert _mine(now, "e") == steps
    assert (_mine(now, "a"), _mine(now, "f")) == ({}, {})
    assert _mine(rehearsed, "a") == steps
    assert _mine(rehearsed, "e") == steps
    assert _mine(rehearsed, "f") == {}


@pytest.mark.parametrize(("live", "lost"), [row[:2] for row in _TABLE.values()], ids=_TABLE.keys())
def test_a_rehearsal_is_exactly_what_enforcing_would_be(live: Iterable[LivePolicy], lost: Iterable[str]) -> None:
    """The very plan: the same steps in the same phases, and the same policies kept."""
    rehearsal = replace(view(*ALL, live=live, lost=lost), rehearsal=True)
    enforced = view(*ENFORCED, live=live, lost=lost)
    assert compare(desired_in(rehearsal), rehearsal) == compare(desired_in(enforced), enforced)


def _plain(*isolations: Isolation, live: Iterable[LivePolicy], others: Iterable[Isolation] = ()) -> Steps:
    return _steps(view(*isolations, live=live, others=others))


_LIVE_A = [live for name, live in IN_PLACE.items() if name.startswith("a.")]

# sentence: the isolation in Audit, whether it governs the namespace, and what becomes of the policies that it has there
_LEFT: dict[str, tuple[Isolation, bool, tuple[type[Step], Why] | None]] = {
    "what Audit wants stays": (audited("a"), True, None),
    "what Audit does not want any more stays": (audited("a", defaultDeny=[], dns={"enabled": False}), True, None),
    "what Audit left in a namespace that it does not select stays": (audited("a"), False, None),
    "what Audit and Retain have stays": (audited("a", deletionPolicy="Retain"), True, None),
    "what Audit has goes with it": (audited("a", deleting=True), True, (Delete, Why.UNWANTED)),
    "what Audit and Retain have is released when it goes": (
        audited("a", deleting=True, deletionPolicy="Retain"),
        True,
        (Release, Why.UNWANTED),
    ),
}


@pytest.mark.parametrize(("found", "governs", "step"), _LEFT.values(), ids=_LEFT.keys())
def test_what_an_earlier_enforce_left(found: Isolation, *, governs: bool, step: tuple[type[Step], Why] | None) -> None:
    """Nothing is touched before the isolation goes."""
    steps = _plain(*([found] if governs else []), live=_LIVE_A, others=[found])
    assert steps == ({} if step is None else {live.name: step for live in _LIVE_A})


def test_a_policy_of_one_in_audit_that_bears_the_owner_of_one_that_is_gone_stays() -> None:
    """It is recognised by its labels."""
    live = live_from(WANTED["a.default-deny-all"], owners=(Owner("gone", "uid-of-gone"),))
    assert _plain(audited("a"), live=[live]) == {}


def test_an_isolation_that_is_made_anew_in_audit_leaves_what_its_predecessor_had() -> None:
    """The garbage collector takes it, unless Enforce comes first."""
    live = live_from(WANTED["a.default-deny-all"], owners=(Owner("a", "an-older-uid"),))
    assert _plain(audited("a"), live=[live]) == {}
    assert _plain(isolation("a", dns={"enabled": False}), live=[live]) == {"a.default-deny-all": (Update, Why.OUTDATED)}

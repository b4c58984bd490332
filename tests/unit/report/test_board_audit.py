"""Where an isolation in Audit stands: what is in place by what it would do, and that nothing was done."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.cluster import ApiError
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Result
from namespace_isolation.model.plan import Why
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.report.standing import Pending
from tests.support.boards import BoardFixture
from tests.support.objects import audited, desired_in, isolation, live_from, policy, stranger, view

Json = dict[str, Any]

DENY, DNS = "team.default-deny-all", "team.allow-dns-egress"
AUDITED = audited()
WANTED = desired_in(view(isolation()))
IN_PLACE = tuple(live_from(each) for each in WANTED.values())
OPENED = (live_from(WANTED[DENY], digest="0", foreign=True), live_from(WANTED[DNS]))
EXTRA = live_from(policy("team.more"), foreign=True)

Numbers = tuple[int, int, int, tuple[int, int, int] | None]

# sentence: what is live, what was lost; desired, in place, outstanding, and what would be created, updated, deleted
_STANDINGS: dict[str, tuple[tuple[LivePolicy, ...], tuple[str, ...], Numbers]] = {
    "nothing is in place": ((), (), (2, 0, 0, (2, 0, 0))),
    "an earlier Enforce left everything in place": (IN_PLACE, (), (2, 2, 0, None)),
    "something is missing": (IN_PLACE[:1], (), (2, 1, 0, (1, 0, 0))),
    "somebody deleted something": (IN_PLACE[:1], (IN_PLACE[1].name,), (2, 1, 1, (1, 0, 0))),
    "somebody opened something": (OPENED, (), (2, 1, 1, (0, 1, 0))),
    "somebody made something of its name": ((*IN_PLACE[1:], stranger(IN_PLACE[0].name)), (), (2, 1, 0, (0, 1, 0))),
    "there is more than is wanted": ((*IN_PLACE, EXTRA), (), (2, 2, 1, (0, 0, 1))),
}


@pytest.mark.parametrize(("live", "lost", "numbers"), _STANDINGS.values(), ids=_STANDINGS.keys())
def test_what_is_in_place_and_what_is_missing(
    live: tuple[LivePolicy, ...], lost: tuple[str, ...], numbers: Numbers
) -> None:
    """Counted against what Enforce would want; nothing of it fails, and nothing was written."""
    seen = BoardFixture(AUDITED)
    seen.record(view(AUDITED, live=live, lost=lost))
    found = seen.board.standings("team")["payments"]
    pending = found.pending
    actions = None if pending is None else (pending.create, pending.update, pending.delete)
    assert (found.desired, found.in_place, found.outstanding, actions) == numbers
    assert found.in_sync == (pending is None)
    assert not found.failing
    assert not seen.board.wrote("team")
    assert seen.board.drift("team").corrected == 0


def test_the_first_of_what_would_be_done_is_named_with_the_reason() -> None:
    """In the order in which Enforce would go about it."""
    seen = BoardFixture(AUDITED)
    seen.record(view(AUDITED, live=[stranger(DENY), EXTRA]))
    assert seen.board.standings("team")["payments"].pending == Pending(
        create=1,
        update=1,
        delete=1,
        first=(
            ("Create", DNS, Why.WANTED),
            ("Update", DENY, Why.TAKEN_OVER),
            ("Delete", "team.more", Why.EXTRA),
        ),
    )


def test_evidence_that_cannot_be_read_is_a_problem_of_that_policy() -> None:
    """The rest of the plan is told all the same, and the isolation was busy: its status is not of before."""
    seen = BoardFixture(AUDITED)
    refused = ApiError(status=403, reason="Forbidden", message="no", request="GET /")
    seen.record(view(AUDITED, live=[OPENED[0]]), documents={DENY: refused})
    found = seen.board.standings("team")["payments"]
    assert [failure.reason for failure in found.failures] == ["Forbidden"]
    assert found.pending is not None
    assert [name for _, name, _ in found.pending.first] == [DNS]
    assert seen.board.wrote("team")


def test_an_audited_neighbour_changes_nothing_for_an_enforced_one() -> None:
    """Each has its own numbers."""
    other = isolation("other")
    seen = BoardFixture(AUDITED, other)
    seen.record(view(AUDITED, other))
    assert seen.numbers("other") == (2, 2, 0, 0)
    assert seen.in_sync("other")
    assert seen.numbers("team") == (2, 0, 0, 0)
    assert seen.board.wrote("other")
    assert not seen.board.wrote("team")


def test_what_an_audited_isolation_left_in_a_namespace_that_it_no_longer_selects_is_kept_in_mind() -> None:
    """Enforce would delete it; once it is gone, the namespace is none of its business."""
    seen = BoardFixture(AUDITED)
    seen.record(view(others=[AUDITED], live=IN_PLACE))
    found = seen.board.standings("team")["payments"]
    assert found.pending is not None
    assert (found.desired, found.in_place, found.pending.delete) == (0, 0, 2)
    seen.record(view(others=[AUDITED]))
    assert seen.standing() is None


_ALLOW_ALL = stranger("allow-all")
_OPEN = Unmanaged(namespace="payments", policy="allow-all", widens=("Ingress",), wide_open=("Ingress",))

# sentence: the isolation, and the unmanaged policies that its standing names
_UNMANAGED: dict[str, tuple[Isolation, tuple[Unmanaged, ...]]] = {
    "Enforce reports": (isolation(), (_OPEN,)),
    "Audit reports, too": (audited(), (_OPEN,)),
    "Audit and Remove report what would go": (audited(unmanagedPolicies="Remove"), (_OPEN,)),
    "Enforce and Remove have nothing left to report": (isolation(unmanagedPolicies="Remove"), ()),
    "Ignore does not": (isolation(unmanagedPolicies="Ignore"), ()),
    "Audit and Ignore do not": (audited(unmanagedPolicies="Ignore"), ()),
    "what is not denied is not widened": (isolation(defaultDeny=["Egress"]), ()),
}


@pytest.mark.parametrize(("found", "unmanaged"), _UNMANAGED.values(), ids=_UNMANAGED.keys())
def test_policies_of_others_stand_with_the_isolation_that_they_widen(
    found: Isolation, unmanaged: tuple[Unmanaged, ...]
) -> None:
    """Whether it is enforced or only audited; they do not keep it from being in sync."""
    seen = BoardFixture(found)
    seen.record(view(found, live=[*IN_PLACE, _ALLOW_ALL]))
    standing = seen.board.standings("team")["payments"]
    assert standing.unmanaged == unmanaged
    assert standing.unmanaged_count == len(unmanaged)


def test_a_removal_that_failed_is_still_reported() -> None:
    """With its problem."""
    found = isolation(unmanagedPolicies="Remove")
    seen = BoardFixture(found)
    seen.record(view(found, live=[*IN_PLACE, _ALLOW_ALL]), allow_all=Result.FAILED)
    standing = seen.board.standings("team")["payments"]
    assert standing.unmanaged == (_OPEN,)
    assert len(standing.failures) == 1


def test_policies_of_others_are_not_reported_where_an_isolation_does_not_select() -> None:
    """What it left there is its business, nothing else."""
    found = isolation()
    seen = BoardFixture(found)
    seen.record(view(others=[found], live=[*IN_PLACE, _ALLOW_ALL]), team_default_deny_all=Result.FAILED)
    assert seen.board.standings("team")["payments"].unmanaged == ()

"""Where every namespace stands, by isolation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Result
from tests.support.boards import BoardFixture
from tests.support.objects import desired_in, frozen, isolation, live_from, view

DENY, DNS = "team.default-deny-all", "team.allow-dns-egress"
TEAM = isolation(generation=3)
WANTED = desired_in(view(TEAM))
IN_PLACE = tuple(live_from(each) for each in WANTED.values())
_EXTRA = "team.allow-x-ingress"


def test_a_namespace_that_was_isolated_is_in_sync() -> None:
    """What was created counts as in place, as of the generation that was rendered."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM))
    assert seen.numbers() == (2, 2, 0, 0)
    assert seen.in_sync()
    assert seen.board.standings("team")["payments"].generation == 3
    assert seen.told == ["team"]
    assert seen.board.wrote("team")


def test_a_namespace_in_which_nothing_was_to_do_is_in_sync_and_nothing_was_written() -> None:
    """After a restart the board knows what is in place without a write."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM, live=IN_PLACE))
    assert seen.numbers() == (2, 2, 0, 0)
    assert not seen.board.wrote("team")


@pytest.mark.parametrize(
    ("result", "numbers"),
    [(Result.FAILED, (2, 1, 0, 1)), (Result.HELD, (2, 1, 0, 0)), (Result.MOOT, (2, 1, 0, 0))],
)
def test_what_could_not_be_created_is_not_in_place(result: Result, numbers: tuple[int, int, int, int]) -> None:
    """The failure is kept with its words."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM), team_default_deny_all=result)
    assert seen.numbers() == numbers
    assert not seen.in_sync()


def test_a_drift_that_was_repaired_is_counted_and_one_that_was_not_is_outstanding() -> None:
    """The log has who and what; nothing is corrected that failed."""
    seen = BoardFixture(TEAM)
    bent = [live_from(each, digest="0", foreign=True) for each in WANTED.values()]
    seen.record(view(TEAM, live=bent), team_default_deny_all=Result.FAILED)
    assert seen.numbers() == (2, 1, 1, 1)
    assert seen.board.drift("team").corrected == 1
    told = {entry["policy"]: entry["action"] for entry in seen.board.drift("team").recent}
    assert told == {DNS: "Corrected", DENY: "Failed"}
    seen.record(view(TEAM, live=[bent[0], IN_PLACE[1]]))
    assert seen.numbers() == (2, 2, 0, 0)
    assert seen.board.drift("team").corrected == 2


def test_a_deletion_of_what_nobody_wants_leaves_the_rest_in_place() -> None:
    """A policy that was removed is not in place, and not desired either."""
    seen = BoardFixture(TEAM)
    seen.record(view(isolation(dns={"enabled": False}), live=IN_PLACE))
    assert seen.numbers() == (1, 1, 0, 0)


def test_a_deletion_that_failed_is_a_failure_of_its_isolation() -> None:
    """Also where the isolation no longer selects the namespace: its status must say so."""
    seen = BoardFixture(TEAM)
    seen.record(
        view(others=[TEAM], live=IN_PLACE), team_default_deny_all=Result.FAILED, team_allow_dns_egress=Result.HELD
    )
    assert seen.numbers() == (0, 0, 0, 1)
    seen.record(view(others=[TEAM], live=IN_PLACE))
    assert seen.standing() is None


def test_a_failure_in_a_namespace_that_is_no_longer_selected_is_forgotten() -> None:
    """Nothing of the isolation is left there: the status must not tell of it for ever."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM), team_default_deny_all=Result.FAILED, team_allow_dns_egress=Result.FAILED)
    assert seen.numbers() == (2, 0, 0, 2)
    seen.told.clear()
    seen.record(view(others=[TEAM]))
    assert seen.standing() is None
    assert seen.told == ["team"]


def test_a_failure_of_an_isolation_that_is_no_longer_accepted_is_forgotten() -> None:
    """It does nothing, so nothing of it fails."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM), team_default_deny_all=Result.FAILED, team_allow_dns_egress=Result.FAILED)
    seen.record(view(frozen(generation=4)))
    assert seen.standing() is None


def test_an_isolation_that_is_gone_has_no_account() -> None:
    """What is still to be removed of it is nobody's standing."""
    seen = BoardFixture(isolation("other"))
    gone = [live_from(each) for each in WANTED.values()]
    seen.record(view(isolation("other"), live=gone))
    assert seen.board.standings("team") == {}
    assert seen.board.standings("other")["payments"].in_sync
    assert seen.told == ["other"]


def test_isolations_on_one_namespace_have_standings_of_their_own() -> None:
    """One that fails does not make its neighbour fail."""
    seen = BoardFixture(TEAM, isolation("other"))
    seen.record(view(TEAM, isolation("other")), other_default_deny_all=Result.FAILED)
    assert seen.board.standings("team")["payments"].in_sync
    assert not seen.board.standings("other")["payments"].in_sync


def test_a_namespace_that_is_gone_leaves_the_board() -> None:
    """Once, and it is news."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM))
    seen.told.clear()
    seen.board.leave("team", "payments")
    seen.board.leave("team", "payments")
    seen.board.leave("nobody", "payments")
    assert seen.standing() is None
    assert seen.told == ["team"]


def test_a_closed_account_is_gone_and_a_new_one_goes_on_from_the_status() -> None:
    """A restart loses no count; an isolation made anew starts at its own."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM))
    seen.board.close("team")
    assert seen.board.standings("team") == {}
    assert not seen.board.wrote("team")
    seen.board.open(TEAM, {"drift": {"corrected": 7}})
    assert seen.board.drift("team").corrected == 7
    assert seen.board.standings("team") == {}


def _filled(count: int) -> Iterable[Isolation]:
    return (isolation(f"i{index}") for index in range(count))


def test_what_is_recorded_costs_no_scan_of_all_isolations() -> None:
    """Nothing is kept of a namespace that nobody concerns any more."""
    seen = BoardFixture(*_filled(5))
    seen.record(view(*_filled(5)))
    assert seen.board._concerned == {"payments": {f"i{index}" for index in range(5)}}
    seen.record(view(others=_filled(5)))
    assert seen.board._concerned == {}


def test_a_resource_made_anew_does_not_inherit_what_was_done_for_its_predecessor() -> None:
    """An outcome of the old one, that comes late, must not make the new one look isolated."""
    seen = BoardFixture(TEAM)
    old = view(TEAM)
    seen.board.close("team")
    seen.board.open(replace(TEAM, uid="another"), {})
    seen.record(old)
    assert seen.standing() is None


def test_a_deletion_that_is_held_is_not_in_sync() -> None:
    """It has no failure of its own, and still allows what was taken out of the resource."""
    seen = BoardFixture(TEAM)
    extra = live_from(desired_in(view(isolation(allow=[{"name": "x", "to": [{"podSelector": {}}]}])))[_EXTRA])
    seen.record(view(TEAM, live=[*IN_PLACE, extra]), team_allow_x_ingress=Result.HELD)
    assert not seen.in_sync()

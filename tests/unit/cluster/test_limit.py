"""The adaptive limit: halved by failures, raised by answers, capped by refusals."""

from __future__ import annotations

import pytest

from namespace_isolation.cluster.limit import Limit

FLOOR = 4
TOP = 32


def _answered(limit: Limit, count: int) -> int:
    """Let so many requests be answered, and give the places after it."""
    for _ in range(count):
        limit.answered()
    return limit.places(0.0)


@pytest.mark.parametrize("top", [1, 3, 4, 32])
def test_it_starts_with_all_places(top: int) -> None:
    """And answers make no more of them."""
    limit = Limit(top=top)
    assert limit.places(0.0) == top
    assert _answered(limit, 100) == top


def test_an_api_server_that_fails_halves_it_once() -> None:
    """For all requests that were under way together; down to the floor."""
    limit = Limit(top=TOP)
    for _ in range(20):
        limit.overloaded(sent=1.0, now=2.0)
    assert limit.places(2.0) == TOP // 2
    limit.overloaded(sent=2.1, now=2.2)
    assert limit.places(2.2) == TOP // 4
    for moment in range(3, 10):
        limit.overloaded(sent=moment, now=moment)
    assert limit.places(9.0) == FLOOR


@pytest.mark.parametrize("top", [1, 3])
def test_the_floor_is_never_above_the_top(top: int) -> None:
    """However few requests are allowed."""
    limit = Limit(top=top)
    limit.overloaded(sent=1.0, now=2.0)
    assert limit.places(2.0) == top


def test_answers_let_it_grow_again_by_one_place_a_round() -> None:
    """Slowly, so that it does not swing."""
    limit = Limit(top=TOP)
    for moment in range(1, 6):
        limit.overloaded(sent=moment, now=moment)
    assert [_answered(limit, count) for count in (4, 1, 6, 7)] == [4, 5, 6, 7]
    assert _answered(limit, TOP * TOP) == TOP


@pytest.mark.parametrize("seats", [1, 2, 3, 7])
def test_refusals_cap_it_at_what_is_taken(seats: int) -> None:
    """Also below the floor: of as many as were under way together, all but so many were refused."""
    limit = Limit(top=TOP)
    for together in range(seats + 1, TOP + 1):
        limit.refused(together=together, sent=1.0, now=2.0)
    assert (limit.places(2.0), limit.cap(2.0)) == (seats, seats)


def test_a_refusal_of_a_single_request_leaves_one() -> None:
    """Others take the seats; we go on asking."""
    limit = Limit(top=TOP)
    limit.refused(together=1, sent=0.0, now=0.0)
    assert limit.cap(0.0) == 1


def test_a_cap_is_lifted_step_by_step() -> None:
    """Ten seconds after the last refusal one more is tried, later a quarter more each time, until there is none."""
    limit = Limit(top=TOP)
    limit.refused(together=3, sent=0.0, now=0.0)
    caps = [limit.cap(now) for now in (9.9, 10.0, 20.0, 30.0)]
    assert caps == [2, 3, 4, 5]
    limit.refused(together=6, sent=35.0, now=35.0)
    assert [limit.cap(now) for now in (44.9, 45.0)] == [5, 6]
    assert limit.cap(10_000.0) is None


def test_a_later_cap_is_not_above_an_earlier_one() -> None:
    """Of one burst the refusal that says most counts, in any order."""
    limit = Limit(top=TOP)
    for together in (20, 5, 30):
        limit.refused(together=together, sent=0.0, now=0.0)
    assert limit.cap(0.0) == 4

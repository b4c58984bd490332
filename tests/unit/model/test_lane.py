"""Whose turn it is: the most urgent that waits, and each of the others often enough."""

from __future__ import annotations

import pytest

from namespace_isolation.model.lane import Lane, Turns

URGENT, BULK, LATER = Lane


def _run(waiting: tuple[Lane, ...], turns: int) -> list[Lane]:
    """Give the turns where these wait all the time."""
    order, taken = Turns(), []
    for _ in range(turns):
        lane = order.next(waiting)
        assert lane is not None
        order.taken(lane, waiting)
        taken.append(lane)
    return taken


def test_nobody_waits() -> None:
    """Then it is nobody's turn."""
    assert Turns().next(()) is None


@pytest.mark.parametrize("lane", Lane)
def test_who_waits_alone_has_every_turn(lane: Lane) -> None:
    """Whatever is more urgent but not there takes nothing away."""
    assert _run((lane,), 50) == [lane] * 50


@pytest.mark.parametrize(
    ("waiting", "shares"),
    [
        pytest.param((URGENT, BULK), {URGENT: 140, BULK: 20}, id="bulk against urgent"),
        pytest.param((URGENT, LATER), {URGENT: 150, LATER: 10}, id="later against urgent"),
        pytest.param((BULK, LATER), {BULK: 150, LATER: 10}, id="later against bulk"),
        pytest.param(tuple(Lane), {URGENT: 131, BULK: 20, LATER: 9}, id="all, bulk first where both are due"),
    ],
)
def test_each_lane_has_its_share(waiting: tuple[Lane, ...], shares: dict[Lane, int]) -> None:
    """One turn in eight for bulk, one in sixteen for what may be later, the rest for the most urgent."""
    taken = _run(waiting, 160)
    assert {lane: taken.count(lane) for lane in waiting} == shares


def test_who_was_passed_over_is_not_owed_more_than_one_turn() -> None:
    """A lane that was held up for long does not flood the others afterwards."""
    order = Turns()
    for _ in range(100):
        order.taken(URGENT, (URGENT, BULK))
    assert order.is_due(BULK)
    order.taken(BULK, (URGENT, BULK))
    assert order.next((URGENT, BULK)) is URGENT

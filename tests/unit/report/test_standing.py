"""Where one isolation stands in one namespace: what its results add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Release, Step, Update, Wait, Why
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.model.verbatim import Direction
from namespace_isolation.report.standing import Pending, Standing, action_of, standing_of
from tests.support.objects import live_from, policy

WANTED = policy("team.default-deny-all")
LIVE = live_from(WANTED)
FORBIDDEN = Failure(reason="Forbidden", message="no")
FIGHT = Fight(namespace="payments", policy=WANTED.name, isolation="team", rounds=5, pause=1.0, manager="argocd")
IN_SYNC = Standing(generation=1, desired=2, in_place=2)

_STEPS: dict[str, Step] = {
    "Create": Create(policy=WANTED, why=Why.WANTED),
    "Update": Update(policy=WANTED, live=LIVE, why=Why.MODIFIED),
    "Delete": Delete(live=LIVE, isolation="team", why=Why.EXTRA),
}


def _standing(*results: StepResult, fights: tuple[Fight, ...] = (), unmanaged: tuple[Unmanaged, ...] = ()) -> Standing:
    return standing_of(generation=1, desired=2, in_place=2, results=results, fights=fights, unmanaged=unmanaged)


def _result(action: str, result: Result, fight: Fight | None = None) -> StepResult:
    failure = FORBIDDEN if result is Result.FAILED else None
    return StepResult(step=_STEPS[action], result=result, failure=failure, fight=fight)


_WIDENING = Unmanaged(namespace="payments", policy="x", widens=("Ingress",), wide_open=("Ingress",))
_STATES: dict[str, tuple[Standing, bool, bool]] = {
    "all is in place": (IN_SYNC, False, True),
    "nothing is desired": (Standing(generation=1), False, True),
    "something is missing": (replace(IN_SYNC, in_place=1), False, False),
    "something could not be done": (replace(IN_SYNC, undone=1), True, False),
    "something does not last": (replace(IN_SYNC, fights=(FIGHT,)), True, False),
    "something is left undone by Audit": (
        replace(IN_SYNC, pending=Pending(create=0, update=0, delete=1, first=())),
        False,
        False,
    ),
    "somebody else widens it": (replace(IN_SYNC, unmanaged=(_WIDENING,), unmanaged_count=1), False, True),
}


@pytest.mark.parametrize(("standing", "failing", "in_sync"), _STATES.values(), ids=_STATES.keys())
def test_what_fails_and_what_is_in_sync(standing: Standing, *, failing: bool, in_sync: bool) -> None:
    """Each sentence of the table holds."""
    assert (standing.failing, standing.in_sync) == (failing, in_sync)


@pytest.mark.parametrize(
    ("step", "action"),
    [
        *((step, action) for action, step in _STEPS.items()),
        (Release(live=LIVE, isolation="team", why=Why.UNWANTED), "Delete"),
        (Wait(live=LIVE, isolation="team", why=Why.UNWANTED, wanted=False), "Delete"),
    ],
    ids=lambda each: type(each).__name__ if not isinstance(each, str) else "",
)
def test_a_step_is_named_by_what_it_does(step: Step, action: str) -> None:
    """Create, Update or Delete."""
    assert action_of(step) == action


# sentence: the results; undone, outstanding, the reasons of failures, and create, update, delete of what is pending
_RESULTS: dict[str, tuple[list[StepResult], int, int, list[str], tuple[int, int, int] | None]] = {
    "what was done leaves nothing": ([_result(each, Result.DONE) for each in _STEPS], 0, 0, [], None),
    "what is moot leaves nothing": ([_result("Update", Result.MOOT)], 0, 0, [], None),
    "a creation that failed is undone": ([_result("Create", Result.FAILED)], 1, 0, ["Forbidden"], None),
    "a repair that failed is a drift, too": ([_result("Update", Result.FAILED)], 1, 1, ["Forbidden"], None),
    "a step that was held is undone without a failure of its own": (
        [_result("Update", Result.HELD)],
        1,
        1,
        [],
        None,
    ),
    "what is reported is outstanding and pending": (
        [_result(each, Result.REPORTED) for each in _STEPS],
        0,
        2,
        [],
        (1, 1, 1),
    ),
    "what is reported beside what failed": (
        [_result("Create", Result.REPORTED), _result("Delete", Result.FAILED)],
        1,
        1,
        ["Forbidden"],
        (1, 0, 0),
    ),
}


@pytest.mark.parametrize(
    ("results", "undone", "outstanding", "reasons", "pending"), _RESULTS.values(), ids=_RESULTS.keys()
)
def test_results_add_up(
    results: list[StepResult], undone: int, outstanding: int, reasons: list[str], pending: tuple[int, int, int] | None
) -> None:
    """Each sentence of the table holds."""
    found = _standing(*results)
    actions = None if found.pending is None else (found.pending.create, found.pending.update, found.pending.delete)
    assert (found.undone, found.outstanding, actions) == (undone, outstanding, pending)
    assert [failure.reason for failure in found.failures] == reasons


def test_a_fight_is_told_once_and_first() -> None:
    """Its round that waits, or was refused, is not told beside it."""
    for result in (Result.HELD, Result.FAILED):
        rounds = _result("Update", result, FIGHT)
        found = _standing(_result("Create", Result.FAILED), rounds, fights=(FIGHT,))
        assert [failure.reason for failure in found.failures] == ["Fight", "Forbidden"]
        assert found.undone == 2


def test_a_fight_says_how_to_find_who_it_is() -> None:
    """With the pause, the opponent and the command."""
    (failure,) = _standing(fights=(FIGHT,)).failures
    for words in ("5 times", "argocd", "1 s", "kubectl get networkpolicy -n payments team.default-deny-all"):
        assert words in failure.message


def test_what_is_named_is_bounded_and_what_is_counted_is_not() -> None:
    """A namespace with a hundred of everything costs what one with twenty does."""
    many = range(100)
    unmanaged = tuple(
        Unmanaged(namespace="payments", policy=f"x{index:03}", widens=("Ingress",), wide_open=()) for index in many
    )
    reported = [StepResult(step=_STEPS["Create"], result=Result.REPORTED) for _ in many]
    failed = [_result("Update", Result.FAILED) for _ in many]
    found = _standing(*reported, *failed, unmanaged=unmanaged)
    assert found.pending is not None
    assert (found.pending.create, found.undone, found.outstanding, found.unmanaged_count) == (100, 100, 100, 100)
    assert [len(each) for each in (found.pending.first, found.failures, found.unmanaged)] == [20, 20, 20]


def test_policies_that_are_wide_open_are_named_first() -> None:
    """They matter most."""
    tame = Unmanaged(namespace="payments", policy="a", widens=("Ingress",), wide_open=())
    wide = Unmanaged(namespace="payments", policy="b", widens=("Ingress", "Egress"), wide_open=("Egress",))
    found = _standing(unmanaged=(tame, wide))
    assert [each.policy for each in found.unmanaged] == ["b", "a"]
    sides: set[tuple[Direction, bool, int]] = {("Ingress", False, 2), ("Egress", True, 1)}
    assert set(found.widened) == sides

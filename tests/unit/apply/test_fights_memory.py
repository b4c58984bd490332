"""Who fights, what is kept of a fight and for how long, and that nobody else pays for it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.apply.fights import Fights
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Drift
from tests.support.fighting import ARGO, DENY, Clock, FightFixture, repair
from tests.support.objects import policy


def _refused() -> StepResult:
    failure = Failure(reason="ChangedOnWrite", message="")
    return StepResult(step=repair(), result=Result.FAILED, failure=failure)


# sentence: the evidence of five repairs, and who it is
_OPPONENTS: dict[str, tuple[Sequence[StepResult], str]] = {
    "nobody knows": ([StepResult(step=repair(), result=Result.DONE, drift=Drift())] * 5, "unknown"),
    "the last that is known": (
        [
            *(StepResult(step=repair(), result=Result.DONE, drift=ARGO) for _ in range(4)),
            StepResult(step=repair(), result=Result.DONE, drift=Drift()),
        ],
        "field manager argocd",
    ),
    "the last of several": (
        [
            *(StepResult(step=repair(), result=Result.DONE, drift=ARGO) for _ in range(4)),
            StepResult(step=repair(), result=Result.DONE, drift=Drift(manager="flux")),
        ],
        "field manager flux",
    ),
    "what changes it on its way": ([_refused()] * 5, "an admission webhook or policy"),
}


@pytest.mark.parametrize(("rounds", "manager"), _OPPONENTS.values(), ids=_OPPONENTS.keys())
def test_the_opponent_is_named(rounds: Sequence[StepResult], manager: str) -> None:
    """By the evidence, never by a guess."""
    fights = Fights(Clock())
    *_, fight = (fights.repaired("payments", each) for each in rounds)
    assert fight is not None
    assert fight.manager == manager


class Counted(OrderedDict[Any, Any]):
    """Counts how often it is asked for something."""

    asked = 0

    def __iter__(self) -> Iterator[Any]:
        """Count each entry that is looked at."""
        for each in super().__iter__():
            self.asked += 1
            yield each


def test_many_single_repairs_cost_no_more_each_than_few() -> None:
    """Somebody who deletes 40,000 policies does not make each repair look at all others; nothing is kept for ever."""
    seen = FightFixture()
    rounds = seen.fights._rounds = Counted()
    repairs = 40_000
    for index in range(repairs):
        assert seen.repair(after=0.001, namespace=f"n{index}") is None
        seen.fights.fought_in(f"n{index}")
        seen.fights.due_in(f"n{index}")
    assert rounds.asked <= 2 * repairs
    assert len(rounds) == repairs
    seen.repair(after=60.0)
    assert len(rounds) == 1
    assert rounds.asked <= 3 * repairs


_QUESTIONS: dict[str, Callable[[FightFixture], object]] = {
    "its namespace is asked for": lambda seen: seen.fights.due_in("payments"),
    "another policy is repaired": lambda seen: seen.repair(namespace="other"),
}


@pytest.mark.parametrize("ask", _QUESTIONS.values(), ids=_QUESTIONS.keys())
def test_a_fight_that_is_over_is_forgotten(ask: Callable[[FightFixture], object]) -> None:
    """As soon as anything comes by."""
    seen = FightFixture()
    seen.begin()
    seen.clock.now += 100.0
    ask(seen)
    assert ("payments", DENY.name) not in seen.fights._rounds
    assert seen.fights._fought == {}


_moments = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from([0.1, 1.0, 30.0, 61.0, 361.0]), st.booleans()),
    max_size=60,
)


@given(moments=_moments)
def test_a_policy_is_never_repaired_often_whatever_happens(moments: list[tuple[str, float, bool]]) -> None:
    """Within any minute at most five tries without a pause, and each policy has a memory of its own."""
    together = FightFixture()
    alone = {name: FightFixture() for name in "abc"}
    for name, after, new in moments:
        wanted = policy(f"team.{name}", {"policyTypes": ["Egress"]} if new else None)
        step = repair(wanted)
        together.clock.now += after
        for each in alone.values():
            each.clock.now += after
        held = together.fights.holding("payments", step)
        assert held == alone[name].fights.holding("payments", step)
        if held is None:
            fight = together.repair(step, after=0.0)
            assert fight == alone[name].repair(step, after=0.0)
            assert fight is None or fight.rounds >= 5
        fought = tuple(fight for each in alone.values() for fight in each.fights.fought_in("payments"))
        assert together.fights.fought_in("payments") == fought
        assert len(together.fights) == len(fought)
        assert (together.fights.due_in("payments") is None) == (not fought)

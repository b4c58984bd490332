"""Fights, on a clock of the test's own: when they are recognised, how long they pause, when they are over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.plan import Create, Step, Why
from tests.support.fighting import DENY, FightFixture, removal, repair
from tests.support.objects import policy

EDITED = policy(DENY.name, {"policyTypes": ["Ingress"]})


def test_the_fifth_repair_in_quick_succession_makes_a_fight() -> None:
    """Four are none."""
    seen = FightFixture()
    assert [seen.repair() for _ in range(4)] == [None] * 4
    assert len(seen.fights) == 0
    assert not seen.waits()
    assert seen.repair() == Fight(
        namespace="payments", policy=DENY.name, isolation="team", rounds=5, pause=1.0, manager="field manager argocd"
    )
    assert len(seen.fights) == 1
    assert seen.waits()


def test_the_pause_doubles_up_to_five_minutes() -> None:
    """Each round at the earliest after the pause of the one before."""
    seen = FightFixture()
    pauses = [seen.begin().pause]
    for _ in range(10):
        seen.clock.now += pauses[-1] - 0.001
        assert seen.waits()
        fight = seen.repair(after=0.001)
        assert fight is not None
        pauses.append(fight.pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_fight_of_a_thousand_rounds_still_pauses_five_minutes() -> None:
    """No power of two outgrows its number."""
    seen = FightFixture()
    fight: Fight | None = seen.begin()
    for _ in range(1100):
        assert fight is not None
        fight = seen.repair(after=fight.pause)
    assert fight is not None
    assert (fight.rounds, fight.pause) == (1105, 300.0)


@pytest.mark.parametrize("between", [59.9, 30.0, 0.0])
def test_repairs_less_than_a_minute_apart_are_in_quick_succession(between: float) -> None:
    """However they are spread."""
    seen = FightFixture()
    assert [seen.repair(after=between) is not None for _ in range(5)] == [False] * 4 + [True]


@pytest.mark.parametrize("between", [60.0, 600.0, 86_400.0])
def test_who_changes_a_policy_now_and_then_does_not_fight(between: float) -> None:
    """A slow human is repaired at once every time, for years."""
    seen = FightFixture()
    for _ in range(500):
        assert seen.repair(after=between) is None
        assert not seen.waits()


# sentence: the steps before, the step after them, and whether it has to wait
_INTENTS: dict[str, tuple[Step, Step, bool]] = {
    "the same repair waits": (repair(), repair(), True),
    "to create what was deleted instead waits": (repair(), Create(policy=DENY, why=Why.DELETED), True),
    "another spec is tried at once": (repair(), repair(EDITED), False),
    "to remove what is no longer wanted is tried at once": (repair(), removal(Why.UNWANTED), False),
    "to remove the same again waits": (removal(), removal(), True),
    "to remove somebody else's again waits": (removal(Why.UNMANAGED), removal(Why.UNMANAGED), True),
    "what is wanted again after it was removed is tried at once": (removal(), repair(), False),
}


@pytest.mark.parametrize(("before", "after", "waits"), _INTENTS.values(), ids=_INTENTS.keys())
def test_a_new_intent_is_tried_at_once(before: Step, after: Step, *, waits: bool) -> None:
    """An edit of the resource does not wait for an old fight."""
    seen = FightFixture()
    seen.begin(before)
    assert seen.waits(after) is waits


def test_a_new_intent_begins_at_one() -> None:
    """If it is fought over as well, that shows anew; the old fight is over."""
    seen = FightFixture()
    seen.begin()
    assert seen.repair(repair(EDITED)) is None
    assert seen.fights.fought_in("payments") == ()
    assert [seen.repair(repair(EDITED)) is not None for _ in range(4)] == [False, False, False, True]


def test_nobody_else_waits_for_a_fight() -> None:
    """Neither another policy of the namespace, nor the same name elsewhere."""
    seen = FightFixture()
    seen.begin()
    assert not seen.waits(repair(policy("team.allow-dns-egress")))
    assert not seen.waits(namespace="other")


def test_a_fight_that_is_left_alone_for_a_minute_beyond_its_pause_is_over() -> None:
    """Until then it is told."""
    seen = FightFixture()
    fight = seen.begin()
    seen.clock.now += fight.pause + 59.9
    assert seen.fights.fought_in("payments") == (fight,)
    assert not seen.waits()
    seen.clock.now += 0.1
    assert seen.fights.fought_in("payments") == ()
    assert len(seen.fights) == 0
    assert seen.repair() is None


def test_fights_are_told_by_policy() -> None:
    """Those of one namespace, in an order that does not change."""
    seen = FightFixture()
    for name in ("team.y", "team.x"):
        seen.begin(repair(policy(name)))
    seen.begin(namespace="other")
    assert [each.policy for each in seen.fights.fought_in("payments")] == ["team.x", "team.y"]
    assert len(seen.fights) == 3
    assert seen.fights.fought_in("nowhere") == ()


def test_an_appointment_is_made_for_the_next_try_and_then_for_peace() -> None:
    """So that nothing else need happen in the namespace."""
    seen = FightFixture()
    assert seen.fights.due_in("payments") is None
    seen.begin()
    assert seen.fights.due_in("payments") == pytest.approx(1.0)
    seen.clock.now += 1.0
    assert seen.fights.due_in("payments") == pytest.approx(60.0)
    seen.clock.now += 59.0
    assert seen.fights.due_in("payments") == pytest.approx(1.0)
    seen.clock.now += 1.0
    assert seen.fights.due_in("payments") is None


def test_what_falls_due_during_a_look_is_due_now() -> None:
    """It may have been held right before; to wait for peace would leave it as it is for a minute."""
    seen = FightFixture()
    began = seen.clock.now
    seen.begin()
    seen.clock.now += 1.001
    assert seen.fights.due_in("payments", since=began) == 0.0
    assert seen.fights.due_in("payments") == pytest.approx(59.999)


def test_of_several_fights_the_first_due_makes_the_appointment() -> None:
    """The others make theirs when it has come."""
    seen = FightFixture()
    seen.begin(repair(policy("team.x")))
    for _ in range(4):
        seen.repair(repair(policy("team.x")))
    assert seen.fights.due_in("payments") == pytest.approx(16.0)
    seen.begin(repair(policy("team.y")))
    assert seen.fights.due_in("payments") == pytest.approx(1.0)
    assert seen.fights.due_in("other") is None


def test_a_fight_is_told_as_it_was_when_it_began() -> None:
    """`fought_in` gives what `repaired` gave."""
    seen = FightFixture()
    fight = seen.begin()
    assert seen.fights.fought_in("payments") == (fight,)
    assert seen.fights.holding("payments", repair()) == fight
    later = seen.repair(after=2.0)
    assert later == replace(fight, rounds=6, pause=2.0)


def test_another_owner_or_another_reason_to_go_waits_for_no_old_fight() -> None:
    """An isolation that is retained, or deleted, while its policy is fought over does not wait with its finalizer."""
    seen = FightFixture()
    seen.begin()
    assert seen.waits()
    assert not seen.waits(repair(replace(DENY, owner=None)))
    assert not seen.waits(removal(Why.UNWANTED))
    extra = FightFixture()
    extra.begin(removal(Why.EXTRA))
    assert extra.waits(removal(Why.EXTRA))
    assert not extra.waits(removal(Why.UNWANTED))


def test_a_fight_tells_whether_its_policy_is_to_be_there() -> None:
    """Else it is one that comes back."""
    assert FightFixture().begin().wanted
    assert not FightFixture().begin(removal()).wanted


def test_what_is_done_for_another_reason_ends_a_fight() -> None:
    """Whoever deletes an isolation and makes it anew does not inherit the pause of its predecessor."""
    seen = FightFixture()
    seen.begin()
    seen.fights.settled("payments", DENY.name)
    assert not seen.waits()
    assert len(seen.fights) == 0
    seen.fights.settled("payments", "nobody-fights-over-it")

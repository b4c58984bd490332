"""What of an outcome is news to people: each drift once, each take-over, each removal, each round of a fight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import Why
from namespace_isolation.model.policy import LivePolicy
from tests.support.boards import BoardFixture
from tests.support.objects import audited, desired_in, foreign_document, isolation, live_from, stranger, view

DENY, DNS = "team.default-deny-all", "team.allow-dns-egress"
TEAM = isolation()
WANTED = desired_in(view(TEAM))
IN_PLACE = tuple(live_from(each) for each in WANTED.values())
OPENED = (live_from(WANTED[DENY], digest="0", foreign=True), live_from(WANTED[DNS]))
FIGHT = Fight(namespace="payments", policy=DENY, isolation="team", rounds=6, pause=2.0, manager="argocd")


def _told(news: tuple[StepResult, ...]) -> dict[str, tuple[Why, Result]]:
    return {each.step.name: (each.step.why, each.result) for each in news}


# sentence: the isolation, what is live, how the step of the denial ends, and what is news of it
_FIRST: dict[str, tuple[Isolation, tuple[LivePolicy, ...], Result, tuple[Why, Result] | None]] = {
    "what was newly created is routine": (TEAM, (), Result.DONE, None),
    "what could not be created is a problem, told elsewhere": (TEAM, (), Result.FAILED, None),
    "a drift that was corrected is news": (TEAM, OPENED, Result.DONE, (Why.MODIFIED, Result.DONE)),
    "a drift that could not be corrected is news": (TEAM, OPENED, Result.FAILED, (Why.MODIFIED, Result.FAILED)),
    "a drift whose repair waits because the isolations changed is not": (TEAM, OPENED, Result.HELD, None),
    "a drift that went away by itself is not": (TEAM, OPENED, Result.MOOT, None),
    "a drift that Audit found is news": (audited(), OPENED, Result.DONE, (Why.MODIFIED, Result.REPORTED)),
    "a take-over is news": (TEAM, (stranger(DENY),), Result.DONE, (Why.TAKEN_OVER, Result.DONE)),
    "a take-over that failed is a problem": (TEAM, (stranger(DENY),), Result.FAILED, None),
    "a take-over that Audit would do is in its plan": (audited(), (stranger(DENY),), Result.DONE, None),
    "what Audit would create is in its plan": (audited(), (), Result.DONE, None),
}


@pytest.mark.parametrize(("found", "live", "result", "news"), _FIRST.values(), ids=_FIRST.keys())
def test_what_is_news(
    found: Isolation, live: tuple[LivePolicy, ...], result: Result, news: tuple[Why, Result] | None
) -> None:
    """Each sentence of the table holds."""
    seen = BoardFixture(found)
    told = _told(seen.record(view(found, live=live), team_default_deny_all=result))
    assert told.get(DENY) == news


def test_a_removal_of_somebody_elses_policy_is_news() -> None:
    """Who made it is to hear of it; one that failed is a problem."""
    found = isolation(unmanagedPolicies="Remove")
    live = (*IN_PLACE, stranger("allow-all"))
    seen = BoardFixture(found)
    assert _told(seen.record(view(found, live=live), allow_all=Result.FAILED)) == {}
    assert _told(seen.record(view(found, live=live))) == {"allow-all": (Why.UNMANAGED, Result.DONE)}


@pytest.mark.parametrize("result", [Result.FAILED, Result.REPORTED], ids=lambda result: result.value)
def test_an_outstanding_drift_is_news_once(result: Result) -> None:
    """However often its namespace is looked at; and again after it was gone."""
    found = audited() if result is Result.REPORTED else TEAM
    seen = BoardFixture(found)
    bent, healed = view(found, live=OPENED), view(found, live=IN_PLACE)
    document = foreign_document(DENY, {"policyTypes": ["Ingress", "Egress"], "egress": [{}]})
    news = [
        _told(seen.record(each, documents={DENY: document}, team_default_deny_all=result))
        for each in (bent, bent, healed, bent)
    ]
    told = {DENY: (Why.MODIFIED, result)}
    assert news == [told, {}, {}, told]


def test_a_drift_of_an_isolation_that_left_the_namespace_would_be_news_again() -> None:
    """Nothing is remembered of a namespace that an isolation has nothing to do with."""
    seen = BoardFixture(TEAM)
    bent = view(TEAM, live=OPENED)
    assert seen.record(bent, team_default_deny_all=Result.FAILED)
    seen.board.leave("team", "payments")
    assert seen.record(bent, team_default_deny_all=Result.FAILED)


# sentence: how a round of the fight ends, and whether it is news
_ROUNDS = {"a repair": (Result.DONE, True), "a refusal": (Result.FAILED, True), "a wait": (Result.HELD, False)}


@pytest.mark.parametrize(("result", "news"), _ROUNDS.values(), ids=_ROUNDS.keys())
def test_a_round_of_a_fight_is_news(result: Result, *, news: bool) -> None:
    """Each try, with its evidence; that it waits in between is in the status."""
    seen = BoardFixture(TEAM)
    seen.record(view(TEAM, live=OPENED), team_default_deny_all=Result.FAILED)
    told = seen.record(view(TEAM, live=OPENED), fights=[FIGHT], team_default_deny_all=result)
    assert [each.fight for each in told] == ([FIGHT] if news else [])


def test_a_fight_keeps_an_isolation_out_of_sync_until_it_is_over() -> None:
    """Also in the moments in which the policy is as it should be."""
    seen = BoardFixture(TEAM)
    assert seen.record(view(TEAM, live=IN_PLACE), fights=[FIGHT]) == ()
    assert seen.numbers() == (2, 2, 0, 1)
    assert not seen.in_sync()
    seen.record(view(TEAM, live=IN_PLACE))
    assert seen.in_sync()


def test_a_fight_is_the_fight_of_its_isolation_alone() -> None:
    """Its neighbours are in sync."""
    other = isolation("other")
    seen = BoardFixture(TEAM, other)
    seen.record(view(TEAM, other), fights=[FIGHT])
    assert not seen.in_sync()
    assert seen.in_sync("other")


def test_news_of_an_isolation_without_an_account_are_nobodys() -> None:
    """A late outcome of a predecessor is not told for its successor."""
    seen = BoardFixture(replace(TEAM, uid="another"))
    assert seen.record(view(TEAM, live=OPENED)) == ()


@pytest.mark.parametrize(("outstanding", "told"), [(0, True), (1, False)])
def test_the_first_look_after_a_restart_tells_what_no_status_counted(*, outstanding: int, told: bool) -> None:
    """What was outstanding then was told then, though the status had no room to name it."""
    seen = BoardFixture(TEAM)
    seen.board.open(TEAM, {"drift": {"corrected": 0, "outstanding": outstanding, "recent": []}})
    bent = view(TEAM, live=OPENED)
    assert bool(seen.record(bent, team_default_deny_all=Result.FAILED)) is told
    seen.record(view(TEAM, live=IN_PLACE))
    assert seen.record(bent, team_default_deny_all=Result.FAILED)


@pytest.mark.parametrize(
    ("found", "fight"),
    [
        (audited(), FIGHT),
        (isolation(defaultDeny=["Ingress"]), FIGHT),
        (TEAM, replace(FIGHT, wanted=False)),
    ],
    ids=["its isolation went into Audit", "its policy is not wanted any more", "its policy is wanted now"],
)
def test_a_fight_over_what_nobody_asks_for_any_more_is_not_told(found: Isolation, fight: Fight) -> None:
    """It ends by being forgotten, and meanwhile nobody has to be patient with it."""
    seen = BoardFixture(found)
    seen.record(view(found), fights=[fight])
    assert seen.board.standings("team")["payments"].fights == ()


def test_a_drift_whose_repair_waits_for_what_failed_is_news() -> None:
    """It stays for as long as the other one fails."""
    seen = BoardFixture(TEAM)
    told = _told(
        seen.record(view(TEAM, live=OPENED[:1]), team_default_deny_all=Result.HELD, team_allow_dns_egress=Result.FAILED)
    )
    assert told == {DENY: (Why.MODIFIED, Result.HELD)}

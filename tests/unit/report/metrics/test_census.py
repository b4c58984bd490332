"""What is counted over the whole cluster, with the definitions of a status, each namespace once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.verbatim import Direction
from namespace_isolation.report.metrics.census import Census, take_census
from namespace_isolation.report.standing import Pending, Standing
from tests.support.objects import isolation

Json = dict[str, Any]

FIGHT = Fight(namespace="a", policy="team.default-deny-all", isolation="team", rounds=5, pause=1.0, manager="x")
GOOD = Standing(generation=1, desired=2, in_place=2)


class Cluster:
    """Isolations, the namespaces they select, and where these stand."""

    def __init__(self) -> None:
        """Start empty."""
        self.isolations: list[Isolation] = []
        self.members: dict[str, frozenset[str]] = {}
        self.standings: dict[str, Mapping[str, Standing]] = {}
        self.statuses: dict[str, Json] = {}

    def add(self, name: str = "team", members: str = "", ready: str = "", **more: Any) -> dict[str, Standing]:  # noqa: ANN401
        """Add an isolation that selects the namespaces of one letter each; give its standings, to be filled."""
        standings: dict[str, Standing] = {}
        self.isolations.append(isolation(name, **more))
        self.members[name], self.standings[name] = frozenset(members), standings
        condition = {"type": "Ready", "status": ready, "observedGeneration": 1}
        self.statuses[name] = {"conditions": [{"type": "Accepted", "status": "False"}, condition]} if ready else {}
        return standings

    def census(self) -> Census:
        """Count."""
        return take_census(
            self.isolations,
            members=self.members.__getitem__,
            standings=self.standings.__getitem__,
            status=self.statuses.__getitem__,
        )


def _states(census: Census, mode: str = "Enforce") -> tuple[int, ...]:
    """Give matched, in sync, drifted, failed."""
    states = census.rolls[mode].states()
    assert list(states) == ["matched", "in_sync", "drifted", "failed"]
    return tuple(states.values())


def test_nothing_is_nothing() -> None:
    """Every number of an empty cluster is zero."""
    census = Cluster().census()
    assert (census.isolations, census.unmanaged, census.fights) == ({}, {}, 0)
    for mode in ("Enforce", "Audit"):
        roll = census.rolls[mode]
        assert (_states(census, mode), roll.desired, roll.in_place, roll.outstanding) == ((0, 0, 0, 0), 0, 0, 0)


@pytest.mark.parametrize(
    ("standing", "states"),
    [
        pytest.param(None, (1, 0, 0, 0), id="not looked at yet"),
        pytest.param(GOOD, (1, 1, 0, 0), id="in sync"),
        pytest.param(Standing(generation=2), (1, 0, 0, 0), id="of another generation"),
        pytest.param(Standing(generation=1, desired=2, in_place=1, undone=1), (1, 0, 0, 1), id="failed"),
        pytest.param(
            Standing(generation=1, desired=2, in_place=1, undone=1, outstanding=1), (1, 0, 1, 1), id="drifted, failed"
        ),
        pytest.param(Standing(generation=1, desired=2, in_place=2, fights=(FIGHT,)), (1, 0, 0, 1), id="fought over"),
        pytest.param(
            Standing(generation=1, desired=1, pending=Pending(create=1, update=0, delete=0, first=())),
            (1, 0, 0, 0),
            id="to be done",
        ),
    ],
)
def test_a_namespace_is_in_its_states(standing: Standing | None, states: tuple[int, ...]) -> None:
    """As the status has them: matched, in sync, drifted, failed; the last three overlap or are all wrong."""
    cluster = Cluster()
    standings = cluster.add(members="a")
    if standing is not None:
        standings["a"] = standing
    assert _states(cluster.census()) == states


def test_a_namespace_of_two_isolations_counts_once() -> None:
    """It is in sync where both say so, and failed where one fails; policies and drift are of one isolation each."""
    cluster = Cluster()
    one, other = cluster.add("one", "ab"), cluster.add("other", "bc")
    one |= {"a": GOOD, "b": GOOD}
    other |= {"b": Standing(generation=1, desired=3, in_place=1, undone=2, outstanding=2), "c": GOOD}
    census = cluster.census()
    roll = census.rolls["Enforce"]
    assert _states(census) == (3, 2, 1, 1)
    assert (roll.desired, roll.in_place, roll.outstanding) == (9, 7, 2)


def test_a_namespace_of_both_modes_counts_in_both() -> None:
    """What Audit leaves undone makes nothing look wrong in what is enforced."""
    cluster = Cluster()
    cluster.add("team", "a")["a"] = GOOD
    pending = Pending(create=2, update=0, delete=0, first=())
    cluster.add("trial", "a", mode="Audit")["a"] = Standing(generation=1, desired=2, outstanding=1, pending=pending)
    census = cluster.census()
    assert _states(census) == (1, 1, 0, 0)
    assert _states(census, "Audit") == (1, 0, 1, 0)
    assert [(roll.desired, roll.in_place, roll.outstanding) for roll in census.rolls.values()] == [(2, 2, 0), (2, 0, 1)]


def test_a_namespace_that_is_no_longer_selected_counts_where_something_fails_there() -> None:
    """Its policies are nobody's, and its drift is still there."""
    cluster = Cluster()
    cluster.add(members="a")
    cluster.standings["team"] = {"a": GOOD, "b": Standing(generation=1, desired=1, undone=1, outstanding=1)}
    census = cluster.census()
    assert _states(census) == (1, 1, 1, 1)
    assert (census.rolls["Enforce"].desired, census.rolls["Enforce"].outstanding) == (2, 1)


def test_isolations_count_by_mode_and_by_what_their_status_says() -> None:
    """A status of an older generation, or none, says nothing; what is not accepted has no mode."""
    cluster = Cluster()
    cluster.add("a", ready="True")
    cluster.add("b", ready="False")
    cluster.add("c", ready="True", generation=2)
    cluster.add("d")
    cluster.add("e", ready="True", mode="Audit")
    cluster.add("f", ready="False", mode="Nonsense")
    cluster.add("g", ready="a text that somebody wrote there")
    assert cluster.census().isolations == {
        ("Enforce", "True"): 1,
        ("Enforce", "False"): 1,
        ("Enforce", "Unknown"): 3,
        ("Audit", "True"): 1,
        ("NotAccepted", "False"): 1,
    }


def test_what_is_not_accepted_matches_nothing() -> None:
    """Nothing is known of what it wants."""
    cluster = Cluster()
    cluster.add(members="", mode="Nonsense")
    assert _states(cluster.census()) == (0, 0, 0, 0)


def test_a_policy_of_others_counts_once_however_many_isolations_it_widens() -> None:
    """Those that deny a direction all see the same policies; one that denies less, or ignores them, sees fewer."""
    cluster = Cluster()
    wide: tuple[Direction, bool] = ("Ingress", True)
    some: tuple[Direction, bool] = ("Egress", False)
    cluster.add("one", "ab")["a"] = Standing(generation=1, widened=((*wide, 2), (*some, 1)))
    cluster.add("other", "a")["a"] = Standing(generation=1, widened=((*wide, 2),))
    cluster.standings["one"] = {**cluster.standings["one"], "b": Standing(generation=1, widened=((*wide, 5),))}
    assert cluster.census().unmanaged == {("a", *wide): 2, ("a", *some): 1, ("b", *wide): 5}


@pytest.mark.parametrize(("isolations", "namespaces"), [(1, 10_000), (10_000, 1)])
def test_a_census_of_ten_thousand_holds_up_nobody(isolations: int, namespaces: int) -> None:
    """It runs on the event loop; measured: 4 ms and 15 ms, a whole scrape included."""
    cluster, one = Cluster(), isolation()
    members = [f"n-{index}" for index in range(namespaces)]
    for index in range(isolations):
        name = f"i-{index}"
        cluster.isolations.append(replace(one, name=name))
        cluster.members[name], cluster.statuses[name] = frozenset(members), {}
        cluster.standings[name] = {each: replace(GOOD) for each in members}
    times = []
    for _ in range(5):
        started = time.perf_counter()
        assert cluster.census().rolls["Enforce"].in_place == 20_000
        times.append(time.perf_counter() - started)
    assert min(times) < 0.1


def test_fights_add_up() -> None:
    """A policy is of one isolation."""
    cluster = Cluster()
    cluster.add("one", "a")["a"] = Standing(generation=1, fights=(FIGHT, FIGHT))
    cluster.add("other", "a")["a"] = Standing(generation=1, fights=(FIGHT,))
    assert cluster.census().fights == 3

"""In whatever order news arrive and whatever people do meanwhile, the cluster ends up as the isolations want it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from namespace_isolation.model.plan import Plan
from namespace_isolation.report.standing import Standing
from tests.support.fake_cluster import FakeCluster
from tests.support.simulation import (
    ISOLATIONS,
    NAMESPACES,
    Action,
    Simulation,
    act,
    chance,
    fresh,
    selections,
    stories,
)
from tests.support.strategies import namespace_labels, specs

Json = dict[str, Any]


@settings(max_examples=300)
@given(story=stories, random=chance)
def test_the_cluster_converges_whatever_comes_in_whatever_order(story: list[Action], random: Random) -> None:
    """Once everything is heard and done, another operator that starts now finds nothing to do, and reports the same."""
    cluster = FakeCluster()

    async def run() -> None:
        here = Simulation(cluster, random)
        for action in story:
            act(cluster, *action)
            here.suffer_some()
            await here.work_some()
        await here.settle()
        writes = cluster.writes
        there = fresh(cluster)
        for namespace in NAMESPACES:
            assert here.plan(namespace).phases == (), namespace
            assert there.plan(namespace).phases == (), namespace
            assert _live(there, namespace) == _live(here, namespace)
            assert here.world.policies.lost_in(namespace) <= await _found_by_audit(here, namespace)
            await there.reconcile(namespace)
        for name in ISOLATIONS:
            assert here.world.members(name) == there.world.members(name)
            assert set(here.world.policies.claimed_by(name)) == set(there.world.policies.claimed_by(name))
        assert _standings(here) == _standings(there)
        await here.settle()
        assert cluster.writes == writes

    asyncio.run(run())
    _nothing_of_ours_is_left_of_what_was_deleted(cluster)


async def _found_by_audit(simulation: Simulation, namespace: str) -> set[str]:
    """Name what Audit leaves undone: what was lost of it stays lost."""
    return {each.step.name for each in (await simulation.reconcile(namespace)).rehearsal.findings}


def _standings(simulation: Simulation) -> dict[tuple[str, str], object]:
    """Give where every isolation stands in every namespace; only who saw a loss knows that it was one."""
    return {
        (name, namespace): replace(standing, outstanding=0, pending=_counts(standing))  # type: ignore[arg-type]  # without the reasons
        for name in ISOLATIONS
        for namespace, standing in simulation.board.standings(name).items()
    }


def _counts(standing: Standing) -> tuple[int, int, int] | None:
    pending = standing.pending
    return None if pending is None else (pending.create, pending.update, pending.delete)


def _live(simulation: Simulation, namespace: str) -> dict[str, tuple[str, int]]:
    """Give uid and version of every policy that an operator believes to be there."""
    return {
        name: (live.uid, live.resource_version) for name, live in simulation.world.policies.live_in(namespace).items()
    }


def _nothing_of_ours_is_left_of_what_was_deleted(cluster: FakeCluster) -> None:
    """Leave aside what a predecessor of an isolation in Audit left: it is for the garbage collector."""
    isolations = cluster.objects["isolations"].values()
    uids = {each["metadata"]["uid"] for each in isolations}
    audited = {each["metadata"]["name"] for each in isolations if each["spec"].get("mode") == "Audit"}
    for key, document in cluster.objects["policies"].items():
        if cluster.is_ending(key.partition("/")[0]):
            continue
        for reference in document["metadata"].get("ownerReferences", ()):
            assert reference["uid"] in uids or reference["name"] in audited, key


def _interleaved(histories: dict[str, list[Any]], random: Random) -> Iterator[Any]:
    """Give the events of all histories, each in its own order, in a random order together."""
    left = {name: list(history) for name, history in histories.items()}
    while any(left.values()):
        name = random.choice(sorted(name for name, history in left.items() if history))
        yield left[name].pop(0)


_histories = st.fixed_dictionaries(
    {
        **{name: st.lists(namespace_labels | st.none(), max_size=4) for name in NAMESPACES},
        **{name: st.lists(specs(selections) | st.none(), max_size=4) for name in ISOLATIONS},
    }
)


@given(histories=_histories, first=chance, second=chance)
def test_the_order_of_events_never_changes_what_is_planned(
    histories: dict[str, list[Any]], first: Random, second: Random
) -> None:
    """Two operators that heard the same news, each object's in its own order, plan the very same steps."""
    plans = []
    for random in (first, second):
        cluster = FakeCluster()
        steps = {name: [(name, value) for value in history] for name, history in histories.items()}
        for name, value in _interleaved(steps, random):
            _make(cluster, name, value)
        here = Simulation(cluster, random)
        while any(cluster.events.values()):
            here.hear_some()
        plans.append({name: _told(here.plan(name)) for name in NAMESPACES})
        assert {name for name in NAMESPACES if here.plan(name).phases} <= here.due
    assert plans[0] == plans[1]


def _make(cluster: FakeCluster, name: str, value: Any) -> None:  # noqa: ANN401 - as drawn
    if name in NAMESPACES:
        if value is None:
            cluster.end_namespace(name)
            cluster.finish_namespace(name)
        else:
            cluster.set_namespace(name, value)
    elif value is None:
        cluster.remove("isolations", name)
    else:
        cluster.set_isolation(name, value)


def _told(plan: Plan) -> list[list[tuple[str, str, str]]]:
    """Give the plan without uids, which differ from run to run."""
    return [[(type(step).__name__, step.name, str(step.why)) for step in phase] for phase in plan.phases]


def test_the_simulation_would_notice_an_operator_that_does_not_listen() -> None:
    """The property fails where it should: a world that is told nothing leaves work behind."""
    cluster = FakeCluster()
    cluster.set_namespace("payments", {})
    cluster.set_isolation("a", {"namespaces": {"names": ["payments"]}})
    deaf = Simulation(cluster, None)
    asyncio.run(deaf.work_some())
    assert fresh(cluster).plan("payments").phases != ()

"""In whatever order news arrive and whatever people do meanwhile, the cluster ends up as the isolations want it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from random import Random
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from namespace_isolation.apply.carry_out import carry_out
from namespace_isolation.apply.look_closer import look_closer
from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.cluster import Client
from namespace_isolation.compare.compare import compare
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Plan
from tests.support.fake_cluster import COLLECTIONS, FakeCluster
from tests.support.objects import PROTECTED
from tests.support.strategies import namespace_labels, specs

Json = dict[str, Any]

_NAMESPACES = ("payments", "payments-eu", "monitoring")
_ISOLATIONS = ("a", "b", "c")
_ROUNDS = 50
_WEB: Json = {"podSelector": {"matchLabels": {"app": "web"}}}
_API: Json = {"podSelector": {"matchLabels": {"app": "api"}}}


def _name(entry: Json) -> str:
    return str(entry["name"])


_selections: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"names": ["payments"]},
        {"names": ["payments*"]},
        {"selector": {"matchLabels": {"app": "web"}}},
        {"selector": {}, "exclude": {"names": ["monitoring"]}},
    ]
)
_entries: st.SearchStrategy[Json] = st.sampled_from(
    [
        {"name": "x", "from": [_WEB], "to": [_API], "ports": [{"port": 80}]},
        {"name": "x", "from": [_API], "to": [_WEB], "ports": [{"port": 80}]},
        {"name": "y", "from": [_WEB], "to": [_API], "ports": [{"port": 90}]},
        {"name": "y", "from": [_WEB], "to": [_API], "ports": [{"port": 80}]},
        {"name": "z", "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    ]
)
_specs: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"namespaces": _selections},
    optional={
        "defaultDeny": st.sampled_from([[], ["Ingress"], ["Egress"]]),
        "dns": st.just({"enabled": False}),
        "allow": st.lists(_entries, max_size=2, unique_by=_name),
        "deletionPolicy": st.sampled_from(["Delete", "Retain"]),
        "mode": st.sampled_from(["Enforce", "Enforce", "Audit"]),
    },
)
_chance = st.integers(0, 2**32).map(Random)
_WAYS = ("open", "strip", "disown", "delete", "bare")
_actions = st.one_of(
    st.tuples(st.just("set namespace"), st.sampled_from(_NAMESPACES), namespace_labels),
    st.tuples(st.just("end namespace"), st.sampled_from(_NAMESPACES), st.none()),
    st.tuples(st.just("finish namespace"), st.sampled_from(_NAMESPACES), st.none()),
    st.tuples(st.just("set isolation"), st.sampled_from(_ISOLATIONS), _specs),
    st.tuples(st.just("set isolation"), st.sampled_from(_ISOLATIONS), _specs),
    st.tuples(st.just("end isolation"), st.sampled_from(_ISOLATIONS), st.none()),
    st.tuples(st.just("force isolation"), st.sampled_from(_ISOLATIONS), st.none()),
    st.tuples(st.just("tamper"), st.integers(0, 20), st.sampled_from(_WAYS)),
    st.tuples(
        st.just("make"), st.sampled_from(_NAMESPACES), st.sampled_from([f"{each}.default-deny-all" for each in "abx"])
    ),
)


class Simulation:
    """A cluster, an operator without Kopf, threads and clocks, and chance."""

    def __init__(self, cluster: FakeCluster, random: Random | None) -> None:
        """Start an operator that has listed an empty cluster; without chance, news wait until they are asked for."""
        self.cluster, self.random, self.meddling = cluster, random, True
        self.due: set[str] = set()
        self.renderings = Renderings()
        self.world = World(
            protected=PROTECTED,
            look_at=self.due.add,
            tend_to=lambda _: None,
            came=lambda _: None,
            went=self._went,
            left=lambda _, __: None,
        )
        self.world.namespaces.replaced([], 1)
        self.world.policies.replaced([], 1)
        self.world.isolations.replaced([], 1)
        self.writer = PolicyWriter(cast("Client", cluster), self.world.policies)
        cluster.meanwhile = self.suffer_some

    def hear_some(self) -> None:
        """Let some news arrive, each collection in its own order."""
        while self.random is not None and self.random.random() < 0.75:
            self.cluster.deliver(self.random.choice(COLLECTIONS), self.world)
            if self.random.random() < 0.1:
                self.cluster.end_list(self.world)

    def suffer_some(self) -> None:
        """Let somebody meddle while a request is on its way, and let some news arrive."""
        policies = sorted(self.cluster.objects["policies"])
        if self.random is not None and policies and self.meddling and self.random.random() < 0.3:
            tamper(self.cluster, self.random.choice(policies), self.random.choice(_WAYS))
        if self.random is not None and self.random.random() < 0.05:
            self.cluster.begin_list()
            self.cluster.break_watch(self.random.choice(["namespaces", "policies"]))
        self.hear_some()

    async def work_some(self) -> None:
        """Look at some of the namespaces that are due."""
        while self.due and self.random is not None and self.random.random() < 0.5:
            await self.reconcile(self.random.choice(sorted(self.due)))

    async def reconcile(self, namespace: str) -> None:
        """Do what the engine does with one namespace."""
        self.due.discard(namespace)
        lost, foreign = self.world.policies.lost_in(namespace), self.world.policies.foreign_in(namespace)
        view = self.world.view(namespace)
        plan = await look_closer(compare(decide(view, self.renderings), view), self.writer)
        outcome = await carry_out(
            plan, self.writer, still_wanted=lambda: self.world.view(namespace).intent == view.intent
        )
        kept = {name for _, name in outcome.kept}
        self.world.policies.accept(live for live in foreign if live.name in kept)
        if not outcome.failed:
            self.world.policies.found(namespace, lost)
        if outcome.failed or outcome.bridged:
            self.due.add(namespace)

    async def settle(self) -> None:
        """Work in peace until nothing is due, nothing is unheard, and every deleted isolation is gone."""
        self.meddling = False
        for _ in range(_ROUNDS):
            self.cluster.deliver_all(self.world)
            for namespace in sorted(self.due):
                await self.reconcile(namespace)
            self.cluster.deliver_all(self.world)
            if not self.due and not self._let_go():
                return
        message = f"still at it: {sorted(self.due)}"
        raise AssertionError(message)

    def plan(self, namespace: str) -> Plan:
        """Plan without carrying out."""
        view = self.world.view(namespace)
        return compare(decide(view, self.renderings), view)

    def _let_go(self) -> bool:
        """Remove deleted isolations that hold nothing back any more."""
        for name, isolation in list(self.world.isolations.by_name.items()):
            if isolation.deleting and not self.world.holds_back(isolation):
                self.cluster.remove("isolations", name)
                return True
        return False

    def _went(self, isolation: Isolation) -> None:
        self.renderings.forget(isolation.name)


def act(cluster: FakeCluster, kind: str, which: Any, value: Any) -> None:  # noqa: ANN401 - as drawn
    """Do what people do."""
    match kind:
        case "set namespace":
            cluster.set_namespace(which, value)
        case "end namespace":
            cluster.end_namespace(which)
        case "finish namespace":
            cluster.finish_namespace(which)
        case "set isolation":
            cluster.set_isolation(which, value)
        case "end isolation":
            cluster.end_isolation(which)
        case "force isolation":
            cluster.remove("isolations", which)
        case "make":
            if which in cluster.objects["namespaces"] and not cluster.is_ending(which):
                cluster.put("policies", f"{which}/{value}", _raw(which, value))
        case _:
            policies = sorted(cluster.objects["policies"])
            if policies:
                tamper(cluster, policies[which % len(policies)], value)


def _raw(namespace: str, name: str) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, "policyTypes": ["Egress"]}}


def tamper(cluster: FakeCluster, key: str, how: str) -> None:
    """Change a policy by hand."""
    document = copy.deepcopy(cluster.objects["policies"][key])
    match how:
        case "open":
            document["spec"]["egress"] = [{}]
        case "strip":
            document["metadata"]["labels"] = {}
        case "disown":
            document["metadata"].pop("ownerReferences", None)
        case "bare":
            for field in ("labels", "annotations", "ownerReferences"):
                document["metadata"].pop(field, None)
        case _:
            cluster.remove("policies", key)
            return
    cluster.put("policies", key, document)


def _fresh(cluster: FakeCluster) -> Simulation:
    """Start another operator on the cluster as it is: what it lists is all that it knows."""
    there = Simulation(cluster, None)
    version = cluster.version
    world, objects = there.world, cluster.objects
    world.namespaces.replaced([world.namespaces.read(each) for each in objects["namespaces"].values()], version)
    world.policies.replaced([world.policies.read(each) for each in objects["policies"].values()], version)
    world.isolations.replaced(list(objects["isolations"].values()), version)
    return there


@settings(max_examples=300)
@given(actions=st.lists(_actions, min_size=3, max_size=25), random=_chance)
def test_the_cluster_converges_whatever_comes_in_whatever_order(
    actions: list[tuple[str, Any, Any]], random: Random
) -> None:
    """Once everything is heard and done, another operator that starts now finds nothing to do."""
    cluster = FakeCluster()

    async def story() -> None:
        here = Simulation(cluster, random)
        for action in actions:
            act(cluster, *action)
            here.suffer_some()
            await here.work_some()
        await here.settle()
        writes = cluster.writes
        there = _fresh(cluster)
        for namespace in _NAMESPACES:
            assert here.plan(namespace).phases == (), namespace
            assert there.plan(namespace).phases == (), namespace
            assert _live(there, namespace) == _live(here, namespace)
            assert here.world.policies.lost_in(namespace) == frozenset()
        for name in _ISOLATIONS:
            assert here.world.members(name) == there.world.members(name)
            assert set(here.world.policies.claimed_by(name)) == set(there.world.policies.claimed_by(name))
        await here.settle()
        assert cluster.writes == writes

    asyncio.run(story())
    _nothing_of_ours_is_left_of_what_was_deleted(cluster)


def _live(simulation: Simulation, namespace: str) -> dict[str, tuple[str, int]]:
    """Give uid and version of every policy that an operator believes to be there."""
    return {
        name: (live.uid, live.resource_version) for name, live in simulation.world.policies.live_in(namespace).items()
    }


def _nothing_of_ours_is_left_of_what_was_deleted(cluster: FakeCluster) -> None:
    """Leave aside what a predecessor of an isolation that is not accepted left: it is for the garbage collector."""
    isolations = cluster.objects["isolations"].values()
    uids = {each["metadata"]["uid"] for each in isolations}
    frozen = {each["metadata"]["name"] for each in isolations if each["spec"].get("mode") == "Audit"}
    for key, document in cluster.objects["policies"].items():
        if cluster.is_ending(key.partition("/")[0]):
            continue
        for reference in document["metadata"].get("ownerReferences", ()):
            assert reference["uid"] in uids or reference["name"] in frozen, key


def _interleaved(histories: dict[str, list[Any]], random: Random) -> Iterator[Any]:
    """Give the events of all histories, each in its own order, in a random order together."""
    left = {name: list(history) for name, history in histories.items()}
    while any(left.values()):
        name = random.choice(sorted(name for name, history in left.items() if history))
        yield left[name].pop(0)


_histories = st.fixed_dictionaries(
    {
        **{name: st.lists(namespace_labels | st.none(), max_size=4) for name in _NAMESPACES},
        **{name: st.lists(specs(_selections) | st.none(), max_size=4) for name in _ISOLATIONS},
    }
)


@given(histories=_histories, first=_chance, second=_chance)
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
        plans.append({name: _told(here.plan(name)) for name in _NAMESPACES})
        assert {name for name in _NAMESPACES if here.plan(name).phases} <= here.due
    assert plans[0] == plans[1]


def _make(cluster: FakeCluster, name: str, value: Any) -> None:  # noqa: ANN401 - as drawn
    if name in _NAMESPACES:
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
    assert _fresh(cluster).plan("payments").phases != ()

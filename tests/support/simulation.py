"""An operator without Kopf, threads and clocks, before a cluster in memory: chance decides who does what, and when."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, Final, cast

from hypothesis import strategies as st

from namespace_isolation.apply.fights import Fights
from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.apply.rehearse import Evidence
from namespace_isolation.cluster import Client
from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.identity import owner_of
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.engine.reconcile import Reconciled, reconcile
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.plan import Plan, Release
from namespace_isolation.model.view import View
from namespace_isolation.report.board import Board
from tests.support.boards import NOW
from tests.support.fake_cluster import COLLECTIONS, FakeCluster
from tests.support.fighting import Clock
from tests.support.objects import PROTECTED
from tests.support.strategies import namespace_labels

__all__ = [
    "ISOLATIONS",
    "NAMESPACES",
    "WAYS",
    "Action",
    "Simulation",
    "act",
    "actions",
    "chance",
    "fresh",
    "isolation_specs",
    "selections",
    "stories",
    "tamper",
]

Json = dict[str, Any]

NAMESPACES: Final = ("payments", "payments-eu", "monitoring")
ISOLATIONS: Final = ("a", "b", "c")
WAYS: Final = ("open", "strip", "disown", "delete", "bare")
"""Ways to change a policy by hand."""
_ROUNDS: Final = 50
_LONG: Final = 400.0
"""Seconds after which every fight that was not taken up again is over."""
_WEB: Json = {"podSelector": {"matchLabels": {"app": "web"}}}
_API: Json = {"podSelector": {"matchLabels": {"app": "api"}}}


def _name(entry: Json) -> str:
    return str(entry["name"])


selections: st.SearchStrategy[Json] = st.sampled_from(
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
isolation_specs: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"namespaces": selections},
    optional={
        "defaultDeny": st.sampled_from([[], ["Ingress"], ["Egress"]]),
        "dns": st.just({"enabled": False}),
        "allow": st.lists(_entries, max_size=2, unique_by=_name),
        "policies": st.just([{"name": "legacy", "spec": {"ingress": [{}]}}]),
        "deletionPolicy": st.sampled_from(["Delete", "Retain"]),
        "mode": st.sampled_from(["Enforce", "Enforce", "Audit"]),
        "unmanagedPolicies": st.sampled_from(["Report", "Ignore", "Remove"]),
    },
)
chance = st.integers(0, 2**32).map(Random)
actions = st.one_of(
    st.tuples(st.just("set namespace"), st.sampled_from(NAMESPACES), namespace_labels),
    st.tuples(st.just("end namespace"), st.sampled_from(NAMESPACES), st.none()),
    st.tuples(st.just("finish namespace"), st.sampled_from(NAMESPACES), st.none()),
    st.tuples(st.just("set isolation"), st.sampled_from(ISOLATIONS), isolation_specs),
    st.tuples(st.just("set isolation"), st.sampled_from(ISOLATIONS), isolation_specs),
    st.tuples(st.just("end isolation"), st.sampled_from(ISOLATIONS), st.none()),
    st.tuples(st.just("force isolation"), st.sampled_from(ISOLATIONS), st.none()),
    st.tuples(st.just("tamper"), st.integers(0, 20), st.sampled_from(WAYS)),
    st.tuples(st.just("make"), st.sampled_from(NAMESPACES), st.sampled_from(["raw", "x.default-deny-all"])),
    st.tuples(
        st.just("make"), st.sampled_from(NAMESPACES), st.sampled_from([f"{each}.default-deny-all" for each in "ab"])
    ),
)

Action = tuple[str, Any, Any]


def _story(labels: Mapping[str, Json], isolations: Mapping[str, Json], later: list[Action]) -> list[Action]:
    return [
        *(("set namespace", name, each) for name, each in labels.items()),
        *(("set isolation", name, each) for name, each in isolations.items()),
        *later,
    ]


stories: st.SearchStrategy[list[Action]] = st.builds(
    _story,
    st.dictionaries(st.sampled_from(NAMESPACES), namespace_labels, min_size=1),
    st.dictionaries(st.sampled_from(ISOLATIONS), isolation_specs, min_size=1),
    st.lists(actions, min_size=3, max_size=25),
)
"""What people do: they begin with namespaces and isolations, and then anything may happen."""


class Simulation:
    """A cluster, an operator, and chance; it keeps to what is promised of Audit, or fails."""

    def __init__(self, cluster: FakeCluster, random: Random | None) -> None:
        """Start an operator that has listed an empty cluster; without chance, news wait until they are asked for."""
        self.cluster, self.random, self.meddling = cluster, random, True
        self.due: set[str] = set()
        self.clock = Clock()
        self.fights = Fights(self.clock)
        self.evidence = Evidence()
        self.renderings = Renderings()
        self.board = Board(now=lambda: NOW, on_news=lambda _: None)
        self.world = World(
            protected=PROTECTED,
            look_at=lambda namespace, _: self.due.add(namespace),
            tend_to=lambda _: None,
            came=lambda each: self.board.open(each, {}),
            went=self._went,
            left=self.board.leave,
        )
        for store in (self.world.namespaces, self.world.policies, self.world.isolations):
            store.replaced([], 1)
        self.world.complete()
        self.writer = PolicyWriter(cast("Client", cluster), self.world.policies)
        self._planned_on: View | None = None
        cluster.meanwhile = self.suffer_some
        cluster.on_write = self._check_write

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
            tamper(self.cluster, self.random.choice(policies), self.random.choice(WAYS))
        if self.random is not None and self.random.random() < 0.05:
            self.cluster.begin_list()
            self.cluster.break_watch(self.random.choice(["namespaces", "policies"]))
        self.hear_some()

    async def work_some(self) -> None:
        """Look at some of the namespaces that are due."""
        while self.due and self.random is not None and self.random.random() < 0.5:
            await self.reconcile(self.random.choice(sorted(self.due)))

    async def reconcile(self, namespace: str) -> Reconciled:
        """Do what the engine does with one namespace."""
        self.due.discard(namespace)
        lost, foreign = self.world.policies.losses_in(namespace), self.world.policies.foreign_in(namespace)
        self._planned_on = self.world.view(namespace)
        done = await reconcile(
            namespace,
            observe=self.world.view,
            decide=partial(decide, renderings=self.renderings),
            writer=self.writer,
            fights=self.fights,
            evidence=self.evidence,
            board=self.board,
        )
        outcome, findings = done.outcome, done.rehearsal.findings
        done_for = {each.step.isolation for each in outcome.results if not isinstance(each.step, Release)}
        assert done_for.isdisjoint(each.step.isolation for each in findings)
        kept = {name for _, name in (*outcome.kept, *done.rehearsal.kept)}
        self.world.policies.accept(live for live in foreign if live.name in kept)
        dealt_with = {name: number for name, number in lost.items() if name not in done.missing}
        self.world.policies.found(namespace, dealt_with)
        if outcome.failed or outcome.bridged or any(each.undone for each in findings):
            self.due.add(namespace)
        if self.fights.due_in(namespace) is not None:
            self.due.add(namespace)
        return done

    def _check_write(self, key: str) -> None:
        """Fail on a write of a policy of an isolation that was in Audit when it was planned, unless that one goes."""
        namespace, _, name = key.partition("/")
        seen = self._planned_on
        assert seen is not None
        assert seen.name == namespace
        rehearsed = decide(replace(seen, rehearsal=True), Renderings()).get(name)
        live = seen.live.get(name)
        owner = None if live is None else owner_of(live, seen.isolations)
        for found in (owner, None if rehearsed is None else rehearsed.isolation):
            isolation = None if found is None else seen.isolations.get(found)
            assert isolation is None or isolation.stance is not Stance.AUDIT or isolation.deleting, key

    async def settle(self) -> None:
        """Work in peace until nothing is due, nothing is unheard, and every deleted isolation is gone."""
        self.meddling = False
        for _ in range(_ROUNDS):
            self.cluster.deliver_all(self.world)
            self.clock.now += _LONG
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
        self.board.close(isolation.name)
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
    """Deny egress under a reserved name, and let everybody in under any other."""
    denies = name.endswith(".default-deny-all")
    spec: Json = {"policyTypes": ["Egress"]} if denies else {"policyTypes": ["Ingress"], "ingress": [{}]}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"podSelector": {}, **spec}}


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


def fresh(cluster: FakeCluster) -> Simulation:
    """Start another operator on the cluster as it is: what it lists is all that it knows."""
    there = Simulation(cluster, None)
    cluster.list_for(there.world)
    return there

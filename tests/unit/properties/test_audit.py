"""Audit writes nothing, whatever happens; it tells exactly what Enforce does; and afterwards nothing is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from namespace_isolation.model.outcome import Result
from tests.support.fake_cluster import FakeCluster
from tests.support.simulation import (
    ISOLATIONS,
    NAMESPACES,
    WAYS,
    Action,
    Simulation,
    act,
    chance,
    isolation_specs,
    stories,
    tamper,
)
from tests.support.strategies import namespace_labels, specs

Json = dict[str, Any]

_ENDS = frozenset({"end isolation", "force isolation"})
_labels = st.fixed_dictionaries(dict.fromkeys(NAMESPACES, namespace_labels))
_tampering = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(WAYS)), max_size=4)


def _in_mode(mode: str, spec: Json) -> Json:
    return {**spec, "mode": mode}


def _cluster(labels: Mapping[str, Mapping[str, str]]) -> FakeCluster:
    cluster = FakeCluster()
    for name, each in labels.items():
        cluster.set_namespace(name, each)
    return cluster


def _tamper(cluster: FakeCluster, tampering: list[tuple[int, str]]) -> None:
    for which, how in tampering:
        policies = sorted(cluster.objects["policies"])
        if policies:
            tamper(cluster, policies[which % len(policies)], how)


def _in_place(cluster: FakeCluster) -> dict[str, Json]:
    """Give what matters of every policy; uids and versions differ from run to run."""
    isolations = {each["metadata"]["uid"]: name for name, each in cluster.objects["isolations"].items()}
    return {
        key: {
            "spec": document["spec"],
            "labels": document["metadata"].get("labels", {}),
            "annotations": document["metadata"].get("annotations", {}),
            "owners": [isolations.get(each["uid"]) for each in document["metadata"].get("ownerReferences", ())],
        }
        for key, document in cluster.objects["policies"].items()
    }


@settings(max_examples=150)
@given(story=stories, random=chance)
def test_a_cluster_in_which_all_isolations_are_audited_is_never_written_to(story: list[Action], random: Random) -> None:
    """Whatever people make, change and take away, and whenever it is heard of."""
    cluster = FakeCluster()

    async def run() -> None:
        here = Simulation(cluster, random)
        for kind, which, value in story:
            if kind not in _ENDS:
                act(cluster, kind, which, _in_mode("Audit", value) if kind == "set isolation" else value)
            here.suffer_some()
            await here.work_some()
        await here.settle()

    asyncio.run(run())
    assert cluster.writes == 0


# A verbatim policy that lost every mark is known by its name alone, and only as long as the resource holds it.
_generated = isolation_specs.map(lambda spec: {key: value for key, value in spec.items() if key != "policies"})
_some_isolations = st.dictionaries(st.sampled_from(ISOLATIONS), _generated, min_size=1, max_size=3)


@given(labels=_labels, before=_some_isolations, after=_some_isolations, tampering=_tampering, random=chance)
def test_after_audit_and_enforce_nothing_tells_of_audit(
    labels: dict[str, Json],
    before: dict[str, Json],
    after: dict[str, Json],
    tampering: list[tuple[int, str]],
    random: Random,
) -> None:
    """The cluster is as if the edit had been enforced at once and nobody had changed anything by hand."""
    ends = []
    for audits in (True, False):
        cluster = _cluster(labels)
        here = Simulation(cluster, random)
        here.meddling = False
        for name, spec in before.items():
            cluster.set_isolation(name, _in_mode("Enforce", spec))
        asyncio.run(here.settle())
        if audits:
            for name, spec in (before | after).items():
                cluster.set_isolation(name, _in_mode("Audit", spec))
            asyncio.run(here.settle())
            _tamper(cluster, tampering)
            asyncio.run(here.settle())
        for name, spec in (before | after).items():
            cluster.set_isolation(name, _in_mode("Enforce", spec))
        asyncio.run(here.settle())
        ends.append(_in_place(cluster))
    assert ends[0] == ends[1]


@given(labels=_labels, enforced=_some_isolations, random=chance)
def test_to_turn_from_enforce_to_audit_writes_and_finds_nothing(
    labels: dict[str, Json], enforced: dict[str, Json], random: Random
) -> None:
    """What is in place is what Audit would want."""
    cluster = _cluster(labels)
    here = Simulation(cluster, random)
    for name, spec in enforced.items():
        cluster.set_isolation(name, _in_mode("Enforce", spec))
    asyncio.run(here.settle())
    written, before = cluster.writes, _in_place(cluster)
    for name, spec in enforced.items():
        cluster.set_isolation(name, _in_mode("Audit", spec))
    asyncio.run(here.settle())
    for namespace in NAMESPACES:
        done = asyncio.run(here.reconcile(namespace))
        assert done.rehearsal.findings == ()
        assert done.outcome.results == ()
    assert (cluster.writes, _in_place(cluster)) == (written, before)
    assert all(standing.in_sync for name in enforced for standing in here.board.standings(name).values())


@settings(max_examples=200)
@given(before=st.none() | specs(), after=specs(), other=st.none() | specs(), tampering=_tampering)
def test_audit_finds_exactly_what_enforce_then_does(
    before: Json | None, after: Json, other: Json | None, tampering: list[tuple[int, str]]
) -> None:
    """The same steps for the same reasons, after an edit and whatever was changed by hand."""
    cluster = _cluster({"payments": {}})
    here = Simulation(cluster, None)
    if other is not None:
        cluster.set_isolation("b", _in_mode("Enforce", other))
    if before is not None:
        cluster.set_isolation("a", _in_mode("Enforce", before))
    asyncio.run(here.settle())
    cluster.set_isolation("a", _in_mode("Audit", after))
    cluster.deliver_all(here.world)
    mine = {key for key in cluster.objects["policies"] if key.startswith("payments/a.")}
    _tamper_with(cluster, sorted(mine), tampering)
    asyncio.run(here.settle())
    found = asyncio.run(here.reconcile("payments")).rehearsal.findings
    assert {each.result for each in found} <= {Result.REPORTED}
    cluster.set_isolation("a", _in_mode("Enforce", after))
    cluster.deliver_all(here.world)
    done = asyncio.run(here.reconcile("payments")).outcome.results
    steps = [
        {(type(each.step).__name__, each.step.name, each.step.why) for each in results if each.step.isolation == "a"}
        for results in (found, [each for each in done if str(each.step.why) != "Bridge"])
    ]
    assert steps[0] == steps[1]


def _tamper_with(cluster: FakeCluster, keys: list[str], tampering: list[tuple[int, str]]) -> None:
    for which, how in tampering:
        left = [key for key in keys if key in cluster.objects["policies"]]
        if left:
            tamper(cluster, left[which % len(left)], how)

"""What is left of an isolation when it goes: nothing, in safe order; or its policies, for a successor to take up."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.history import POLICIES, recorded
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.stage import Stage, is_exact, standard
from tests.support.watching import Json, watching

_README = Path(__file__).resolve().parents[3] / "README.md"
_REMEDY = re.compile(r"\| an isolation stays after `kubectl delete` \|.*`(kubectl patch nsiso NAME [^`]*)`")
_SCRAPE = {
    "name": "prometheus",
    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}],
    "ports": [{"port": 9090}],
}
_PAY = {
    "name": "pay",
    "from": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
}
_FROM_FIRST_TO_LAST = (
    {"default-deny-all"},
    {"allow-dns-egress", "allow-prometheus-ingress"},
    {"allow-pay-egress"},
)
"""The denial, then what selects every pod, then what selects some."""


def _spec(namespace: str, **more: object) -> Json:
    return {"namespaces": {"names": [namespace]}, "allow": [_SCRAPE, _PAY], **more}


def _ranks(names: list[str]) -> list[int]:
    """Tell to which step of a safe removal each policy belongs."""
    parts = [name.rpartition(".")[2] for name in names]
    return [next(rank for rank, step in enumerate(_FROM_FIRST_TO_LAST) if part in step) for part in parts]


async def _versions(stage: Stage, namespace: str) -> dict[str, str]:
    return {name: each["metadata"]["resourceVersion"] for name, each in (await stage.policies_in(namespace)).items()}


async def _leave_policies(stage: Stage, namespace: str) -> dict[str, Json]:
    """Isolate with Retain, delete the isolation, and give what it left."""
    await stage.isolation(_spec(namespace, deletionPolicy="Retain"))
    await stage.converged(stage.name)
    await stage.delete_isolation(stage.name)
    await stage.barrier()
    return await stage.policies_in(namespace)


@pytest.mark.usefixtures("operator")
async def test_a_namespace_that_is_no_longer_selected_is_freed_in_safe_order(stage: Stage) -> None:
    """Denials go first and what selects some pods last, in both namespaces; the isolation itself stays."""
    labels = {stage.name: "yes"}
    namespaces = [await stage.namespace(suffix, labels=labels) for suffix in ("by-label", "by-edit")]
    spec = {**_spec(""), "namespaces": {"selector": {"matchLabels": labels}}}
    isolation = await stage.isolation(spec)
    await stage.converged(isolation, matched=2)
    async with recorded(stage.admin, keep=lambda key: key[0] in namespaces) as history:
        await stage.label(namespaces[0], **{stage.name: None})
        await stage.until_policies(namespaces[0], ())
        await stage.edit(isolation, {"namespaces": {"exclude": {"names": [namespaces[1]]}}})
        await stage.until_policies(namespaces[1], ())
        await history.caught_up(stage.admin)
        for namespace in namespaces:
            entries = [each for each in history.entries() if each.collection == POLICIES and each.key[0] == namespace]
            assert {entry.kind for entry in entries} == {"DELETED"}
            ranks = _ranks([entry.key[1] for entry in entries])
            assert len(ranks) == 4
            assert ranks == sorted(ranks), [entry.key[1] for entry in entries]
    status = await stage.converged(isolation, matched=0)
    assert status["drift"]["corrected"] == 0


@pytest.mark.usefixtures("operator")
async def test_a_successor_with_retain_takes_up_what_was_left_without_a_write(stage: Stage, cluster: Cluster) -> None:
    """The same spec under the same name: everything is in place already, not one resourceVersion changes."""
    namespace = await stage.namespace()
    left = await _leave_policies(stage, namespace)
    assert len(left) == 4
    assert all("ownerReferences" not in policy["metadata"] for policy in left.values())
    labels = {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": stage.name}
    assert all(policy["metadata"]["labels"] == labels for policy in left.values())
    before = await _versions(stage, namespace)
    position = cluster.audit_position() if cluster.sandbox is not None else None
    isolation = await stage.isolation(_spec(namespace, deletionPolicy="Retain"))
    status = await stage.converged(isolation)
    assert status["policies"] == {"desired": 4, "inPlace": 4, "summary": "4/4"}
    assert status["drift"]["corrected"] == 0
    await stage.barrier()
    assert await _versions(stage, namespace) == before
    if position is not None:
        writes = cluster.audited_writes(position, user=OPERATOR_USER)
        assert [event for event in writes if event["objectRef"].get("namespace") == namespace] == []


@pytest.mark.usefixtures("operator")
async def test_a_successor_with_delete_only_becomes_the_owner(stage: Stage) -> None:
    """Each policy is written once, to set the ownerReference; the objects stay, their specs too; that is no drift."""
    namespace = await stage.namespace()
    left = await _leave_policies(stage, namespace)
    async with stage.policies(namespace) as watch:
        isolation = await stage.isolation(_spec(namespace))
        status = await stage.converged(isolation)
        await watch.until(lambda _: len(watch.events) >= len(left), what="a write of each")
        await stage.barrier()
        assert sorted(watch.kinds()) == sorted(("MODIFIED", name) for name in left)
        uid = (await stage.admin.get(isolation_path(isolation)))["metadata"]["uid"]
        for name, policy in watch.state.items():
            (owner,) = policy["metadata"]["ownerReferences"]
            assert (owner["kind"], owner["name"], owner["uid"]) == ("NamespaceIsolation", isolation, uid)
            assert policy["spec"] == left[name]["spec"]
            assert policy["metadata"]["uid"] == left[name]["metadata"]["uid"]
            assert policy["metadata"].get("generation") == left[name]["metadata"].get("generation")
    assert status["drift"]["corrected"] == 0


@pytest.mark.usefixtures("operator")
async def test_what_was_left_differs_from_what_the_successor_wants(stage: Stage) -> None:
    """An entry less and another denial: what is too much goes, what is missing comes, and the rest stays untouched."""
    namespace = await stage.namespace()
    await _leave_policies(stage, namespace)
    spec = _spec(namespace, deletionPolicy="Retain", allow=[_PAY], defaultDeny=["Egress"])
    async with stage.policies(namespace) as watch:
        isolation = await stage.isolation(spec)
        await stage.until_exact(namespace, isolation)
        await stage.barrier()
        touched = {name.rpartition(".")[2] for _, name in watch.kinds()}
    assert touched == {"default-deny-all", "default-deny-egress", "allow-prometheus-ingress"}
    await stage.converged(isolation)


@pytest.mark.usefixtures("operator")
@pytest.mark.controller_manager
async def test_kubectl_delete_that_orphans(stage: Stage, cluster: Cluster) -> None:
    """`kubectl delete --cascade=orphan` leaves every policy, owned by nobody, without one that is gone in between."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace))
    await stage.converged(isolation)
    document = await stage.admin.get(isolation_path(isolation))
    async with stage.policies(namespace) as watch:
        cluster.run_kubectl("delete", "nsiso", isolation, "--cascade=orphan", "--timeout=30s")
        await stage.barrier()
        assert {kind for kind, _ in watch.kinds()} <= {"MODIFIED"}
        owned = {**document, "spec": {**document["spec"], "deletionPolicy": "Retain"}}
        assert is_exact(watch.state, [owned])
    assert isolation not in {item["metadata"]["name"] for item in (await stage.admin.get(ISOLATIONS_PATH))["items"]}


@pytest.mark.controller_manager
async def test_what_was_orphaned_without_an_operator_stays(
    stage: Stage, stopped_operator: Operator, cluster: Cluster
) -> None:
    """The garbage collector orphans while nobody holds it up; the operator that comes later takes nothing away."""
    namespace = await stage.namespace()
    stopped_operator.start()
    isolation = await stage.isolation(_spec(namespace))
    await stage.converged(isolation, within=30)
    assert await stopped_operator.stop() == 0
    cluster.run_kubectl("delete", "nsiso", isolation, "--cascade=orphan", "--wait=false")
    async with stage.policies(namespace) as watch, stage.isolations() as isolations:
        await watch.until(
            lambda state: all("ownerReferences" not in each["metadata"] for each in state.values()),
            what="every policy orphaned",
        )
        stopped_operator.start()
        await isolations.until(lambda state: isolation not in state, within=30, what="the isolation gone")
        await stage.barrier()
        assert len(watch.state) == 4
        assert "DELETED" not in {kind for kind, _ in watch.kinds()}


@pytest.mark.parametrize("retain", [False, True], ids=["Delete", "Retain"])
async def test_a_resource_that_goes_while_the_operator_starts(
    stage: Stage, stopped_operator: Operator, *, retain: bool
) -> None:
    """Deleted while nobody was there, it is let go at once at the start, and nothing is written for it any more."""
    labels = {stage.name: "yes"}
    first = await stage.namespace("first", labels=labels)
    stopped_operator.start()
    spec: Json = {"namespaces": {"selector": {"matchLabels": labels}}}
    isolation = await stage.isolation({**spec, "deletionPolicy": "Retain" if retain else "Delete"})
    await stage.converged(isolation, within=30)
    stopped_operator.kill()
    await stage.admin.delete(isolation_path(isolation))
    async with stage.isolations() as isolations:
        stopped_operator.start()
        await isolations.until(lambda state: isolation not in state, within=30, what="the isolation gone")
    before = await stage.policies_in(first)
    assert before.keys() == (standard(isolation) if retain else set())
    second = await stage.namespace("second", labels=labels)
    await stage.label(first, **{stage.name: None})
    await stage.barrier()
    assert await stage.policies_in(first) == before
    assert await stage.policies_in(second) == {}


@pytest.mark.controller_manager
async def test_an_isolation_without_an_operator_is_freed_as_the_readme_says(
    stage: Stage, stopped_operator: Operator, cluster: Cluster
) -> None:
    """The one line frees it, the garbage collector takes its policies, and those of another isolation stay."""
    namespace = await stage.namespace()
    stopped_operator.start()
    isolation = await stage.isolation(_spec(namespace))
    other = await stage.isolation({"namespaces": {"names": [namespace]}}, name=f"{stage.name}-other")
    for name in (isolation, other):
        await stage.converged(name, within=30)
    foreign = {"metadata": {"name": "foreign"}, "spec": {"podSelector": {}}}
    await stage.admin.create(policies_path(namespace), foreign)
    assert await stopped_operator.stop() == 0

    stuck = cluster.run_kubectl("delete", "nsiso", isolation, "--timeout=1s", check=False)
    assert stuck.returncode != 0
    found = _REMEDY.search(_README.read_text())
    assert found is not None, "README.md no longer tells how to free an isolation without an operator"
    command = shlex.split(found.group(1).replace("NAME", isolation))
    async with stage.policies(namespace) as watch, watching(stage.admin, ISOLATIONS_PATH) as isolations:
        cluster.run_kubectl(*command[1:])
        await isolations.until(lambda state: isolation not in state, what="the isolation gone")
        left = standard(other) | {"foreign"}
        await watch.until(lambda state: state.keys() == left, within=60, what="only what others own")
        assert other in isolations.state
        stopped_operator.start()
        await stopped_operator.ready()
        await stage.barrier()
        assert watch.state.keys() == left
        assert {kind for kind, _ in watch.kinds()} == {"DELETED"}

"""Namespaces that end: one that is being deleted is left alone, without a retry and without a word."""

from __future__ import annotations

import pytest

from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.stage import Stage
from tests.support.watching import watching

pytestmark = [pytest.mark.usefixtures("operator"), pytest.mark.controller_manager]

_HOLD = "example.test/hold"


async def _hold(stage: Stage, namespace: str) -> str:
    """Put an object into a namespace that keeps it from going, and give its path."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await stage.admin.create(path, {"metadata": {"name": "hold", "finalizers": [_HOLD]}})
    return f"{path}/hold"


async def test_a_terminating_namespace_is_left_alone(stage: Stage, operator: Operator) -> None:
    """Its policies go with it and do not come back, it no longer counts, and nothing is complained of."""
    namespace, other = await stage.namespace("going"), await stage.namespace("staying")
    held = await _hold(stage, namespace)
    isolation = await stage.isolation({"namespaces": {"names": [namespace, other]}})
    await stage.converged(isolation, matched=2)
    since = operator.mark()
    async with stage.policies(namespace) as watch, watching(stage.admin, NAMESPACES_PATH) as namespaces:
        await stage.admin.delete(f"{NAMESPACES_PATH}/{namespace}")
        await watch.until(lambda state: not state, what="the policies gone with the namespace")
        await stage.barrier()
        await stage.label(namespace, some="label")
        await stage.barrier()
        assert [kind for kind, _ in watch.kinds()] == ["DELETED", "DELETED"]
        assert namespaces.state[namespace]["status"]["phase"] == "Terminating"
        status = await stage.converged(isolation, matched=1)
        assert status["drift"]["corrected"] == 0
        await stage.admin.patch(held, {"metadata": {"finalizers": None}})
        await namespaces.until(lambda state: namespace not in state, within=60, what="the namespace gone")
    assert operator.complaints(since) == []


async def test_an_isolation_goes_although_a_namespace_hangs(stage: Stage, operator: Operator) -> None:
    """A namespace that stays Terminating, with a policy that somebody holds in it, does not hold the resource."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    name = f"{isolation}.default-deny-all"
    await stage.patch_policy(namespace, name, {"metadata": {"finalizers": [_HOLD]}})
    since = operator.mark()
    async with stage.policies(namespace) as watch:
        await stage.admin.delete(f"{NAMESPACES_PATH}/{namespace}")
        await watch.until(lambda state: state.keys() == {name}, what="only the held policy")
        await stage.delete_isolation(isolation)
        await stage.patch_policy(namespace, name, {"metadata": {"finalizers": None}})
        await watch.until(lambda state: not state, what="the last policy gone")
    assert operator.complaints(since) == []


async def test_a_resource_that_comes_while_a_namespace_goes(stage: Stage, operator: Operator, cluster: Cluster) -> None:
    """A namespace that is terminating already is not even tried."""
    namespace = await stage.namespace()
    held = await _hold(stage, namespace)
    async with watching(stage.admin, NAMESPACES_PATH) as namespaces:
        await stage.admin.delete(f"{NAMESPACES_PATH}/{namespace}")
        await namespaces.until(lambda state: "deletionTimestamp" in state[namespace]["metadata"])
    since = operator.mark()
    position = cluster.audit_position() if cluster.sandbox is not None else None
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation, matched=0)
    if position is not None:
        writes = cluster.audited_writes(position, user=OPERATOR_USER)
        assert [event for event in writes if event["objectRef"].get("namespace") == namespace] == []
    assert operator.complaints(since) == []
    await stage.admin.patch(held, {"metadata": {"finalizers": None}})


async def test_a_namespace_deleted_and_created_anew(stage: Stage, operator: Operator) -> None:
    """The new namespace of the old name is isolated anew; that is no drift."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    before = await stage.policies_in(namespace)
    since = operator.mark()
    async with watching(stage.admin, NAMESPACES_PATH) as namespaces:
        await stage.admin.delete(f"{NAMESPACES_PATH}/{namespace}")
        await namespaces.until(lambda state: namespace not in state, within=60, what="the namespace gone")
        await stage.admin.create(NAMESPACES_PATH, {"metadata": {"name": namespace}})
    await stage.until_exact(namespace, isolation)
    after = await stage.policies_in(namespace)
    assert {policy["metadata"]["uid"] for policy in after.values()}.isdisjoint(
        policy["metadata"]["uid"] for policy in before.values()
    )
    status = await stage.converged(isolation)
    assert status["drift"]["corrected"] == 0
    assert operator.complaints(since) == []

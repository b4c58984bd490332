"""What tools that wait for a resource make of it, at every status that is written in its life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from itertools import groupby

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.history import ISOLATIONS, POLICIES, Entry, History, Key, recorded
from tests.support.kstatus import Kstatus, contradictions, kstatus_of
from tests.support.operator import Operator
from tests.support.schema import without_validation
from tests.support.stage import Stage, condition, is_exact, refused
from tests.support.watching import Json

_QUOTA = {"count/networkpolicies.networking.k8s.io": "0"}
_SCRAPE = {
    "name": "prometheus",
    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}],
    "ports": [{"port": 9090}],
}

_CURRENT, _PROGRESS, _FAILED = Kstatus.CURRENT, Kstatus.IN_PROGRESS, Kstatus.FAILED


@pytest.fixture
async def history(stage: Stage) -> AsyncIterator[History]:
    """Record what happens on the stage."""
    async with recorded(stage.admin, keep=lambda key: stage.name in (key[0] or key[1])) as history:
        yield history


async def _forbid_policies(stage: Stage, namespace: str) -> str:
    """Let a quota refuse every policy in a namespace, and give its path."""
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await stage.admin.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": _QUOTA}})
    await stage.admin.patch(f"{quotas}/none/status", {"status": {"hard": _QUOTA, "used": _QUOTA}})
    attempt = {"metadata": {"name": "attempt"}, "spec": {"podSelector": {}}}
    await refused(stage.admin, f"{policies_path(namespace)}?dryRun=All", attempt)
    return f"{quotas}/none"


def _lives(history: History, isolation: str) -> list[Entry]:
    return [each for each in history.entries() if each.collection == ISOLATIONS and each.key == ("", isolation)]


def _course(history: History, isolation: str) -> list[Kstatus]:
    """Give what kstatus made of the isolation, each change of it once; its end is not part of it."""
    computed = [kstatus_of(entry.document) for entry in _lives(history, isolation) if entry.kind != "DELETED"]
    return [status for status, _ in groupby(computed)]


def _check(history: History, isolation: str) -> None:
    """Hold every state of an isolation against the rules, and every Current against what was in place just then."""
    policies: dict[Key, Json] = dict(history.start[POLICIES])
    for entry in history.entries():
        if entry.collection == POLICIES:
            policies.pop(entry.key, None)
            if entry.kind != "DELETED":
                policies[entry.key] = entry.document
        elif entry.collection == ISOLATIONS and entry.key == ("", isolation):
            assert contradictions(entry.document) == [], entry.document["status"]
            enforced = entry.document["spec"].get("mode", "Enforce") == "Enforce"
            if kstatus_of(entry.document) is _CURRENT and enforced:
                _assert_in_place(entry.document, policies)


def _assert_in_place(document: Json, policies: Mapping[Key, Json]) -> None:
    for namespace in document["spec"]["namespaces"]["names"]:
        there = {name: policy for (where, name), policy in policies.items() if where == namespace}
        assert is_exact(there, [document]), (namespace, sorted(there), document["status"])


async def test_what_nobody_has_looked_at_is_in_progress(stage: Stage, stopped_operator: Operator) -> None:
    """Without an operator a new resource is not done, and an edited one neither."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    assert kstatus_of(await stage.admin.get(isolation_path(isolation))) is _PROGRESS
    stopped_operator.start()
    await stage.converged(isolation, within=30)
    assert kstatus_of(await stage.admin.get(isolation_path(isolation))) is _CURRENT
    assert await stopped_operator.stop() == 0
    edited = await stage.edit(isolation, {"defaultDeny": ["Ingress"]})
    assert kstatus_of(edited) is _PROGRESS


@pytest.mark.usefixtures("operator")
async def test_from_creation_to_deletion(stage: Stage, history: History) -> None:
    """Created, in place, edited, drifted and repaired, widened to more namespaces, deleted."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(3)]
    isolation = await stage.isolation({"namespaces": {"names": namespaces[:2]}})
    await stage.converged(isolation, matched=2)
    await stage.edit(isolation, {"allow": [_SCRAPE]})
    await stage.converged(isolation, matched=2)
    await stage.patch_policy(namespaces[0], f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
    await stage.until_status(isolation, lambda now: now["drift"]["corrected"] == 1)
    await stage.edit(isolation, {"namespaces": {"names": namespaces}})
    await stage.converged(isolation, matched=3)
    await stage.delete_isolation(isolation)
    await history.until(lambda: ("", isolation) not in history.now[ISOLATIONS], what="the isolation gone")
    _check(history, isolation)
    course = _course(history, isolation)
    assert course == [_PROGRESS, _CURRENT] * 3 + [Kstatus.TERMINATING]


@pytest.mark.usefixtures("operator")
async def test_what_fails_is_tried_again(stage: Stage, history: History, cluster: Cluster) -> None:
    """A quota is no reason to give up: in progress, with Reconciling and the reason; done once it is lifted."""
    namespace = await stage.namespace()
    quota = await _forbid_policies(stage, namespace)
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    status = await stage.until_status(isolation, lambda now: now.get("namespaces", {}).get("failed") == 1)
    reconciling = condition(status, "Reconciling")
    assert (reconciling["status"], reconciling["reason"]) == ("True", "Retrying")
    assert condition(status, "Stalled")["status"] == "False"
    wait = ("wait", "--for=condition=Ready", "nsiso", isolation)
    assert cluster.run_kubectl(*wait, "--timeout=0.5s", check=False).returncode != 0
    await stage.admin.delete(quota)
    await asyncio.to_thread(cluster.run_kubectl, *wait, "--timeout=15s")
    await history.caught_up(stage.admin)
    _check(history, isolation)
    assert _course(history, isolation) == [_PROGRESS, _CURRENT]


@pytest.mark.usefixtures("operator")
async def test_kubectl_waits_for_the_edit_to_be_in_place(stage: Stage, history: History, cluster: Cluster) -> None:
    """`kubectl wait --for=condition=Ready` right after an edit returns when the new spec is in place, not before."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(10)]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    wait = ("wait", "--for=condition=Ready", "nsiso", isolation, "--timeout=15s")
    await asyncio.to_thread(cluster.run_kubectl, *wait)
    document = await stage.edit(isolation, {"allow": [_SCRAPE]})
    await asyncio.to_thread(cluster.run_kubectl, *wait)
    for namespace in namespaces:
        assert is_exact(await stage.policies_in(namespace), [document])
    await history.caught_up(stage.admin)
    _check(history, isolation)
    assert _course(history, isolation) == [_PROGRESS, _CURRENT] * 2


@pytest.mark.usefixtures("operator")
async def test_what_is_not_accepted_has_failed(stage: Stage, history: History) -> None:
    """A spec that an older CRD let through: Failed, because only an edit helps; in progress and done once mended."""
    namespace = await stage.namespace()
    async with without_validation(stage.admin, f"{stage.name}-probe"):
        isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "mode": "Maybe"})
        status = await stage.until_status(isolation, lambda now: condition(now, "Stalled").get("status") == "True")
        assert "spec.mode" in condition(status, "Stalled")["message"]
        assert condition(status, "Reconciling")["status"] == "False"
        await stage.edit(isolation, {"mode": "Enforce"})
        await stage.converged(isolation)
        await stage.edit(isolation, {"mode": "Maybe"})
        await stage.until_status(isolation, lambda now: condition(now, "Stalled")["status"] == "True")
        await stage.delete_isolation(isolation)
    await history.until(lambda: ("", isolation) not in history.now[ISOLATIONS], what="the isolation gone")
    _check(history, isolation)
    assert _course(history, isolation) == [
        *(_PROGRESS, _FAILED),
        *(_PROGRESS, _CURRENT),
        *(_PROGRESS, _FAILED),
        Kstatus.TERMINATING,
    ]


@pytest.mark.usefixtures("operator")
async def test_an_audit_is_done_when_it_is_known_what_would_be_done(stage: Stage, history: History) -> None:
    """Audit is Current although nothing is in place: that is what was asked for; Enforce afterwards is work."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "mode": "Audit"})
    status = await stage.converged(isolation)
    ready = condition(status, "Ready")
    assert ready["reason"] == "Audit"
    assert "nothing is enforced" in ready["message"].lower()
    await stage.edit(isolation, {"mode": "Enforce"})
    await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "InSync")
    await history.caught_up(stage.admin)
    _check(history, isolation)
    assert _course(history, isolation) == [_PROGRESS, _CURRENT] * 2


@pytest.mark.usefixtures("operator")
async def test_a_deletion_under_way_says_so(stage: Stage, history: History) -> None:
    """A resource that somebody else's finalizer holds stays Terminating, whatever its conditions say."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    held = await stage.admin.get(isolation_path(isolation))
    finalizers = [*held["metadata"]["finalizers"], "example.test/hold"]
    await stage.admin.patch(isolation_path(isolation), {"metadata": {"finalizers": finalizers}})
    await stage.admin.delete(isolation_path(isolation))
    await stage.until_policies(namespace, ())
    await history.until(
        lambda: history.now[ISOLATIONS]["", isolation]["metadata"]["finalizers"] == ["example.test/hold"],
        what="our finalizer gone",
    )
    await stage.admin.patch(isolation_path(isolation), {"metadata": {"finalizers": None}})
    await history.until(lambda: ("", isolation) not in history.now[ISOLATIONS], what="the isolation gone")
    _check(history, isolation)
    assert _course(history, isolation) == [_PROGRESS, _CURRENT, Kstatus.TERMINATING]

"""Events: what happened to policies and isolations is found with kubectl, as series, and never as a flood."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import pytest

from namespace_isolation.apply.events import events_path
from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.stage import EDITOR, Stage, condition, refused, standard
from tests.support.watching import Json, Watch, watching

_OPEN: Json = {"spec": {"egress": [{}]}}
_QUOTA = {"count/networkpolicies.networking.k8s.io": "0"}
_KINDS = re.compile(r"(Normal|Warning) +([A-Z]\w+)")


@pytest.fixture
async def fresh(stopped_operator: Operator) -> AsyncIterator[Operator]:
    """Run an operator that has no events of earlier tests to tell."""
    stopped_operator.start()
    await stopped_operator.ready()
    yield stopped_operator
    assert await stopped_operator.stop() == 0


def _events(stage: Stage, namespace: str) -> AbstractAsyncContextManager[Watch]:
    """Watch the events of a namespace that are about objects of this test."""
    mine = (stage.name, "allow-all")
    return watching(stage.admin, events_path(namespace), keep=lambda event: event["regarding"]["name"].startswith(mine))


def _find(state: Mapping[str, Json], reason: str, name: str) -> Json | None:
    """Find the one event of a reason on an object."""
    found = [each for each in state.values() if (each["reason"], each["regarding"]["name"]) == (reason, name)]
    assert len(found) < 2, found
    return found[0] if found else None


def _another(policy: str, uid: str) -> Callable[[Mapping[str, Json]], bool]:
    """Whether there is a policy of a name with another uid."""
    return lambda state: policy in state and state[policy]["metadata"]["uid"] != uid


def _count(event: Json | None) -> int:
    """How often an event happened."""
    return 0 if event is None else int(event.get("series", {}).get("count", 1))


async def _until(watch: Watch, reason: str, name: str) -> Json:
    """Wait for the event of a reason on an object, and give it."""
    event = await watch.until(lambda state: _find(state, reason, name), within=30, what=f"{reason} on {name}")
    assert event is not None
    return event


def _isolated(namespace: str, **spec: Any) -> Json:  # noqa: ANN401 - fields of a spec
    return {"namespaces": {"names": [namespace]}, **spec}


def _described(cluster: Cluster, isolation: str) -> set[tuple[str, str]]:
    """Read type and reason of the events that `kubectl describe` shows below an isolation."""
    shown = cluster.run_kubectl("describe", "nsiso", isolation).stdout.partition("\nEvents:")[2]
    return set(_KINDS.findall(shown))


def _told(cluster: Cluster, namespace: str, policy: str) -> list[tuple[str, str]]:
    """Read type and reason of what `kubectl events` tells of a policy; `kubectl describe` shows none of any policy."""
    told = cluster.run_kubectl("events", "-n", namespace, f"--for=netpol/{policy}", "--no-headers").stdout
    return sorted(_KINDS.findall(told))


async def test_an_isolation_tells_of_itself(stage: Stage, fresh: Operator, cluster: Cluster) -> None:
    """Accepted and Isolated, once for every edit; kubectl describe and kubectl events find them."""
    namespace = await stage.namespace()
    async with _events(stage, "default") as watch:
        isolation = await stage.isolation(_isolated(namespace))
        accepted = await _until(watch, "Accepted", isolation)
        isolated = await _until(watch, "Isolated", isolation)
        assert [(each["type"], each["note"]) for each in (accepted, isolated)] == [
            ("Normal", "The resource is valid."),
            ("Normal", "All policies are in place in 1 namespace."),
        ]
        assert isolated["regarding"] == {
            "apiVersion": "nsiso.dev/v1alpha1",
            "kind": "NamespaceIsolation",
            "name": isolation,
            "uid": (await stage.admin.get(isolation_path(isolation)))["metadata"]["uid"],
        }
        assert isolated["reportingController"] == "nsiso.dev/operator"
        assert _described(cluster, isolation) == {("Normal", "Accepted"), ("Normal", "Isolated")}
        for where in ((), ("-n", "default"), ("--all-namespaces",)):
            told = cluster.run_kubectl("events", f"--for=nsiso/{isolation}", *where).stdout
            assert "All policies are in place in 1 namespace." in told

        await stage.edit(isolation, {"defaultDeny": ["Ingress"]})
        await watch.until(lambda state: _count(_find(state, "Isolated", isolation)) == 2, what="isolated again")
        assert len(watch.state) == 2


async def test_drift_is_told_on_its_policy(stage: Stage, fresh: Operator, cluster: Cluster) -> None:
    """Who changed which fields; a deletion on the policy that was made anew; something extra though it is gone."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_isolated(namespace))
    await stage.converged(isolation)
    deny, dns = f"{isolation}.default-deny-all", f"{isolation}.allow-dns-egress"
    extra = {"metadata": {"name": f"{isolation}.allow-backdoor-ingress"}, "spec": {"podSelector": {}, "ingress": [{}]}}
    async with _events(stage, namespace) as watch:
        await stage.patch_policy(namespace, deny, _OPEN)
        await stage.admin.delete(policies_path(namespace, dns))
        made = await stage.admin.create(policies_path(namespace), extra)
        told = {name: await _until(watch, "DriftCorrected", name) for name in (deny, dns, made["metadata"]["name"])}
        assert len(watch.state) == 3
    policies = await stage.policies_in(namespace)
    of = f"of NamespaceIsolation {isolation}"
    backdoor = made["metadata"]["name"]
    assert [(each["type"], each["action"], each["note"]) for each in told.values()] == [
        (
            "Normal",
            "Update",
            f"NetworkPolicy {deny} {of} was changed (spec.egress; field manager {EDITOR}) and has been put back.",
        ),
        ("Normal", "Create", f"NetworkPolicy {dns} {of} was deleted and has been created anew."),
        (
            "Normal",
            "Delete",
            f"NetworkPolicy {backdoor} {of} is not asked for by it (field manager {EDITOR}) and has been removed.",
        ),
    ]
    uids = {name: event["regarding"]["uid"] for name, event in told.items()}
    live = {name: policies[name]["metadata"]["uid"] for name in (deny, dns)}
    assert uids == {**live, made["metadata"]["name"]: made["metadata"]["uid"]}
    for name in told:
        assert _told(cluster, namespace, name) == [("Normal", "DriftCorrected")]


async def test_a_policy_that_is_taken_over_and_one_that_is_taken_away(
    stage: Stage, fresh: Operator, cluster: Cluster
) -> None:
    """TookOver and UnmanagedRemoved, each on the policy."""
    namespace = await stage.namespace()
    deny = f"{stage.name}.default-deny-all"
    theirs: Json = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
    for name in (deny, "allow-all"):
        await stage.admin.create(policies_path(namespace), {"metadata": {"name": name}, "spec": theirs})
    async with _events(stage, namespace) as watch:
        isolation = await stage.isolation(_isolated(namespace, unmanagedPolicies="Remove"))
        taken = await _until(watch, "TookOver", deny)
        removed = await _until(watch, "UnmanagedRemoved", "allow-all")
        assert len(watch.state) == 2
    assert f"of NamespaceIsolation {isolation} had been made by somebody else" in taken["note"]
    assert _told(cluster, namespace, deny) == [("Normal", "TookOver")]
    assert f"allowed what NamespaceIsolation {isolation} denies by default" in removed["note"]
    assert _told(cluster, namespace, "allow-all") == [("Normal", "UnmanagedRemoved")]


async def test_what_audit_finds_is_told_once(stage: Stage, fresh: Operator, cluster: Cluster) -> None:
    """DriftDetected on the policy that stays as it is, also on one that is gone; not again after a restart."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_isolated(namespace))
    await stage.converged(isolation)
    await stage.edit(isolation, {"mode": "Audit"})
    await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "Audit")
    deny, dns = f"{isolation}.default-deny-all", f"{isolation}.allow-dns-egress"
    async with _events(stage, namespace) as watch:
        await stage.patch_policy(namespace, deny, _OPEN)
        await stage.admin.delete(policies_path(namespace, dns))
        changed = await _until(watch, "DriftDetected", deny)
        gone = await _until(watch, "DriftDetected", dns)
        assert [(each["type"], each["action"]) for each in (changed, gone)] == [("Warning", "Report")] * 2
        assert changed["note"].endswith(
            f"was changed (spec.egress; field manager {EDITOR}) and stays so: the isolation is in Audit."
        )
        assert gone["note"].endswith("was deleted and stays so: the isolation is in Audit.")
        assert _told(cluster, namespace, deny) == [("Warning", "DriftDetected")]
        await stage.until_status(isolation, lambda now: now["drift"]["outstanding"] == 2)
        seen = len(watch.events)
        assert await fresh.stop() == 0
        fresh.start()
        await fresh.ready()
        await stage.barrier()
        assert watch.kinds(seen) == []


async def test_a_failure_is_told_on_the_isolation_and_on_what_it_could_not_repair(
    stage: Stage, fresh: Operator, cluster: Cluster
) -> None:
    """Failed and DriftDetected with the server's words; once the cause is gone, Isolated and DriftCorrected."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_isolated(namespace))
    await stage.converged(isolation)
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    await stage.admin.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": _QUOTA}})
    await stage.admin.patch(f"{quotas}/none/status", {"status": {"hard": _QUOTA, "used": _QUOTA}})
    attempt = {"metadata": {"name": "attempt"}, "spec": {"podSelector": {}}}
    await refused(stage.admin, f"{policies_path(namespace)}?dryRun=All", attempt)
    dns = f"{isolation}.allow-dns-egress"
    async with _events(stage, namespace) as beside, _events(stage, "default") as watch:
        await stage.admin.delete(policies_path(namespace, dns))
        failed = await _until(watch, "Failed", isolation)
        assert failed["type"] == "Warning"
        assert f"{namespace}: Forbidden: " in failed["note"]
        detected = await _until(beside, "DriftDetected", dns)
        assert "was deleted, which could not be put right: Forbidden: " in detected["note"]
        assert "quota" in detected["note"]
        assert ("Warning", "Failed") in _described(cluster, isolation)
        before = len(watch.events)
        await stage.admin.delete(f"{quotas}/none")
        await _until(beside, "DriftCorrected", dns)
        again = await watch.event(lambda event: event.document["reason"] == "Isolated", since=before, within=30)
        assert again.document["type"] == "Normal"


async def test_who_deletes_again_and_again_makes_one_event_and_then_a_fight(
    stage: Stage, fresh: Operator, cluster: Cluster
) -> None:
    """One event with a growing series, whatever the uid; at the fifth time Fight, and Failed on the isolation."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_isolated(namespace))
    await stage.converged(isolation)
    deny = f"{isolation}.default-deny-all"
    async with _events(stage, namespace) as watch, stage.policies(namespace) as policies:
        for _ in range(5):
            uid = policies.state[deny]["metadata"]["uid"]
            await stage.admin.delete(policies_path(namespace, deny))
            await policies.until(_another(deny, uid))
        await watch.until(
            lambda state: _count(_find(state, "DriftCorrected", deny)) == 5,
            what="five repeats in one event",
        )
        fight = await _until(watch, "Fight", deny)
        assert (fight["type"], len(watch.state)) == ("Warning", 2)
        assert fight["regarding"]["uid"] == policies.state[deny]["metadata"]["uid"]
        assert ("Warning", "Fight") in _told(cluster, namespace, deny)
        drift = [event.document for event in watch.events if event.document["reason"] == "DriftCorrected"]
        counts = [_count(document) for document in drift]
        assert counts == sorted(set(counts))
        assert len(counts) <= 4
    async with _events(stage, "default") as watch:
        failed = await _until(watch, "Failed", isolation)
        assert f"{deny} in namespace {namespace} is changed back again and again" in failed["note"]


@pytest.mark.sandbox_only
@pytest.mark.parametrize("spread", [1, 3], ids=["one namespace", "three namespaces"])
async def test_a_mass_deletion_is_no_flood(stage: Stage, fresh: Operator, cluster: Cluster, spread: int) -> None:
    """300 policies deleted at once: all are back and counted, and no second has more than five events."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(spread)]
    local = {"podSelector": {"matchLabels": {"app": "x"}}}
    entries = (300 // spread - 2) // 2
    flows = [{"name": f"f-{index}", "from": [local], "to": [local]} for index in range(entries)]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}, "allow": flows})
    await stage.converged(isolation, matched=spread, within=60)
    since = cluster.audit_position()
    async with _events(stage, namespaces[-1]) as watch:
        await asyncio.gather(*(stage.delete_policies(namespace) for namespace in namespaces))
        await stage.until_status(isolation, lambda now: now["drift"]["corrected"] == 300, within=60)
        await watch.until(lambda state: len(state) >= 5, within=60, what="the first events")
    writes = _event_writes(cluster, since)
    times = [datetime.fromisoformat(write["requestReceivedTimestamp"]) for write in writes]
    assert len(times) >= 5
    assert all((later - earlier).total_seconds() > 0.99 for earlier, later in zip(times, times[5:], strict=False))
    assert {write["responseStatus"]["code"] for write in writes} == {201}
    assert len({write["objectRef"]["name"] for write in writes}) == len(writes)


@pytest.mark.sandbox_only
async def test_a_namespace_that_ends_takes_no_more_events(stage: Stage, fresh: Operator, cluster: Cluster) -> None:
    """The API server refuses them, which is no failure and no line of the log; later events are told."""
    namespace = await stage.namespace()
    local = {"podSelector": {"matchLabels": {"app": "x"}}}
    flows = [{"name": f"f-{index}", "from": [local], "to": [local]} for index in range(9)]
    config = f"/api/v1/namespaces/{namespace}/configmaps"
    await stage.admin.create(config, {"metadata": {"name": "hold", "finalizers": ["example.test/hold"]}})
    isolation = await stage.isolation(_isolated(namespace, allow=flows))
    await stage.converged(isolation)
    position, mark = cluster.audit_position(), fresh.mark()
    async with _events(stage, namespace) as watch, _events(stage, "default") as later:
        await stage.delete_policies(namespace)
        await watch.until(lambda state: state, within=30, what="the first event")
        await stage.admin.delete(f"{NAMESPACES_PATH}/{namespace}")
        other = await stage.isolation(_isolated(f"{stage.name}-nobody"), name=f"{stage.name}-later")
        await _until(later, "Accepted", other)
    codes = {write["responseStatus"]["code"] for write in _event_writes(cluster, position)}
    assert codes == {201, 403}
    assert fresh.complaints(mark) == []
    await stage.admin.patch(f"{config}/hold", {"metadata": {"finalizers": None}})


async def test_a_restart_of_a_converged_operator_is_no_event(stage: Stage, fresh: Operator) -> None:
    """What the statuses say already is not told again."""
    namespace = await stage.namespace()
    async with _events(stage, "default") as watch:
        isolation = await stage.isolation(_isolated(namespace))
        await _until(watch, "Isolated", isolation)
        assert await fresh.stop() == 0
        seen = len(watch.events)
        fresh.start()
        await fresh.ready()
        later = await stage.isolation(_isolated(f"{stage.name}-nobody"), name=f"{stage.name}-later")
        await _until(watch, "Accepted", later)
        assert {event.document["regarding"]["name"] for event in watch.events[seen:]} == {later}
    assert (await stage.policies_in(namespace)).keys() == standard(isolation)


async def test_what_is_untold_at_the_end_has_a_last_chance(stage: Stage, fresh: Operator) -> None:
    """The last repeats of a series are written before the operator goes."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_isolated(namespace))
    await stage.converged(isolation)
    deny = f"{isolation}.default-deny-all"
    async with _events(stage, namespace) as watch:
        for _ in range(3):
            await stage.patch_policy(namespace, deny, _OPEN)
            await stage.until_exact(namespace, isolation)
        assert await fresh.stop() == 0
        await watch.until(
            lambda state: _count(_find(state, "DriftCorrected", deny)) == 3,
            what="all repeats",
        )
    fresh.start()
    await fresh.ready()


def _event_writes(cluster: Cluster, since: int) -> list[Json]:
    """Give the operator's writes of events, in the order in which they came."""
    writes = cluster.audited_writes(since, user=OPERATOR_USER)
    events = [write for write in writes if write["objectRef"]["resource"] == "events"]
    return sorted(events, key=lambda write: str(write["requestReceivedTimestamp"]))

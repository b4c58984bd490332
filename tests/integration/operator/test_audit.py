"""Audit: nothing is written, and the status says what Enforce would do, and what drifts meanwhile."""

from __future__ import annotations

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.stage import EDITOR, Stage, condition, flow, standard
from tests.support.watching import Json

_FLOW = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "ports": [{"port": 8080}],
}
_OPENED: Json = {"spec": {"egress": [{}]}}
_NOTHING: Json = {"create": 0, "update": 0, "delete": 0, "first": []}

enforcing = pytest.mark.usefixtures("operator")


def _spec(*namespaces: str, **more: object) -> Json:
    return {"namespaces": {"names": list(namespaces)}, **more}


def _pending(status: Json) -> set[tuple[str, str, str]]:
    """Give what Enforce would do: action, policy without its isolation's prefix, and why."""
    return {(each["action"], each["policy"].rpartition(".")[2], each["why"]) for each in status["audit"]["first"]}


def _counts(status: Json) -> tuple[int, int, int]:
    audit = status.get("audit") or _NOTHING
    return int(audit["create"]), int(audit["update"]), int(audit["delete"])


def _told(status: Json) -> set[tuple[str, str, str, str]]:
    """Give the drifts that are told: policy without prefix, kind, who did it, what was done."""
    return {
        (each["policy"].rpartition(".")[2], each["kind"], each["manager"], each["action"])
        for each in status["drift"]["recent"]
    }


async def _audited(stage: Stage, isolation: str, *counts: int) -> Json:
    """Wait until so many policies would be created, updated and deleted, and give the status."""
    return await stage.until_status(
        isolation,
        lambda now: condition(now, "Ready").get("reason") == "Audit" and _counts(now) == counts,
        what=f"in Audit with {counts} to create, update and delete",
    )


async def _frozen(stage: Stage, **more: object) -> tuple[str, str]:
    """Isolate a namespace, switch to Audit, and give namespace and isolation."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, allow=[_FLOW], **more))
    await stage.converged(isolation)
    await stage.edit(isolation, {"mode": "Audit"})
    await _audited(stage, isolation, 0, 0, 0)
    return namespace, isolation


async def _drift(stage: Stage, namespace: str, isolation: str) -> None:
    """Open the denial, delete a policy, and make one that claims to be of the isolation."""
    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", _OPENED)
    await stage.admin.delete(policies_path(namespace, f"{isolation}.allow-dns-egress"))
    extra = {"metadata": {"name": f"{isolation}.allow-backdoor-ingress"}, "spec": {"podSelector": {}, "ingress": [{}]}}
    await stage.admin.create(policies_path(namespace), extra)


_DRIFTED = {
    ("default-deny-all", "Modified", EDITOR),
    ("allow-dns-egress", "Deleted", "unknown"),
    ("allow-backdoor-ingress", "Extra", EDITOR),
}


def _with(action: str) -> set[tuple[str, str, str, str]]:
    return {(*each, action) for each in _DRIFTED}


def _writes(cluster: Cluster, since: int, *mine: str) -> list[tuple[str, str]]:
    """Give verb and resource of what the operator wrote about these namespaces and isolations; Events apart."""
    targets = [(event["verb"], event["objectRef"]) for event in cluster.audited_writes(since, user=OPERATOR_USER)]
    return [
        (verb, "/".join(filter(None, (target["resource"], target.get("subresource")))))
        for verb, target in targets
        if target["resource"] != "events" and {target.get("namespace"), target.get("name")} & set(mine)
    ]


@enforcing
@pytest.mark.sandbox_only
async def test_a_new_resource_writes_its_status_and_nothing_else(stage: Stage, cluster: Cluster) -> None:
    """No policy and no finalizer; the status counts and names what Enforce would create, and says it plainly."""
    namespaces = [await stage.namespace("a"), await stage.namespace("b")]
    since = cluster.audit_position()
    isolation = await stage.isolation(_spec(*namespaces, allow=[_FLOW], mode="Audit"))
    status = await _audited(stage, isolation, 8, 0, 0)
    await stage.barrier()
    assert set(_writes(cluster, since, isolation, *namespaces)) == {("patch", "namespaceisolations/status")}
    for namespace in namespaces:
        assert await stage.policies_in(namespace) == {}
    metadata = (await stage.admin.get(isolation_path(isolation)))["metadata"]
    assert "finalizers" not in metadata

    named = {(each["namespace"], each["policy"], each["action"], each["why"]) for each in status["audit"]["first"]}
    policies = standard(isolation) | flow(isolation, "web-to-api")
    assert named == {(each, policy, "Create", "Wanted") for each in namespaces for policy in policies}
    assert status["namespaces"]["summary"] == "0/2"
    assert status["policies"]["summary"] == "0/8"
    assert status["drift"] == {"corrected": 0, "outstanding": 0, "recent": []}
    said = {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]}
    assert said == {
        "Accepted": ("True", "Accepted"),
        "Ready": ("True", "Audit"),
        "Reconciling": ("False", "Settled"),
        "Stalled": ("False", "NotStalled"),
    }
    message = condition(status, "Ready")["message"]
    assert "nothing is enforced by this resource" in message
    assert "create 8, update 0 and delete 0" in message


@enforcing
async def test_kubectl_shows_that_it_is_an_audit(stage: Stage, cluster: Cluster) -> None:
    """Mode and counts at a glance; `-o wide` adds the reason and the sentence."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, mode="Audit"))
    await _audited(stage, isolation, 2, 0, 0)
    header, row = cluster.run_kubectl("get", "nsiso", isolation).stdout.splitlines()
    assert header.split() == ["NAME", "MODE", "NAMESPACES", "POLICIES", "DRIFT", "READY", "AGE"]
    assert row.split()[:6] == [isolation, "Audit", "0/1", "0/2", "0", "True"]
    header, row = cluster.run_kubectl("get", "nsiso", isolation, "-o", "wide").stdout.splitlines()
    assert header.split()[7:] == ["REASON", "OUTSTANDING", "FAILED", "UNMANAGED", "MESSAGE"]
    assert row.split()[7:11] == ["Audit", "0", "0", "0"]
    assert "nothing is enforced" in row
    cluster.run_kubectl("wait", "--for=condition=Ready", "nsiso", isolation, "--timeout=10s")


@enforcing
async def test_policies_of_reserved_names_would_be_taken_over(stage: Stage) -> None:
    """What somebody else made under such a name is an update, equal in its spec or not; it is no drift, and stays."""
    namespace = await stage.namespace()
    denied: Json = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in (("default-deny-all", denied), ("allow-dns-egress", {**denied, "egress": [{}]})):
        body = {"metadata": {"name": f"{stage.name}.{name}"}, "spec": spec}
        await stage.admin.create(policies_path(namespace), body)
    before = await stage.policies_in(namespace)
    isolation = await stage.isolation(_spec(namespace, mode="Audit"))
    status = await _audited(stage, isolation, 0, 2, 0)
    assert _pending(status) == {
        ("Update", "default-deny-all", "TakenOver"),
        ("Update", "allow-dns-egress", "TakenOver"),
    }
    assert status["drift"]["outstanding"] == 0
    await stage.barrier()
    assert await stage.policies_in(namespace) == before
    assert (await stage.status(isolation))["unmanaged"]["count"] == 0


@enforcing
async def test_drift_in_what_was_enforced_is_told_once_and_not_repaired(stage: Stage) -> None:
    """An edit, a deletion and an extra policy are named and outstanding until somebody mends them by hand."""
    namespace, isolation = await _frozen(stage)
    before = await stage.policies_in(namespace)
    await _drift(stage, namespace, isolation)
    status = await stage.until_status(isolation, lambda now: now["drift"]["outstanding"] == 3)
    assert _counts(status) == (1, 1, 1)
    assert _pending(status) == {
        ("Update", "default-deny-all", "Modified"),
        ("Create", "allow-dns-egress", "Deleted"),
        ("Delete", "allow-backdoor-ingress", "Extra"),
    }
    assert _told(status) == _with("Reported")
    assert [each["fields"] for each in status["drift"]["recent"] if each["kind"] == "Modified"] == [["spec.egress"]]
    assert (status["drift"]["corrected"], status["namespaces"]["drifted"]) == (0, 1)
    assert (status["namespaces"]["summary"], status["policies"]["summary"]) == ("0/1", "2/4")

    await stage.label(namespace, look="again")
    await stage.barrier()
    frozen = await stage.policies_in(namespace)
    opened = frozen[f"{isolation}.default-deny-all"]["spec"]["egress"]
    assert (opened, len(frozen)) == ([{}], 4)
    assert len((await stage.status(isolation))["drift"]["recent"]) == 3

    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", {"spec": {"egress": None}})
    await stage.admin.delete(policies_path(namespace, f"{isolation}.allow-backdoor-ingress"))
    lost = before[f"{isolation}.allow-dns-egress"]
    kept = {key: lost["metadata"][key] for key in ("name", "labels", "annotations", "ownerReferences")}
    await stage.admin.create(policies_path(namespace), {"metadata": kept, "spec": lost["spec"]})
    status = await _audited(stage, isolation, 0, 0, 0)
    assert (status["drift"]["corrected"], status["drift"]["outstanding"]) == (0, 0)
    assert (status["namespaces"]["summary"], status["policies"]["summary"]) == ("1/1", "4/4")
    assert len(status["drift"]["recent"]) == 3

    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", _OPENED)
    status = await stage.until_status(isolation, lambda now: len(now["drift"]["recent"]) > 3, what="news again")
    assert (len(status["drift"]["recent"]), status["drift"]["outstanding"]) == (4, 1)


@enforcing
async def test_enforce_carries_out_what_audit_left(stage: Stage) -> None:
    """Audit → Enforce repairs every drift that was reported, counts it as corrected, and then nothing is pending."""
    namespace, isolation = await _frozen(stage)
    await _drift(stage, namespace, isolation)
    await stage.until_status(isolation, lambda now: now["drift"]["outstanding"] == 3)
    await stage.edit(isolation, {"mode": "Enforce"})
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "InSync")
    assert (status["drift"]["corrected"], status["drift"]["outstanding"]) == (3, 0)
    assert _told(status) == _with("Reported") | _with("Corrected")
    assert "audit" not in status


@enforcing
async def test_what_a_new_resource_would_create_is_created_with_enforce(stage: Stage) -> None:
    """Audit → Enforce on an untouched namespace: everything in place, nothing of it drift."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, allow=[_FLOW], mode="Audit"))
    await _audited(stage, isolation, 4, 0, 0)
    await stage.edit(isolation, {"mode": "Enforce"})
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "InSync")
    assert status["drift"] == {"corrected": 0, "outstanding": 0, "recent": []}


@enforcing
async def test_edits_of_the_spec_are_counted(stage: Stage) -> None:
    """Another port would update two policies; another denial and no flow would delete and create; none is drift."""
    namespace, isolation = await _frozen(stage)
    before = await stage.policies_in(namespace)
    await stage.edit(isolation, {"allow": [{**_FLOW, "ports": [{"port": 9090}]}]})
    status = await _audited(stage, isolation, 0, 2, 0)
    assert {why for _, _, why in _pending(status)} == {"Outdated"}
    await stage.edit(isolation, {"allow": [], "defaultDeny": ["Ingress"]})
    status = await _audited(stage, isolation, 1, 0, 4)
    assert {(action, why) for action, _, why in _pending(status)} == {("Create", "Wanted"), ("Delete", "Unwanted")}
    assert status["drift"]["outstanding"] == 0
    await stage.barrier()
    assert await stage.policies_in(namespace) == before


@enforcing
async def test_two_modes_on_one_namespace(stage: Stage) -> None:
    """Each acts for its own policies: one repairs, the other reports."""
    namespace = await stage.namespace()
    enforced, audited = f"{stage.name}-enforced", f"{stage.name}-audited"
    for name in (enforced, audited):
        await stage.isolation(_spec(namespace), name=name)
        await stage.converged(name)
    await stage.edit(audited, {"mode": "Audit"})
    await _audited(stage, audited, 0, 0, 0)
    for name in (enforced, audited):
        await stage.patch_policy(namespace, f"{name}.default-deny-all", _OPENED)
        await stage.admin.delete(policies_path(namespace, f"{name}.allow-dns-egress"))
    status = await stage.until_status(enforced, lambda now: now["drift"]["corrected"] == 2)
    assert status["drift"]["outstanding"] == 0
    await stage.converged(enforced)
    status = await _audited(stage, audited, 1, 1, 0)
    assert (status["drift"]["corrected"], status["drift"]["outstanding"]) == (0, 2)
    await stage.until_policies(namespace, {*standard(enforced), f"{audited}.default-deny-all"})
    assert (await stage.policies_in(namespace))[f"{audited}.default-deny-all"]["spec"]["egress"] == [{}]
    # Who goes takes only its own, though the other would like to have more.
    await stage.delete_isolation(enforced)
    await stage.barrier()
    assert (await stage.policies_in(namespace)).keys() == {f"{audited}.default-deny-all"}


@enforcing
async def test_removal_of_unmanaged_policies_is_only_counted(stage: Stage) -> None:
    """With `unmanagedPolicies: Remove` an opening policy is named as one that would go, and stays until Enforce."""
    namespace = await stage.namespace()
    body = {"metadata": {"name": "open"}, "spec": {"podSelector": {}, "ingress": [{}]}}
    await stage.admin.create(policies_path(namespace), body)
    isolation = await stage.isolation(_spec(namespace, mode="Audit", unmanagedPolicies="Remove"))
    status = await _audited(stage, isolation, 2, 0, 1)
    assert ("Delete", "open", "Unmanaged") in _pending(status)
    assert status["unmanaged"]["count"] == 1
    await stage.barrier()
    assert (await stage.policies_in(namespace)).keys() == {"open"}
    await stage.edit(isolation, {"mode": "Enforce"})
    await stage.until_exact(namespace, isolation)
    status = await stage.converged(isolation)
    assert (status["unmanaged"]["count"], status["drift"]["corrected"]) == (0, 0)


@enforcing
@pytest.mark.controller_manager
async def test_namespaces_come_and_go_meanwhile(stage: Stage) -> None:
    """A new namespace adds to what would be created, one that leaves to what would be deleted."""
    labels = {stage.name: "yes"}
    first = await stage.namespace("first", labels=labels)
    isolation = await stage.isolation({"namespaces": {"selector": {"matchLabels": labels}}})
    await stage.converged(isolation)
    await stage.edit(isolation, {"mode": "Audit"})
    await _audited(stage, isolation, 0, 0, 0)
    second = await stage.namespace("second", labels=labels)
    status = await _audited(stage, isolation, 2, 0, 0)
    assert status["namespaces"]["summary"] == "1/2"
    await stage.label(first, **{stage.name: None})
    status = await _audited(stage, isolation, 2, 0, 2)
    assert status["namespaces"]["summary"] == "0/1"
    assert status["drift"]["outstanding"] == 0
    await stage.admin.delete(f"{NAMESPACES_PATH}/{second}")
    status = await _audited(stage, isolation, 0, 0, 2)
    assert status["namespaces"]["matched"] == 0
    await stage.label(first, **{stage.name: "yes"})
    status = await _audited(stage, isolation, 0, 0, 0)
    assert status["namespaces"]["summary"] == "1/1"
    assert (await stage.policies_in(first)).keys() == standard(isolation)


@enforcing
@pytest.mark.sandbox_only
async def test_what_was_never_enforced_is_gone_at_once(stage: Stage, cluster: Cluster) -> None:
    """The deletion of such a resource waits for nobody and writes nothing."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, mode="Audit"))
    await _audited(stage, isolation, 2, 0, 0)
    await stage.barrier()  # a watch may tell of a write before it stands in the audit log
    since = cluster.audit_position()
    answer = await stage.admin.delete(isolation_path(isolation))
    assert "deletionTimestamp" not in answer.get("metadata", {})
    await stage.barrier()
    assert _writes(cluster, since, isolation, namespace) == []


@enforcing
async def test_what_was_enforced_goes_in_safe_order(stage: Stage) -> None:
    """A resource in Audit that is deleted takes its policies with it, denials first, drifted ones as well."""
    namespace, isolation = await _frozen(stage)
    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", {"metadata": {"labels": {"a": "b"}}})
    async with stage.policies(namespace) as watch:
        await stage.delete_isolation(isolation)
        await watch.until(lambda state: not state, what="no policy left")
        gone = [name for kind, name in watch.kinds() if kind == "DELETED"]
    assert gone[:2] == [f"{isolation}.default-deny-all", f"{isolation}.allow-dns-egress"]
    assert set(gone) == standard(isolation) | flow(isolation, "web-to-api")


@enforcing
async def test_what_was_enforced_stays_with_retain(stage: Stage) -> None:
    """`deletionPolicy: Retain` holds in Audit: only the ownerReferences go, and drift is left as it is."""
    namespace, isolation = await _frozen(stage)
    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", _OPENED)
    await stage.edit(isolation, {"deletionPolicy": "Retain"})
    await stage.delete_isolation(isolation)
    await stage.barrier()
    left = await stage.policies_in(namespace)
    assert left.keys() == standard(isolation) | flow(isolation, "web-to-api")
    assert all("ownerReferences" not in policy["metadata"] for policy in left.values())
    assert left[f"{isolation}.default-deny-all"]["spec"]["egress"] == [{}]


@pytest.mark.sandbox_only
async def test_a_restart_writes_nothing(stage: Stage, stopped_operator: Operator, cluster: Cluster) -> None:
    """With drift of every kind outstanding, the next process finds the same and leaves status and policies alone."""
    stopped_operator.start()
    namespace, isolation = await _frozen(stage)
    await _drift(stage, namespace, isolation)
    before = await stage.until_status(isolation, lambda now: now["drift"]["outstanding"] == 3)
    policies = await stage.policies_in(namespace)
    assert await stopped_operator.stop() == 0
    since = cluster.audit_position()
    stopped_operator.start()
    await stopped_operator.ready()
    await stage.barrier()
    # The barrier's own status is written later than what the start had to say of this one.
    await stage.converged(f"{stage.name}-barrier-1")
    assert _writes(cluster, since, isolation, namespace) == []
    assert await stage.policies_in(namespace) == policies
    assert await stage.status(isolation) == before


@enforcing
async def test_back_and_forth_ends_as_the_last_word_says(stage: Stage) -> None:
    """Modes that change in quick succession leave exactly what the last one asks for, and no drift."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, mode="Audit"))
    for mode in ("Enforce", "Audit", "Enforce", "Audit", "Enforce"):
        await stage.edit(isolation, {"mode": mode})
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "InSync")
    assert status["drift"]["corrected"] == 0

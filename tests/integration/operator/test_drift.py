"""Drift: whatever somebody does to a managed policy is undone and told, and what is not ours is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.stage import EDITOR, Stage, condition, flow, standard
from tests.support.watching import Json

pytestmark = pytest.mark.usefixtures("operator")

_FLOW = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "ports": [{"port": 8080}],
}
_MANAGED_BY = "app.kubernetes.io/managed-by"

# What somebody does to which policy, the fields that the status then names, and whether it can tell who it was:
# who only removes a field leaves no trace in managedFields.
_EDITS: dict[str, tuple[str, Json, list[str], bool]] = {
    "egress opened": ("default-deny-all", {"spec": {"egress": [{}]}}, ["spec.egress"], True),
    "ingress opened": ("default-deny-all", {"spec": {"ingress": [{}]}}, ["spec.ingress"], True),
    "narrowed to some pods": (
        "default-deny-all",
        {"spec": {"podSelector": {"matchLabels": {"app": "web"}}}},
        ["spec.podSelector"],
        True,
    ),
    "a direction taken away": (
        "default-deny-all",
        {"spec": {"policyTypes": ["Ingress"]}},
        ["spec.policyTypes"],
        True,
    ),
    "an allow widened to everyone": (
        "allow-web-to-api-ingress",
        {"spec": {"ingress": [{}]}},
        ["spec.ingress"],
        True,
    ),
    "another port allowed": (
        "allow-dns-egress",
        {"spec": {"egress": [{"ports": [{"port": 54, "protocol": "UDP"}]}]}},
        ["spec.egress"],
        True,
    ),
    "a label stripped": (
        "default-deny-all",
        {"metadata": {"labels": {_MANAGED_BY: None}}},
        [f"metadata.labels[{_MANAGED_BY}]"],
        False,
    ),
    "a label changed": (
        "default-deny-all",
        {"metadata": {"labels": {"nsiso.dev/isolation": "another"}}},
        ["metadata.labels[nsiso.dev/isolation]"],
        True,
    ),
    "the ownerReference removed": (
        "default-deny-all",
        {"metadata": {"ownerReferences": None}},
        ["metadata.ownerReferences"],
        False,
    ),
    "the hash changed": (
        "default-deny-all",
        {"metadata": {"annotations": {"nsiso.dev/hash": "1-0"}}},
        ["metadata.annotations[nsiso.dev/hash]"],
        True,
    ),
    "the description changed": (
        "default-deny-all",
        {"metadata": {"annotations": {"nsiso.dev/description": "nothing to see"}}},
        ["metadata.annotations[nsiso.dev/description]"],
        True,
    ),
    "opened, and every mark removed": (
        "default-deny-all",
        {
            "metadata": {"labels": None, "annotations": None, "ownerReferences": None},
            "spec": {"egress": [{}]},
        },
        [
            "spec.egress",
            f"metadata.labels[{_MANAGED_BY}]",
            "metadata.labels[nsiso.dev/isolation]",
            "metadata.annotations[nsiso.dev/description]",
            "metadata.annotations[nsiso.dev/hash]",
            "metadata.ownerReferences",
        ],
        True,
    ),
}


async def _isolated(stage: Stage, **spec: Any) -> tuple[str, str]:  # noqa: ANN401 - fields of a spec
    """Make a namespace with its isolation and wait until it is in place."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, **spec})
    await stage.converged(isolation)
    return namespace, isolation


async def test_every_edit_is_undone_and_told(stage: Stage) -> None:
    """Each edit of the table is undone in place; the status names policy, fields, who did it, and when."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(len(_EDITS))]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}, "allow": [_FLOW]})
    await stage.converged(isolation, matched=len(namespaces))
    times: list[str] = []
    # One after the other, each in its namespace: to open the same policy again and again would be a fight.
    for namespace, (name, patch, _, _) in zip(namespaces, _EDITS.values(), strict=True):
        before = await stage.policies_in(namespace)
        edited = await stage.patch_policy(namespace, f"{isolation}.{name}", patch)
        assert edited["metadata"]["resourceVersion"] != before[f"{isolation}.{name}"]["metadata"]["resourceVersion"]
        times.append(_changed_by(edited, EDITOR))
        await stage.until_exact(namespace, isolation)
        after = await stage.policies_in(namespace)
        uids = {name: policy["metadata"]["uid"] for name, policy in before.items()}
        assert {name: policy["metadata"]["uid"] for name, policy in after.items()} == uids

    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] >= len(_EDITS))
    assert status["drift"]["corrected"] == len(_EDITS)
    assert status["drift"]["outstanding"] == 0
    told = [{key: value for key, value in entry.items() if key != "time"} for entry in status["drift"]["recent"]]
    assert told[::-1] == [
        {
            "namespace": namespace,
            "policy": f"{isolation}.{name}",
            "kind": "Modified",
            "fields": fields,
            "action": "Corrected",
            **({"manager": EDITOR, "changed": changed} if known else {"manager": "unknown"}),
        }
        for namespace, changed, (name, _, fields, known) in zip(namespaces, times, _EDITS.values(), strict=True)
    ]
    assert condition(status, "Ready")["status"] == "True"


def _changed_by(policy: Json, manager: str) -> str:
    """Tell when a field manager last wrote a policy; empty where it owns nothing of it."""
    entries = policy["metadata"]["managedFields"]
    return next((str(each["time"]) for each in entries if each["manager"] == manager), "")


async def test_a_field_that_somebody_removes_is_nobodys(stage: Stage) -> None:
    """Who took a rule away is unknown, also where another one has edited the same policy before."""
    namespace, isolation = await _isolated(stage, allow=[_FLOW])
    name = f"{isolation}.allow-web-to-api-ingress"
    await stage.patch_policy(namespace, name, {"metadata": {"labels": {"team": "payments"}}})
    await stage.patch_policy(namespace, name, {"spec": {"ingress": None}})
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] == 1)
    (entry,) = status["drift"]["recent"]
    assert (entry["fields"], entry["manager"]) == (["spec.ingress"], "unknown")
    assert "changed" not in entry


async def test_a_deleted_policy_comes_back(stage: Stage) -> None:
    """A deleted policy is created anew and told as Deleted."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.default-deny-all"
    async with stage.policies(namespace) as watch:
        await stage.admin.delete(policies_path(namespace, name))
        await watch.event(lambda event: event.kind == "ADDED", what="the policy back")
        assert watch.kinds() == [("DELETED", name), ("ADDED", name)]
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] == 1)
    (entry,) = status["drift"]["recent"]
    assert (entry["kind"], entry["policy"], entry["action"]) == ("Deleted", name, "Corrected")
    assert entry["manager"] == "unknown"
    assert not entry.keys() & {"fields", "changed"}


async def test_all_policies_deleted_at_once_come_back(stage: Stage) -> None:
    """A deletecollection in an isolated namespace is undone, every policy counted once."""
    namespace, isolation = await _isolated(stage, allow=[_FLOW])
    async with stage.policies(namespace) as watch:
        await stage.delete_policies(namespace)
        await watch.until(lambda state: len(state) == 4 and watch.count("ADDED") == 4, what="four policies back")
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] >= 4)
    assert status["drift"]["corrected"] == 4


async def test_foreign_metadata_survives_a_repair(stage: Stage) -> None:
    """Labels, annotations, finalizers and ownerReferences of others stay when the spec is put right."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.default-deny-all"
    config = await stage.admin.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "owner"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": config["metadata"]["uid"]}
    ours = (await stage.policies_in(namespace))[name]["metadata"]["ownerReferences"]
    foreign = {
        "labels": {"team": "payments"},
        "annotations": {"example.test/note": "keep me"},
        "finalizers": ["example.test/hold"],
        "ownerReferences": [owner, *ours],
    }
    await stage.patch_policy(namespace, name, {"metadata": foreign, "spec": {"egress": [{}]}})
    await stage.until_exact(namespace, isolation)
    metadata = (await stage.policies_in(namespace))[name]["metadata"]
    assert metadata["labels"]["team"] == "payments"
    assert metadata["annotations"]["example.test/note"] == "keep me"
    assert metadata["finalizers"] == ["example.test/hold"]
    assert owner in metadata["ownerReferences"]
    await stage.patch_policy(namespace, name, {"metadata": {"finalizers": None}})


async def test_foreign_metadata_alone_is_no_drift(stage: Stage) -> None:
    """A label and an annotation of others on a managed policy bring no write and no count."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.default-deny-all"
    async with stage.policies(namespace) as watch:
        foreign = {"labels": {"team": "payments"}, "annotations": {"example.test/note": "x"}}
        await stage.patch_policy(namespace, name, {"metadata": foreign})
        await stage.barrier()
        assert watch.kinds() == [("MODIFIED", name)]
    assert (await stage.status(isolation))["drift"]["corrected"] == 0


async def test_a_policy_of_a_reserved_name_is_taken_over(stage: Stage) -> None:
    """What somebody made under a reserved name before becomes ours, keeps its own marks, and is no drift."""
    namespace = await stage.namespace()
    name = f"{stage.name}.default-deny-all"
    theirs = {
        "metadata": {"name": name, "annotations": {"example.test/note": "mine"}, "labels": {"team": "x"}},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": [{}]},
    }
    made = await stage.admin.create(policies_path(namespace), theirs)
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.until_exact(namespace, isolation)
    metadata = (await stage.policies_in(namespace))[name]["metadata"]
    assert metadata["uid"] == made["metadata"]["uid"]
    assert metadata["annotations"]["example.test/note"] == "mine"
    assert metadata["labels"]["team"] == "x"
    status = await stage.converged(isolation)
    assert (status["drift"]["corrected"], status["policies"]["inPlace"]) == (0, 2)


async def test_a_deleted_policy_that_somebody_holds(stage: Stage) -> None:
    """While a foreign finalizer holds it, it is not in place and the status says why; once let go, it is made anew."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.default-deny-all"
    await stage.patch_policy(namespace, name, {"metadata": {"finalizers": ["example.test/hold"]}})
    held = await stage.admin.delete(policies_path(namespace, name))
    status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["status"] == "False")
    assert (status["policies"]["desired"], status["policies"]["inPlace"]) == (2, 1)
    assert (status["namespaces"]["inSync"], status["namespaces"]["failed"]) == (0, 1)
    assert [problem["reason"] for problem in status["problems"]] == ["HeldByFinalizer"]
    await stage.patch_policy(namespace, name, {"spec": {"egress": [{}]}})
    await stage.barrier()
    still = (await stage.policies_in(namespace))[name]
    assert (still["metadata"]["uid"], still["spec"].get("egress")) == (held["metadata"]["uid"], None)
    await stage.patch_policy(namespace, name, {"metadata": {"finalizers": None}})
    async with stage.policies(namespace) as watch:
        uid = held["metadata"]["uid"]
        await watch.until(lambda state: name in state and state[name]["metadata"]["uid"] != uid, what="a new one")
    await stage.until_exact(namespace, isolation)
    await stage.converged(isolation)


@pytest.mark.parametrize("held", ["allow-dns-egress", "default-deny-all"])
async def test_a_deleted_isolation_whose_policy_somebody_holds(stage: Stage, held: str) -> None:
    """The resource goes: a tenant's finalizer holds the policy that it is on, and no resource of the cluster."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.{held}"
    await stage.patch_policy(namespace, name, {"metadata": {"finalizers": ["example.test/hold"]}})
    await stage.delete_isolation(isolation)
    async with stage.policies(namespace) as watch:
        await watch.until(lambda state: "deletionTimestamp" in state[name]["metadata"], what="the held policy deleted")
        await stage.patch_policy(namespace, name, {"metadata": {"finalizers": None}})
        await watch.until(lambda state: not state, what="the policies gone")


async def test_policies_that_claim_to_be_ours_are_removed(stage: Stage) -> None:
    """Our labels, our ownerReference, or the form of our names on a policy that nobody asked for: Extra, removed."""
    namespace, isolation = await _isolated(stage)
    uid = (await stage.admin.get(isolation_path(isolation)))["metadata"]["uid"]
    owner = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": isolation, "uid": uid}
    claims: tuple[Json, ...] = (
        {"name": "by-labels", "labels": {_MANAGED_BY: "nsiso", "nsiso.dev/isolation": isolation}},
        {"name": "by-owner", "ownerReferences": [owner]},
        {"name": f"{isolation}.allow-backdoor-ingress"},
        {"name": f"{isolation}.default-deny-egress"},
    )
    made = {}
    for metadata in claims:
        body = {"metadata": metadata, "spec": {"podSelector": {}, "ingress": [{}]}}
        policy = await stage.admin.create(policies_path(namespace), body)
        made[metadata["name"]] = ("Extra", EDITOR, policy["metadata"]["creationTimestamp"])
    await stage.until_exact(namespace, isolation)
    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] >= len(claims))
    assert status["drift"]["corrected"] == len(claims)
    told = {entry["policy"]: (entry["kind"], entry["manager"], entry["changed"]) for entry in status["drift"]["recent"]}
    assert told == made


async def test_policies_of_others_are_left_alone(stage: Stage) -> None:
    """Half of our marks, our prefix alone, or a name of no isolation make a policy not ours."""
    namespace, isolation = await _isolated(stage)
    others: tuple[Json, ...] = (
        {"name": "allow-all"},
        {"name": "half-marked", "labels": {_MANAGED_BY: "nsiso"}},
        {"name": "other-half", "labels": {"nsiso.dev/isolation": isolation}},
        {"name": "of-helm", "labels": {_MANAGED_BY: "Helm", "nsiso.dev/isolation": isolation}},
        {"name": f"{isolation}.something-else"},
        {"name": "no-such-isolation.default-deny-all"},
        {"name": f"{isolation}-2.allow-dns-egress"},
    )
    made = {}
    for metadata in others:
        body = {"metadata": metadata, "spec": {"podSelector": {}, "ingress": [{}]}}
        policy = await stage.admin.create(policies_path(namespace), body)
        made[metadata["name"]] = policy
    await stage.barrier()
    await stage.delete_isolation(isolation)
    await stage.barrier()
    assert await stage.policies_in(namespace) == {
        name: {key: value for key, value in policy.items() if key not in {"apiVersion", "kind"}}
        for name, policy in made.items()
    }


async def test_retained_policies_stay_without_their_owner(stage: Stage) -> None:
    """With deletionPolicy Retain the resource goes and its policies stay, as they were and owned by nobody."""
    namespace, isolation = await _isolated(stage, allow=[_FLOW], deletionPolicy="Retain")
    before = await stage.policies_in(namespace)
    assert before.keys() == standard(isolation) | flow(isolation, "web-to-api")
    assert [policy["metadata"].get("ownerReferences") for policy in before.values()] == [None] * 4
    await stage.delete_isolation(isolation)
    await stage.barrier()
    assert await stage.policies_in(namespace) == before
    # A new resource of that name finds its own again.
    await stage.isolation({"namespaces": {"names": [namespace]}, "allow": [_FLOW]})
    await stage.until_exact(namespace, isolation)
    after = await stage.policies_in(namespace)
    assert {policy["metadata"]["uid"] for policy in after.values()} == {
        policy["metadata"]["uid"] for policy in before.values()
    }
    assert (await stage.converged(isolation))["drift"]["corrected"] == 0


async def test_retain_that_is_set_at_the_last_moment(stage: Stage) -> None:
    """Switching to Retain takes the ownerReferences away before the resource may go; nothing is removed."""
    namespace, isolation = await _isolated(stage)
    async with stage.policies(namespace) as watch:
        await stage.edit(isolation, {"deletionPolicy": "Retain"})
        await stage.delete_isolation(isolation)
        await stage.barrier()
        assert watch.count("DELETED") == 0
        assert [policy["metadata"].get("ownerReferences") for policy in watch.state.values()] == [None, None]


@pytest.mark.sandbox_only
async def test_a_repair_costs_one_read_and_one_write(stage: Stage, cluster: Cluster, operator: Operator) -> None:
    """Our own write comes back on the watch and wakes nobody: one GET and one PUT, and then nothing more."""
    namespace, isolation = await _isolated(stage)
    name = f"{isolation}.default-deny-all"
    since = cluster.audit_position()
    await stage.patch_policy(namespace, name, {"spec": {"egress": [{}]}})
    await stage.until_exact(namespace, isolation)
    await stage.barrier()
    requests = [
        event["verb"]
        for event in cluster.audit_events(since)
        if event["user"]["username"] == OPERATOR_USER and event["objectRef"].get("namespace") == namespace
        if event["objectRef"]["resource"] == "networkpolicies"
    ]
    assert requests == ["get", "update"]

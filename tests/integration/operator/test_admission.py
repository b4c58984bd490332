"""Admission that changes what the operator writes: the status does not take for granted what was not stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise

import pytest

from namespace_isolation.cluster import ApiError
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER
from tests.support.stage import EDITOR, Stage, condition, is_settled, standard, suppress_missing
from tests.support.watching import DEADLINE, Json

# The resource is served from 1.36; older clusters know it as a beta or not at all.
pytestmark = [pytest.mark.usefixtures("operator"), pytest.mark.sandbox_only]

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_DENY = ".default-deny-all"


async def _is_opened(stage: Stage, namespace: str) -> bool:
    """Ask the API server what it would store for a denial now; nothing else tells when admission is in force."""
    probe = {
        "metadata": {"name": f"probe{_DENY}"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }
    # The operator would take a managed name for its own: the probe belongs to no isolation, and is never stored.
    stored = await stage.admin.create(f"{policies_path(namespace)}?dryRun=All", probe)
    return "egress" in stored["spec"]


async def _until_opened(stage: Stage, namespace: str, *, opened: bool) -> None:
    async with asyncio.timeout(DEADLINE):
        while await _is_opened(stage, namespace) is not opened:
            pass


def _constraints(namespace: str, *operations: str) -> Json:
    """Let an admission policy concern the NetworkPolicies of one namespace."""
    rule = {
        "apiGroups": ["networking.k8s.io"],
        "apiVersions": ["v1"],
        "operations": list(operations),
        "resources": ["networkpolicies"],
    }
    labels = {"kubernetes.io/metadata.name": namespace}
    return {"namespaceSelector": {"matchLabels": labels}, "resourceRules": [rule]}


@pytest.fixture
async def meddled(stage: Stage) -> AsyncIterator[str]:
    """Give a namespace in which admission opens the egress of every denial on its way."""
    namespace = await stage.namespace()
    policy: Json = {
        "metadata": {"name": stage.name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": _constraints(namespace, "CREATE", "UPDATE"),
            "matchConditions": [{"name": "denial", "expression": f"object.metadata.name.endsWith('{_DENY}')"}],
            "mutations": [
                {
                    "patchType": "JSONPatch",
                    "jsonPatch": {"expression": '[JSONPatch{op: "add", path: "/spec/egress", value: [{}]}]'},
                }
            ],
        },
    }
    binding: Json = {"metadata": {"name": stage.name}, "spec": {"policyName": stage.name}}
    await stage.admin.create(f"{_ADMISSION}/mutatingadmissionpolicies", policy)
    await stage.admin.create(f"{_ADMISSION}/mutatingadmissionpolicybindings", binding)
    await _until_opened(stage, namespace, opened=True)
    yield namespace
    await _lift(stage, namespace)


async def _lift(stage: Stage, namespace: str) -> None:
    """Take the admission policy away, where it is still there."""
    for kind in ("mutatingadmissionpolicybindings", "mutatingadmissionpolicies"):
        with suppress_missing():
            await stage.admin.delete(f"{_ADMISSION}/{kind}/{stage.name}")
    await _until_opened(stage, namespace, opened=False)


def _tries(cluster: Cluster, since: int, namespace: str, name: str) -> list[float]:
    """Tell when the operator tried to write a policy (seconds): one that is stored as it was is no event of a watch."""
    return [
        datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
        for event in cluster.audited_writes(since, user=OPERATOR_USER)
        for target in (event["objectRef"],)
        if (target["resource"], target.get("namespace")) == ("networkpolicies", namespace)
        if name in {target.get("name"), event.get("responseObject", {}).get("metadata", {}).get("name")}
    ]


async def test_a_denial_that_admission_opens_is_not_in_place(stage: Stage, meddled: str, cluster: Cluster) -> None:
    """A fight after five tries: named, tried ever less often; over once the admission policy is gone."""
    other = await stage.namespace("other")
    name = f"{stage.name}{_DENY}"
    since = cluster.audit_position()
    isolation = await stage.isolation({"namespaces": {"names": [meddled, other]}})
    status = await stage.until_status(
        isolation,
        lambda found: condition(found, "Ready").get("reason") == "Fight" and found["namespaces"]["inSync"] == 1,
    )
    (problem,) = status["problems"]
    assert (problem["namespace"], problem["reason"]) == (meddled, "Fight")
    assert "admission" in problem["message"]
    ready = condition(status, "Ready")
    assert ready["status"] == "False"
    for word in (name, meddled, "admission"):
        assert word in ready["message"]
    assert status["namespaces"]["summary"] == "1/2"
    assert status["policies"]["summary"] == "3/4"
    assert status["drift"]["corrected"] == 0
    await stage.until_policies(other, standard(isolation))

    await stage.until_status(isolation, lambda found: "wait 4 s" in found["problems"][0]["message"], what="4 s pause")
    tries = _tries(cluster, since, meddled, name)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    print("pauses between tries:", [round(each, 2) for each in pauses])  # noqa: T201 - shown where it fails, and with -s
    assert all(pause < 1.0 for pause in pauses[:-2])
    assert (len(pauses), int(pauses[-2] + 0.1), int(pauses[-1] + 0.1)) == (6, 1, 2)

    await _lift(stage, meddled)
    await stage.until_exact(meddled, isolation)
    status = await stage.until_status(isolation, lambda found: found["policies"]["inPlace"] == 4)
    # However often it was tried, it is one drift: told once when it was found, and once when it was mended.
    told = [(each["policy"], each["kind"], each["fields"], each["action"]) for each in status["drift"]["recent"]]
    assert told == [(name, "Modified", ["spec.egress"], action) for action in ("Corrected", "Failed")]
    assert (status["drift"]["corrected"], status["drift"]["outstanding"]) == (1, 0)


async def _is_forbidden(stage: Stage, namespace: str) -> bool:
    try:
        await stage.patch_policy(namespace, "probe", {"metadata": {"labels": {"some": "label"}}})
    except ApiError as error:
        assert "hands off" in error.message  # noqa: PT017 - whatever else it is, it is not what is waited for
        return True
    return False


@pytest.fixture
async def forbidding(stage: Stage) -> AsyncIterator[str]:
    """Give a namespace whose policies the operator may neither change nor delete, and nobody the one called probe."""
    namespace = await stage.namespace("forbidding")
    await stage.admin.create(policies_path(namespace), {"metadata": {"name": "probe"}, "spec": {"podSelector": {}}})
    concerned = f"request.userInfo.username == '{OPERATOR_USER}' || request.name == 'probe'"
    policy: Json = {
        "metadata": {"name": f"{stage.name}-forbid"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": _constraints(namespace, "UPDATE", "DELETE"),
            "matchConditions": [{"name": "concerned", "expression": concerned}],
            "validations": [{"expression": "false", "message": "hands off"}],
        },
    }
    spec = {"policyName": f"{stage.name}-forbid", "validationActions": ["Deny"]}
    kinds = {"validatingadmissionpolicies": policy, "validatingadmissionpolicybindings": {**policy, "spec": spec}}
    for kind, body in kinds.items():
        await stage.admin.create(f"{_ADMISSION}/{kind}", body)
    async with asyncio.timeout(DEADLINE):
        while not await _is_forbidden(stage, namespace):
            pass
    yield namespace
    for kind in reversed(kinds):
        with suppress_missing():
            await stage.admin.delete(f"{_ADMISSION}/{kind}/{stage.name}-forbid")


@pytest.mark.parametrize("kind", ["Modified", "Extra"])
async def test_a_drift_that_may_not_be_repaired_is_outstanding(stage: Stage, forbidding: str, kind: str) -> None:
    """It is told once, as failed, with fields, field manager and time, and counts until somebody lets it be mended."""
    isolation = await stage.isolation({"namespaces": {"names": [forbidding]}})
    await stage.converged(isolation)
    if kind == "Modified":
        name, fields = f"{isolation}{_DENY}", {"fields": ["spec.egress"]}
        drifted = await stage.patch_policy(forbidding, name, {"spec": {"egress": [{}]}})
    else:
        name, fields = f"{isolation}.allow-backdoor-ingress", {}
        body = {"metadata": {"name": name}, "spec": {"podSelector": {}, "ingress": [{}]}}
        drifted = await stage.admin.create(policies_path(forbidding), body)
    status = await stage.until_status(isolation, lambda found: found["drift"]["outstanding"] == 1)
    changed = next(each["time"] for each in drifted["metadata"]["managedFields"] if each["manager"] == EDITOR)
    told = [{key: value for key, value in each.items() if key != "time"} for each in status["drift"]["recent"]]
    evidence = {"namespace": forbidding, "policy": name, "kind": kind, "manager": EDITOR, "changed": changed, **fields}
    assert told == [{**evidence, "action": "Failed"}]
    assert "hands off" in status["problems"][0]["message"]
    assert (status["drift"]["corrected"], status["namespaces"]["drifted"]) == (0, 1)
    assert condition(status, "Ready")["reason"] == "Failed"
    await stage.admin.delete(f"{_ADMISSION}/validatingadmissionpolicybindings/{stage.name}-forbid")
    status = await stage.until_status(isolation, lambda found: found["drift"]["corrected"] == 1)
    await stage.until_policies(forbidding, {*standard(isolation), "probe"})
    assert [each["action"] for each in status["drift"]["recent"]] == ["Corrected", "Failed"]
    assert status["drift"]["outstanding"] == 0
    assert is_settled(status, 1)

"""Admission that changes what the operator writes: the status does not take for granted what was not stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from namespace_isolation.observe.policies import policies_path
from tests.support.stage import Stage, condition, is_settled, standard, suppress_missing
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


@pytest.fixture
async def meddled(stage: Stage) -> AsyncIterator[str]:
    """Give a namespace in which admission opens the egress of every denial on its way."""
    namespace = await stage.namespace()
    policy: Json = {
        "metadata": {"name": stage.name},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "resourceRules": [
                    {
                        "apiGroups": ["networking.k8s.io"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["networkpolicies"],
                    }
                ],
            },
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


async def test_a_denial_that_admission_opens_is_not_in_place(stage: Stage, meddled: str) -> None:
    """The status names the field, other namespaces are isolated, and all is well once the admission policy is gone."""
    other = await stage.namespace("other")
    isolation = await stage.isolation({"namespaces": {"names": [meddled, other]}})
    status = await stage.until_status(
        isolation, lambda found: bool(found.get("problems")) and found["namespaces"]["inSync"] == 1
    )
    (problem,) = status["problems"]
    assert (problem["namespace"], problem["reason"]) == (meddled, "ChangedOnWrite")
    assert "spec.egress" in problem["message"]
    assert status["namespaces"]["summary"] == "1/2"
    assert status["policies"]["summary"] == "3/4"
    assert condition(status, "Ready")["status"] == "False"
    await stage.until_policies(other, standard(isolation))
    await _lift(stage, meddled)
    await stage.until_status(isolation, lambda found: is_settled(found, 2))

"""The operator's role, held against what it asks for in a whole life: nothing is missing, nothing is left over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import yaml

from namespace_isolation.cluster import ApiError
from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import MANIFESTS, OPERATOR_USER, Operator
from tests.support.stage import Stage, admin_of

_FORBIDDEN = 403


def _granted() -> set[tuple[str, str, str]]:
    """Read group, resource and verb of every right in the manifests."""
    documents = list(yaml.safe_load_all((MANIFESTS / "rbac.yaml").read_text()))
    (role,) = (document for document in documents if document["kind"] == "ClusterRole")
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _asked(event: dict[str, Any]) -> tuple[str, str, str]:
    reference = event["objectRef"]
    subresource = reference.get("subresource")
    resource = f"{reference['resource']}/{subresource}" if subresource else reference["resource"]
    return reference.get("apiGroup", ""), resource, event["verb"]


@pytest.mark.sandbox_only
async def test_a_whole_life_uses_every_right_and_lacks_none(
    stage: Stage, stopped_operator: Operator, cluster: Cluster
) -> None:
    """From start to stop: no request is answered with 403, and each right of the role was used."""
    since = cluster.audit_position()
    stopped_operator.start()
    await stopped_operator.ready()
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
    await stage.until_exact(namespace, isolation)
    await stage.admin.delete(policies_path(namespace, f"{isolation}.allow-dns-egress"))
    await stage.until_exact(namespace, isolation)
    await stage.edit(isolation, {"defaultDeny": ["Ingress"]})
    await stage.converged(isolation)
    await _conflict(stage, isolation, cluster, since)
    await stage.delete_isolation(isolation)
    assert await stopped_operator.stop() == 0

    requests = [event for event in cluster.audit_events(since) if event["user"]["username"] == OPERATOR_USER]
    denied = [_asked(event) for event in requests if event.get("responseStatus", {}).get("code") == _FORBIDDEN]
    assert denied == []
    # What is no resource (/version, /apis) is open to everybody.
    asked = {_asked(event) for event in requests if event.get("objectRef", {}).get("resource")}
    assert asked == _granted()


async def _conflict(stage: Stage, isolation: str, cluster: Cluster, since: int) -> None:
    """Edit the resource until one of the operator's writes meets an edit, after which it reads the resource anew."""
    edits = 0
    read = ("nsiso.dev", "namespaceisolations", "get")
    async with asyncio.timeout(30):
        while not any(_asked(event) == read for event in cluster.audit_events(since) if _is_operators(event)):
            for _ in range(20):
                edits += 1
                metadata = {"finalizers": None, "annotations": {"example.test/edit": str(edits)}}
                await stage.admin.patch(isolation_path(isolation), {"metadata": metadata})


def _is_operators(event: dict[str, Any]) -> bool:
    return event["user"]["username"] == OPERATOR_USER and bool(event.get("objectRef", {}).get("resource"))


@pytest.mark.parametrize("path", ["/api/v1/secrets", "/api/v1/namespaces/kube-system/secrets/any"])
async def test_the_running_operators_token_reads_no_secrets(
    stopped_operator: Operator, path: str, cluster: Cluster
) -> None:
    """The very kubeconfig that these tests run the operator with is refused (more in test_manifests.py)."""
    async with admin_of(stopped_operator.kubeconfig) as operator:
        with pytest.raises(ApiError) as refusal:
            await operator.get(path)
    assert refusal.value.status == _FORBIDDEN
    assert OPERATOR_USER in refusal.value.message

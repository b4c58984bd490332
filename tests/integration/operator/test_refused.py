"""A resource that is not accepted changes nothing: what is in place stays, nothing is added, repaired or removed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy

import pytest

from namespace_isolation.apply.events import events_path
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.operator import CRD, Operator
from tests.support.stage import Admin, Stage, accepted, condition, refused, standard
from tests.support.watching import Json, watching

pytestmark = pytest.mark.usefixtures("operator")

_CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{CRD}"
_DRY_RUN = f"{ISOLATIONS_PATH}?dryRun=All"
_SCRAPE = {
    "name": "prometheus",
    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}],
    "ports": [{"port": 9090}],
}
_BAD_PORT = {**_SCRAPE, "ports": [{"port": 99999}]}


def _probe(stage: Stage) -> Json:
    spec = {"namespaces": {"names": [stage.name]}, "allow": [_BAD_PORT]}
    return {
        "apiVersion": "nsiso.dev/v1alpha1",
        "kind": "NamespaceIsolation",
        "metadata": {"name": f"{stage.name}-probe"},
        "spec": spec,
    }


async def _put_schema(admin: Admin, schema: Json) -> None:
    definition = await admin.get(_CRD_PATH)
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema
    await admin.replace(_CRD_PATH, definition)


@pytest.fixture
async def lenient(stage: Stage) -> AsyncIterator[None]:
    """Let the API server accept any spec, as an older CRD or a bypassed validation would; afterwards no more."""
    definition = await stage.admin.get(_CRD_PATH)
    strict = deepcopy(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    anything: Json = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    loose = {"type": "object", "properties": {"spec": anything, "status": anything}}
    await _put_schema(stage.admin, loose)
    try:
        await accepted(stage.admin, _DRY_RUN, _probe(stage))
        yield
    finally:
        await _put_schema(stage.admin, strict)
        await refused(stage.admin, _DRY_RUN, _probe(stage))


async def test_the_api_server_refuses_the_probe(stage: Stage) -> None:
    """With the schema in place no such resource reaches the operator: the next test has to take it away."""
    await refused(stage.admin, _DRY_RUN, _probe(stage))


@pytest.mark.usefixtures("lenient")
async def test_an_invalid_edit_changes_nothing_and_is_said(stage: Stage, operator: Operator) -> None:
    """Accepted is False with path and reason; policies stay as they are, drift included, until it is mended."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [f"{stage.name}-*"]}, "allow": [_SCRAPE]})
    await stage.converged(isolation)
    before = await stage.policies_in(namespace)
    assert before.keys() == standard(isolation) | {f"{isolation}.allow-prometheus-ingress"}
    since = operator.mark()

    await stage.edit(isolation, {"allow": [_BAD_PORT], "defaultDeny": []})
    status = await stage.until_status(isolation, lambda now: condition(now, "Accepted")["status"] == "False")
    said = condition(status, "Accepted")
    assert said["reason"] == "Invalid"
    assert "spec.allow[0].ports[0].port" in said["message"]
    async with watching(stage.admin, events_path("default"), keep=lambda event: event["type"] == "Warning") as events:
        warned = {("NotAccepted", isolation, said["message"])}
        await events.until(
            lambda state: warned <= {(e["reason"], e["regarding"]["name"], e["note"]) for e in state.values()},
            what="the warning on the isolation",
        )
    ready = condition(status, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "NotAccepted")
    assert await stage.policies_in(namespace) == before

    # Neither repaired nor removed nor added while it is not accepted.
    opened = await stage.patch_policy(namespace, f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
    await stage.admin.delete(policies_path(namespace, f"{isolation}.allow-dns-egress"))
    other = await stage.namespace("other")
    await stage.barrier()
    left = await stage.policies_in(namespace)
    assert left.keys() == before.keys() - {f"{isolation}.allow-dns-egress"}
    assert left[f"{isolation}.default-deny-all"]["metadata"]["uid"] == opened["metadata"]["uid"]
    assert left[f"{isolation}.default-deny-all"]["spec"]["egress"] == [{}]
    assert await stage.policies_in(other) == {}
    assert {line.event.partition(":")[0] for line in operator.complaints(since)} == {"isolation not accepted"}

    await stage.edit(isolation, {"allow": [_SCRAPE], "defaultDeny": ["Ingress", "Egress"]})
    for each in (namespace, other):
        await stage.until_exact(each, isolation)
    # The namespaces of the barriers match the glob, too.
    status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["status"] == "True")
    assert condition(status, "Accepted")["status"] == "True"


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"namespaces": {}}, "spec.namespaces"),
        ({}, "spec.namespaces"),
        ({"namespaces": {"names": ["x"]}, "mode": "Maybe"}, "spec.mode"),
        ({"namespaces": {"names": "not-a-list"}}, "spec.namespaces.names"),
        ({"namespaces": {"names": ["x"]}, "allow": [{"name": "dns", "to": [{"podSelector": {}}]}]}, "spec.allow[0]"),
    ],
    ids=["no namespaces", "empty spec", "unknown mode", "wrong type", "reserved name"],
)
async def test_a_new_resource_that_is_invalid_is_only_told(stage: Stage, spec: Json, path: str) -> None:
    """Whatever JSON comes in, the status says where it is wrong, nothing else happens, and it can be deleted."""
    isolation = await stage.isolation(spec)
    status = await stage.until_status(isolation, lambda now: condition(now, "Accepted")["status"] == "False")
    assert path in condition(status, "Accepted")["message"]
    await stage.delete_isolation(isolation)


@pytest.mark.usefixtures("lenient")
async def test_a_resource_without_spec_is_only_told(stage: Stage) -> None:
    """A resource with no spec at all stops nothing."""
    document = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "metadata": {"name": stage.name}}
    await stage.admin.create(ISOLATIONS_PATH, document)
    status = await stage.until_status(stage.name, lambda now: condition(now, "Accepted")["status"] == "False")
    assert "spec" in condition(status, "Accepted")["message"]
    await stage.delete_isolation(stage.name)


async def test_a_resource_deleted_again_while_it_is_isolating(stage: Stage) -> None:
    """A resource that is deleted right after its creation leaves nothing behind."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.admin.delete(isolation_path(isolation))
    async with stage.isolations() as isolations:
        await isolations.until(lambda state: isolation not in state, what="the isolation gone")
    await stage.barrier()
    await stage.until_policies(namespace, ())

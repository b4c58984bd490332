"""The status: what is in place, said truly, within bounds, and written only when it changed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from namespace_isolation.apply.isolations import write_status
from namespace_isolation.cluster import ApiError
from namespace_isolation.observe.isolations import isolation_path, read_isolation
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER
from tests.support.stage import Stage, condition, refused, standard

pytestmark = pytest.mark.usefixtures("operator")

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


async def test_the_whole_status(stage: Stage) -> None:
    """Counts, summaries and conditions of two isolated namespaces, word for word."""
    namespaces = [await stage.namespace("a"), await stage.namespace("b")]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    status = await stage.converged(isolation, matched=2)
    times = [each.pop("lastTransitionTime") for each in status["conditions"]]
    assert all(_TIME.fullmatch(time) for time in times)
    assert status == {
        "observedGeneration": 1,
        "namespaces": {"matched": 2, "inSync": 2, "drifted": 0, "failed": 0, "summary": "2/2"},
        "policies": {"desired": 4, "inPlace": 4, "summary": "4/4"},
        "drift": {"corrected": 0, "outstanding": 0, "recent": []},
        "problems": [],
        "unmanaged": {"count": 0, "recent": []},
        "conditions": [
            {
                "type": "Accepted",
                "status": "True",
                "reason": "Accepted",
                "message": "The resource is valid.",
                "observedGeneration": 1,
            },
            {
                "type": "Ready",
                "status": "True",
                "reason": "InSync",
                "message": "All policies are in place in 2 namespaces.",
                "observedGeneration": 1,
            },
            {
                "type": "Reconciling",
                "status": "False",
                "reason": "Settled",
                "message": "No work is under way.",
                "observedGeneration": 1,
            },
            {
                "type": "Stalled",
                "status": "False",
                "reason": "NotStalled",
                "message": "Nothing waits for a change of the resource.",
                "observedGeneration": 1,
            },
        ],
    }


async def test_kubectl_shows_and_awaits_it(stage: Stage, cluster: Cluster) -> None:
    """`kubectl wait` and the columns of `kubectl get` work as they are."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    cluster.run_kubectl("wait", "--for=condition=Ready", "nsiso", isolation, "--timeout=10s")
    header, row = cluster.run_kubectl("get", "nsiso", isolation).stdout.splitlines()
    shown = dict(zip(header.split(), row.split(), strict=True))
    shown.pop("AGE")
    assert shown == {
        "NAME": isolation,
        "MODE": "Enforce",
        "NAMESPACES": "1/1",
        "POLICIES": "2/2",
        "DRIFT": "0",
        "READY": "True",
    }
    header, row = cluster.run_kubectl("get", "nsiso", isolation, "-o", "wide").stdout.splitlines()
    assert header.split()[6:] == ["AGE", "REASON", "OUTSTANDING", "FAILED", "UNMANAGED", "MESSAGE"]
    assert row.split()[7:11] == ["InSync", "0", "0", "0"]
    assert row.endswith("All policies are in place in 1 namespace.")


async def test_an_isolation_of_nothing_is_ready(stage: Stage) -> None:
    """No namespace matches: that is said, and is no failure."""
    isolation = await stage.isolation({"namespaces": {"names": [f"{stage.name}-nobody"]}})
    status = await stage.converged(isolation, matched=0)
    assert condition(status, "Ready")["reason"] == "NoNamespaces"


async def test_the_generation_is_followed(stage: Stage) -> None:
    """After each edit the status tells of the new generation, and conditions keep their time."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    first = await stage.converged(isolation)
    for generation, directions in ((2, ["Ingress"]), (3, [])):
        await stage.edit(isolation, {"defaultDeny": directions})
        status = await stage.converged(isolation)
        assert status["observedGeneration"] == generation
        assert [each["observedGeneration"] for each in status["conditions"]] == [generation] * 4
        assert status["policies"]["desired"] == len(directions)
        assert (
            condition(status, "Accepted")["lastTransitionTime"] == (condition(first, "Accepted")["lastTransitionTime"])
        )


async def test_recent_drift_is_bounded(stage: Stage) -> None:
    """25 deletions count as 25 and are told as the last 20, the newest first."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(13)]
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    await stage.converged(isolation, matched=len(namespaces))
    names = sorted(standard(isolation))
    # Each policy once: one that goes again and again would be a fight.
    order = [(namespace, name) for namespace in namespaces for name in names][:25]
    for namespace, name in order:
        await stage.admin.delete(policies_path(namespace, name))
        await stage.until_policies(namespace, names)
    status = await stage.until_status(isolation, lambda now: now["drift"]["corrected"] >= 25)
    assert status["drift"]["corrected"] == 25
    told = [(entry["namespace"], entry["policy"]) for entry in status["drift"]["recent"]]
    assert told == order[::-1][:20]


async def test_a_namespace_that_fails_is_named_and_holds_up_nobody(stage: Stage) -> None:
    """Where a quota forbids policies, the problem is told with the server's words, and mended with the quota."""
    failing, fine = await stage.namespace("failing"), await stage.namespace("fine")
    quotas = f"/api/v1/namespaces/{failing}/resourcequotas"
    none = {"count/networkpolicies.networking.k8s.io": "0"}
    await stage.admin.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": none}})
    await stage.admin.patch(f"{quotas}/none/status", {"status": {"hard": none, "used": none}})
    attempt = {"metadata": {"name": "attempt"}, "spec": {"podSelector": {}}}
    await refused(stage.admin, f"{policies_path(failing)}?dryRun=All", attempt)
    isolation = await stage.isolation({"namespaces": {"names": [failing, fine]}})
    await stage.until_exact(fine, isolation)
    status = await stage.until_status(
        isolation, lambda now: (now["namespaces"]["failed"], now["namespaces"]["inSync"]) == (1, 1)
    )
    assert status["namespaces"]["summary"] == "1/2"
    (problem,) = status["problems"]
    assert (problem["namespace"], problem["reason"]) == (failing, "Forbidden")
    assert "quota" in problem["message"]
    ready = condition(status, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "Failed")
    retrying = condition(status, "Reconciling")
    assert (retrying["status"], retrying["reason"]) == ("True", "Retrying")
    assert condition(status, "Stalled")["status"] == "False"
    await stage.admin.delete(f"{quotas}/none")
    status = await stage.converged(isolation, matched=2)
    assert status["problems"] == []
    assert condition(status, "Reconciling")["status"] == "False"
    assert status["drift"]["corrected"] == 0


@pytest.mark.sandbox_only
async def test_it_is_written_only_when_it_changed(stage: Stage, cluster: Cluster) -> None:
    """What changes nothing in the status writes none: foreign labels, foreign policies, a patched annotation."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    await stage.barrier()
    before = await stage.admin.get(isolation_path(isolation))
    since = cluster.audit_position()
    await stage.admin.patch(f"{NAMESPACES_PATH}/{namespace}", {"metadata": {"labels": {"some": "label"}}})
    foreign = {"metadata": {"name": "foreign"}, "spec": {"podSelector": {}}}
    await stage.admin.create(policies_path(namespace), foreign)
    noted = await stage.admin.patch(
        isolation_path(isolation), {"metadata": {"annotations": {"example.test/note": "x"}}}
    )
    later = await stage.isolation({"namespaces": {"names": [namespace]}}, name=f"{stage.name}-later")
    await stage.converged(later)
    assert _status_writes(cluster, since, isolation) == 0
    after = await stage.admin.get(isolation_path(isolation))
    assert after["metadata"]["resourceVersion"] == noted["metadata"]["resourceVersion"]
    assert after["status"] == before["status"]


@pytest.mark.sandbox_only
async def test_many_namespaces_at_once_cost_few_writes(stage: Stage, cluster: Cluster) -> None:
    """40 namespaces are isolated with a handful of status writes, not with 40."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(40)]
    since = cluster.audit_position()
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    await stage.converged(isolation, matched=40)
    assert 1 <= _status_writes(cluster, since, isolation) <= 4


def _status_writes(cluster: Cluster, since: int, isolation: str) -> int:
    return sum(
        event["objectRef"].get("subresource") == "status" and event["objectRef"].get("name") == isolation
        for event in cluster.audited_writes(since, user=OPERATOR_USER)
    )


async def test_a_status_is_refused_by_another_resource_of_the_name(stage: Stage) -> None:
    """Who writes it may not have heard yet that the resource was deleted and made anew."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    status = await stage.converged(isolation)
    known = read_isolation(await stage.admin.get(isolation_path(isolation)))
    with pytest.raises(ApiError) as refused:
        await write_status(stage.admin, replace(known, uid="of-its-predecessor"), {"observedGeneration": 0})
    assert refused.value.status == 422
    assert await stage.status(isolation) == status
    written = await write_status(stage.admin, known, status)
    assert written["status"] == status

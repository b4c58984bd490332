"""The status in hard times: small whatever fails, seldom written whatever happens, and exact once it is over."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import OPERATOR_USER
from tests.support.stage import Stage, refused
from tests.support.watching import Json, watching

pytestmark = pytest.mark.usefixtures("operator")

_ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_REMOTE: list[Json] = [{"namespaceSelector": {}}]
_MANY = 300
_BOUND = 32 * 1024
_HECTIC_SECONDS = 10.0
_INTERVAL = 1.0
"""Seconds between two status writes of one isolation, at least."""
_SLACK = 0.05
"""The audit log tells when a request was received, not when it was sent."""


@pytest.fixture
async def refusing(stage: Stage) -> AsyncIterator[dict[str, str]]:
    """Let admission refuse every policy, with many words, in namespaces with these labels."""
    labels = {stage.name: "refused"}
    rule = {
        "apiGroups": ["networking.k8s.io"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["networkpolicies"],
    }
    policy: Json = {
        "metadata": {"name": stage.name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"namespaceSelector": {"matchLabels": labels}, "resourceRules": [rule]},
            "validations": [{"expression": "false", "message": "🦉 no policy here " * 60}],
        },
    }
    binding = {
        "metadata": {"name": stage.name},
        "spec": {"policyName": stage.name, "validationActions": ["Deny"]},
    }
    kinds = {"validatingadmissionpolicies": policy, "validatingadmissionpolicybindings": binding}
    for kind, body in kinds.items():
        await stage.admin.create(f"{_ADMISSION}/{kind}", body)
    try:
        yield labels
    finally:
        for kind in reversed(kinds):
            await stage.admin.delete(f"{_ADMISSION}/{kind}/{stage.name}")


async def test_300_failing_namespaces_make_a_small_status(stage: Stage, refusing: dict[str, str]) -> None:
    """Every one is counted, twenty are told with the server's words, and the whole is far from 32 KiB."""
    names = [f"{stage.name}-{'x' * 40}-{index:03}" for index in range(_MANY)]
    first = await stage.namespace("first", labels=refusing)
    attempt = {"metadata": {"name": "attempt"}, "spec": {"podSelector": {}}}
    await refused(stage.admin, f"{policies_path(first)}?dryRun=All", attempt)
    try:
        for name in names:
            await stage.admin.create(NAMESPACES_PATH, {"metadata": {"name": name, "labels": refusing}})
        isolation = await stage.isolation({"namespaces": {"selector": {"matchLabels": refusing}}})
        status = await stage.until_status(
            isolation, lambda now: now.get("namespaces", {}).get("failed") == _MANY + 1, within=45
        )
        assert status["namespaces"]["summary"] == f"0/{_MANY + 1}"
        assert len(status["problems"]) == 20
        assert all("no policy here" in problem["message"] for problem in status["problems"])
        assert len(json.dumps(status).encode()) <= _BOUND
    finally:
        for name in names:
            await stage.admin.delete(f"{NAMESPACES_PATH}/{name}")


@pytest.mark.sandbox_only
async def test_a_status_is_written_once_a_second_at_most(stage: Stage, cluster: Cluster) -> None:
    """Ten seconds of edits, deletions and label changes in ten namespaces, for two isolations; then it is exact."""
    labels = {stage.name: "yes"}
    namespaces = [await stage.namespace(f"ns-{index}", labels=labels) for index in range(10)]
    spec: Json = {"namespaces": {"selector": {"matchLabels": labels}}, "allow": [_entry(index) for index in range(20)]}
    names = [await stage.isolation(spec, name=f"{stage.name}-{each}") for each in ("one", "two")]
    for name in names:
        await stage.converged(name, matched=10)
    since = cluster.audit_position()
    # Each policy once in a while: five times in quick succession would be a fight.
    policies = itertools.cycle(itertools.product(_allowed(names[0]), namespaces))
    foreign = 0
    deadline = asyncio.get_running_loop().time() + _HECTIC_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        foreign += 1
        policy, namespace = next(policies)
        await _meddle(stage, namespace, policy, foreign)
    for name in names:
        status = await stage.converged(name, matched=10)
        assert status["policies"] == {"desired": 220, "inPlace": 220, "summary": "220/220"}
    counted = await stage.until_status(
        names[0], lambda now: now["drift"]["corrected"] == foreign, what=f"{foreign} corrected"
    )
    assert counted["drift"]["outstanding"] == 0
    assert (await stage.status(names[1]))["drift"]["corrected"] == 0
    for name in names:
        times = _status_times(cluster, since, name)
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert all(gap >= _INTERVAL - _SLACK for gap in gaps), gaps
    assert len(_status_times(cluster, since, names[0])) >= _HECTIC_SECONDS / 2


def _entry(index: int) -> Json:
    return {
        "name": f"entry-{index}",
        "to": [{"podSelector": {"matchLabels": {"app": f"app-{index}"}}}],
        "from": _REMOTE,
    }


def _allowed(isolation: str) -> list[str]:
    return [f"{isolation}.allow-entry-{index}-ingress" for index in range(20)]


async def _meddle(stage: Stage, namespace: str, policy: str, count: int) -> None:
    """Open or delete a policy and wait until it is as it was; in between the namespace's labels change, too."""
    async with watching(stage.admin, policies_path(namespace)) as watch:
        if count % 2:
            await stage.admin.delete(policies_path(namespace, policy))
        else:
            await stage.patch_policy(namespace, policy, {"spec": {"ingress": [{}]}})
        await stage.label(namespace, count=str(count))
        await watch.event(lambda event: event.name == policy, what="the change")
        await watch.until(lambda state: _is_whole(state.get(policy)), what="the repair")


def _is_whole(policy: Json | None) -> bool:
    return policy is not None and policy["spec"]["ingress"] != [{}]


def _status_times(cluster: Cluster, since: int, isolation: str) -> list[float]:
    """Tell when each status of an isolation was written, in seconds."""
    return [
        datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
        for event in cluster.audited_writes(since, user=OPERATOR_USER)
        if event["objectRef"].get("subresource") == "status" and event["objectRef"].get("name") == isolation
    ]

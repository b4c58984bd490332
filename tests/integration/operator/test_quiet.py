"""Resources that contradict each other come to rest: once everybody has had his say, nothing is written any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.history import recorded
from tests.support.operator import OPERATOR_USER
from tests.support.stage import Stage, condition, flow, standard
from tests.support.watching import Json

pytestmark = [pytest.mark.usefixtures("operator"), pytest.mark.sandbox_only]

_QUIET_SECONDS = 5.0
"""Longer than every delay and first back-off of the operator; the soak test listens for a whole minute."""

_ALLOWED: Json = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
}
_OPEN = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}


def _told(writes: Iterable[Json]) -> list[str]:
    """Write down what was written; Events may come up to a minute after what they tell, and a leader's Lease always."""
    return [
        f"{event['verb']} {target['resource']} {target.get('namespace', '')}/{target.get('name', '')}"
        for event in writes
        for target in (event["objectRef"],)
        if target["resource"] not in {"events", "leases"}
    ]


async def _assert_quiet(stage: Stage, cluster: Cluster) -> None:
    """Listen, after everything before was handled and told: the operator writes nothing, and nothing changes."""
    await stage.barrier()
    # Its last status is the one that counts the repair: on a slow machine there is one before that.
    await stage.until_status(
        f"{stage.name}-barrier-1", lambda now: now["drift"]["corrected"] == 1, what="the repair in the status"
    )
    async with recorded(stage.admin, keep=lambda key: any(part.startswith(stage.name) for part in key)) as history:
        since = cluster.audit_position()
        # Silence cannot be awaited but by the clock.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_SECONDS):
                await history.until(history.entries, within=_QUIET_SECONDS + 1, what="a change")
        assert [(entry.kind, entry.key) for entry in history.entries()] == []
        assert _told(cluster.audited_writes(since, user=OPERATOR_USER)) == []


async def _two(stage: Stage, first: Json, second: Json) -> tuple[str, str, str]:
    """Make a namespace and two isolations of it."""
    namespace = await stage.namespace()
    specs = {"one": first, "two": second}
    names = []
    for name, spec in specs.items():
        whole = {"namespaces": {"names": [namespace]}, **spec}
        names.append(await stage.isolation(whole, name=f"{stage.name}-{name}"))
    return namespace, names[0], names[1]


async def test_one_reports_what_the_other_removes(stage: Stage, cluster: Cluster) -> None:
    """A policy that opens the namespace is removed for one, no longer reported by the other, and all is quiet."""
    namespace, report, remove = await _two(stage, {"unmanagedPolicies": "Report"}, {"unmanagedPolicies": "Remove"})
    for name in (report, remove):
        await stage.converged(name)
    await stage.admin.create(policies_path(namespace), {"metadata": {"name": "open"}, "spec": _OPEN})
    await stage.until_policies(namespace, standard(report) | standard(remove))
    for name in (report, remove):
        await stage.until_status(name, lambda now: now["unmanaged"]["count"] == 0, what="no unmanaged policy")
    await _assert_quiet(stage, cluster)


async def test_one_removes_what_belongs_to_the_other(stage: Stage, cluster: Cluster) -> None:
    """Verbatim policies of one isolation that open what the other denies are managed, and stay."""
    verbatim = [{"name": "open", "spec": _OPEN}]
    namespace, opens, removes = await _two(
        stage, {"policies": verbatim, "defaultDeny": []}, {"unmanagedPolicies": "Remove"}
    )
    for name in (opens, removes):
        await stage.converged(name)
    names = {f"{opens}.open", f"{opens}.allow-dns-egress"} | standard(removes)
    await stage.until_policies(namespace, names)
    # Its allow-dns-egress came with the other's denial, perhaps after it was converged.
    await stage.until_status(opens, lambda now: now["policies"]["summary"] == "2/2")
    status = await stage.status(removes)
    assert status["unmanaged"]["count"] == 0
    await _assert_quiet(stage, cluster)
    await stage.until_policies(namespace, names)


async def test_one_enforces_what_the_other_audits(stage: Stage, cluster: Cluster) -> None:
    """Contradictory specs, one in Audit: the one is in place, the other is told, neither touches the other's."""
    namespace, enforced, audited = await _two(
        stage,
        {"defaultDeny": ["Ingress", "Egress"], "allow": [_ALLOWED]},
        {"mode": "Audit", "defaultDeny": [], "dns": {"enabled": False}, "unmanagedPolicies": "Remove"},
    )
    await stage.until_status(enforced, lambda now: condition(now, "Ready")["reason"] == "InSync")
    await stage.until_status(audited, lambda now: condition(now, "Ready")["reason"] == "Audit")
    names = standard(enforced) | flow(enforced, "web-to-api")
    await stage.until_policies(namespace, names)
    await _assert_quiet(stage, cluster)
    assert (await stage.status(audited))["audit"] == {"create": 0, "update": 0, "delete": 0, "first": []}


async def test_what_an_audit_finds_drifted_stays_so_in_quiet(stage: Stage, cluster: Cluster) -> None:
    """One frozen by Audit with drift in it, beside one that enforces: told once, and not again."""
    namespace, enforced, audited = await _two(stage, {"defaultDeny": ["Ingress"]}, {"defaultDeny": ["Egress"]})
    for name in (enforced, audited):
        await stage.converged(name)
    await stage.edit(audited, {"mode": "Audit"})
    await stage.until_status(audited, lambda now: condition(now, "Ready")["reason"] == "Audit")
    await stage.patch_policy(namespace, f"{audited}.default-deny-egress", {"spec": {"egress": [{}]}})
    await stage.admin.delete(policies_path(namespace, f"{audited}.allow-dns-egress"))
    await stage.until_status(audited, lambda now: now["drift"]["outstanding"] == 2, what="two drifts")
    await _assert_quiet(stage, cluster)
    status = await stage.status(audited)
    assert status["drift"]["outstanding"] == 2
    assert [entry["action"] for entry in status["drift"]["recent"]] == ["Reported", "Reported"]


async def test_contradictory_selections_and_directions(stage: Stage, cluster: Cluster) -> None:
    """One denies everything, the other allows everything, with and without dns: they add up, and that is all."""
    everything = [{"name": "all", "spec": {"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]}}]
    _, one, two = await _two(
        stage,
        {"defaultDeny": ["Ingress", "Egress"], "dns": {"enabled": False}},
        {"defaultDeny": [], "policies": everything, "allow": [_ALLOWED], "deletionPolicy": "Retain"},
    )
    for name in (one, two):
        await stage.converged(name)
    await stage.until_status(two, lambda now: now["policies"]["summary"] == "4/4")
    await _assert_quiet(stage, cluster)
    for name in (one, two):
        before = await stage.admin.get(isolation_path(name))
        assert condition(before["status"], "Ready")["reason"] == "InSync"

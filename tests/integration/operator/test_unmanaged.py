"""Policies of others that open what an isolation denies: reported, ignored, or removed where that is safe."""

from __future__ import annotations

import pytest

from namespace_isolation.observe.served_policy import policies_path
from tests.support.operator import Operator
from tests.support.schema import without_validation
from tests.support.stage import Stage, condition, standard, suppress_missing
from tests.support.watching import Json

pytestmark = pytest.mark.usefixtures("operator")

_IN: Json = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}
_OUT: Json = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
_BOTH: Json = {**_IN, **_OUT, "policyTypes": ["Ingress", "Egress"]}
_SOME_IN: Json = {
    "podSelector": {"matchLabels": {"app": "web"}},
    "policyTypes": ["Ingress"],
    "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 80}]}],
}
_DENY: Json = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _spec(*namespaces: str, **more: object) -> Json:
    return {"namespaces": {"names": list(namespaces)}, **more}


async def _make(stage: Stage, namespace: str, name: str, spec: Json, **metadata: object) -> Json:
    """Make a policy of somebody else."""
    body = {"metadata": {"name": name, **metadata}, "spec": spec}
    return await stage.admin.create(policies_path(namespace), body)


async def _reported(stage: Stage, isolation: str, count: int) -> list[Json]:
    """Wait until so many are counted, and give those that are named."""
    status = await stage.until_status(
        isolation, lambda now: now["unmanaged"]["count"] == count, what=f"{count} unmanaged policies"
    )
    named: list[Json] = status["unmanaged"]["recent"]
    return named


async def test_what_widens_is_reported_and_left_alone(stage: Stage) -> None:
    """Directions and openness are named, wide open ones first; what only denies is none; the resource is Ready."""
    namespace, other = await stage.namespace(), await stage.namespace("other")
    for name, spec in (("a-some", _SOME_IN), ("deny", _DENY), ("y-out", _OUT), ("z-both", _BOTH)):
        await _make(stage, namespace, name, spec)
    await _make(stage, other, "elsewhere", _BOTH)
    before = await stage.policies_in(namespace)
    isolation = await stage.isolation(_spec(namespace))
    assert await _reported(stage, isolation, 3) == [
        {"namespace": namespace, "policy": "y-out", "widens": ["Egress"], "wideOpen": ["Egress"]},
        {
            "namespace": namespace,
            "policy": "z-both",
            "widens": ["Ingress", "Egress"],
            "wideOpen": ["Ingress", "Egress"],
        },
        {"namespace": namespace, "policy": "a-some", "widens": ["Ingress"]},
    ]
    status = await stage.converged(isolation)
    assert (status["namespaces"]["summary"], status["drift"]["corrected"]) == ("1/1", 0)
    after = await stage.policies_in(namespace)
    assert {name: after[name] for name in before} == before


async def test_the_report_follows(stage: Stage) -> None:
    """New, edited and deleted policies of others, and edits of what is denied, change the report."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace))
    assert await _reported(stage, isolation, 0) == []
    await _make(stage, namespace, "some", _SOME_IN)
    (found,) = await _reported(stage, isolation, 1)
    assert "wideOpen" not in found
    await stage.patch_policy(namespace, "some", {"spec": {"ingress": [{}]}})
    await stage.until_status(
        isolation, lambda now: now["unmanaged"]["recent"][0].get("wideOpen") == ["Ingress"], what="wide open"
    )
    await stage.edit(isolation, {"defaultDeny": ["Egress"]})
    assert await _reported(stage, isolation, 0) == []
    await stage.edit(isolation, {"defaultDeny": ["Ingress"]})
    await _reported(stage, isolation, 1)
    await stage.edit(isolation, {"unmanagedPolicies": "Ignore"})
    assert await _reported(stage, isolation, 0) == []
    await stage.edit(isolation, {"unmanagedPolicies": "Report"})
    await _reported(stage, isolation, 1)
    await stage.admin.delete(policies_path(namespace, "some"))
    assert await _reported(stage, isolation, 0) == []


async def test_only_twenty_are_named(stage: Stage) -> None:
    """All are counted, the first twenty named, by name."""
    namespace = await stage.namespace()
    for index in range(25):
        await _make(stage, namespace, f"some-{index:02}", _SOME_IN)
    isolation = await stage.isolation(_spec(namespace))
    named = await _reported(stage, isolation, 25)
    assert [each["policy"] for each in named] == [f"some-{index:02}" for index in range(20)]


async def test_what_widens_is_removed_after_the_denial_is_in_place(stage: Stage) -> None:
    """Until then it may be all that isolates the pods; what does not widen stays; later ones go as well."""
    namespace, other = await stage.namespace(), await stage.namespace("other")
    for name, spec in (("some", _SOME_IN), ("open", _BOTH), ("deny", _DENY)):
        await _make(stage, namespace, name, spec)
    await _make(stage, other, "elsewhere", _BOTH)
    async with stage.policies(namespace) as watch:
        isolation = await stage.isolation(_spec(namespace, unmanagedPolicies="Remove"))
        await watch.until(lambda state: state.keys() == {*standard(isolation), "deny"}, what="the opening ones gone")
        order = watch.kinds()
        denial = order.index(("ADDED", f"{isolation}.default-deny-all"))
        assert denial < order.index(("DELETED", "some"))
        assert denial < order.index(("DELETED", "open"))
        await _make(stage, namespace, "later", _OUT)
        await watch.event(lambda event: (event.kind, event.name) == ("DELETED", "later"), what="the later one gone")
        await stage.patch_policy(namespace, "deny", {"spec": {"ingress": [{}]}})
        await watch.event(lambda event: (event.kind, event.name) == ("DELETED", "deny"), what="the widened one gone")
    status = await stage.converged(isolation)
    assert (status["unmanaged"]["count"], status["drift"]["corrected"]) == (0, 0)
    assert (await stage.policies_in(other)).keys() == {"elsewhere"}


async def test_what_must_not_go_is_kept_and_says_why(stage: Stage) -> None:
    """What another controller owns, what was retained, and what isolates where nobody denies."""
    namespace = await stage.namespace()
    config = await stage.admin.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "owner"}})
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": config["metadata"]["uid"]}
    await _make(stage, namespace, "controlled", _IN, ownerReferences=[{**owner, "controller": True}])
    await _make(stage, namespace, "owned", _IN, ownerReferences=[owner])
    labels = {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": f"{stage.name}-gone"}
    await _make(stage, namespace, "retained", _IN, labels=labels)
    await _make(stage, namespace, "undenied", {**_IN, "policyTypes": ["Ingress", "Egress"]})
    await _make(stage, namespace, "other-way", _OUT)
    isolation = await stage.isolation(_spec(namespace, unmanagedPolicies="Remove", defaultDeny=["Ingress"]))
    named = await _reported(stage, isolation, 3)
    assert {each["policy"]: each["kept"] for each in named} == {
        "controlled": "another controller owns it",
        "retained": "it bears the labels of an isolation that does not exist: retained, or forged",
        "undenied": "it isolates pods for Egress, which nothing else denies there",
    }
    await stage.barrier()
    denial = f"{isolation}.default-deny-ingress"
    left = {"controlled", "retained", "undenied", "other-way", denial}
    assert (await stage.policies_in(namespace)).keys() == left
    # As soon as the other direction is denied by whomever, nothing speaks for the one that isolated it.
    second = await stage.isolation(
        _spec(namespace, defaultDeny=["Egress"], dns={"enabled": False}), name=f"{stage.name}-second"
    )
    dns = f"{isolation}.allow-dns-egress"
    await stage.until_policies(namespace, (left - {"undenied"}) | {f"{second}.default-deny-egress", dns})


@pytest.mark.parametrize("state", ["enforced", "audited", "not accepted"])
async def test_policies_of_other_isolations_are_never_removed(stage: Stage, operator: Operator, state: str) -> None:
    """Whatever another isolation asked for is managed, also while it is not maintained, and does not count."""
    namespace = await stage.namespace()
    opening = await stage.isolation(
        _spec(namespace, defaultDeny=[], dns={"enabled": False}, policies=[{"name": "open", "spec": _BOTH}]),
        name=f"{stage.name}-opening",
    )
    await stage.converged(opening)
    removing = _spec(namespace, unmanagedPolicies="Remove")
    if state == "not accepted":
        async with without_validation(stage.admin, f"{stage.name}-probe"):
            await stage.edit(opening, {"mode": "Maybe"})
            await stage.until_status(opening, lambda now: condition(now, "Stalled")["status"] == "True")
            await _assert_kept(stage, namespace, opening, removing)
            await stage.edit(opening, {"mode": "Enforce"})
            await stage.converged(opening)
        return
    if state == "audited":
        await stage.edit(opening, {"mode": "Audit"})
        await stage.until_status(opening, lambda now: condition(now, "Ready")["reason"] == "Audit")
    await _assert_kept(stage, namespace, opening, removing)


async def _assert_kept(stage: Stage, namespace: str, opening: str, removing: Json) -> None:
    before = await stage.policies_in(namespace)
    assert before.keys() == {f"{opening}.open"}
    isolation = await stage.isolation(removing)
    status = await stage.converged(isolation)
    assert status["unmanaged"] == {"count": 0, "recent": []}
    await stage.barrier()
    after = await stage.policies_in(namespace)
    assert after.keys() == before.keys() | standard(isolation)
    assert after[f"{opening}.open"] == before[f"{opening}.open"]


async def test_what_somebody_holds_is_a_problem(stage: Stage) -> None:
    """A foreign finalizer keeps an opening policy working: that is said until it is let go."""
    namespace = await stage.namespace()
    await _make(stage, namespace, "held", _IN, finalizers=["example.test/hold"])
    isolation = await stage.isolation(_spec(namespace, unmanagedPolicies="Remove"))
    status = await stage.until_status(isolation, lambda now: bool(now["problems"]), what="a problem")
    assert [(each["namespace"], each["reason"]) for each in status["problems"]] == [(namespace, "HeldByFinalizer")]
    assert condition(status, "Ready")["reason"] == "Failed"
    assert status["unmanaged"]["count"] == 1
    assert (await stage.policies_in(namespace)).keys() == {*standard(isolation), "held"}
    await stage.patch_policy(namespace, "held", {"metadata": {"finalizers": None}})
    status = await stage.converged(isolation)
    assert (status["unmanaged"]["count"], status["problems"]) == (0, [])


async def test_what_is_made_again_and_again_is_a_fight(stage: Stage) -> None:
    """Who creates an opening policy anew five times is named; ours stay in place, and others are removed at once."""
    namespace = await stage.namespace()
    isolation = await stage.isolation(_spec(namespace, unmanagedPolicies="Remove"))
    await stage.converged(isolation)
    async with stage.policies(namespace) as watch:
        for _ in range(5):
            made = await _make(stage, namespace, "again", _IN)
            uid = made["metadata"]["uid"]
            await watch.event(
                lambda event, uid=uid: event.kind == "DELETED" and event.document["metadata"]["uid"] == uid,  # type: ignore[misc]
                what="it removed",
            )
        await _make(stage, namespace, "again", _IN)
        status = await stage.until_status(isolation, lambda now: condition(now, "Ready")["reason"] == "Fight")
        assert (status["problems"][0]["namespace"], status["problems"][0]["reason"]) == (namespace, "Fight")
        assert "again" in status["problems"][0]["message"]
        await _make(stage, namespace, "another", _IN)
        await watch.event(lambda event: (event.kind, event.name) == ("DELETED", "another"), what="another removed")
        await watch.until(lambda state: state.keys() == standard(isolation), what="the sixth one removed when due")
    await _reported(stage, isolation, 0)


async def test_a_protected_namespace_that_is_named(stage: Stage) -> None:
    """By its exact name a protected namespace is isolated, and what widens it is removed as elsewhere."""
    namespace = "kube-node-lease"
    foreign = f"{stage.name}-open"
    isolation = await stage.isolation(_spec(namespace, unmanagedPolicies="Remove", dns={"enabled": False}))
    await stage.converged(isolation)
    try:
        async with stage.policies(namespace) as watch:
            await _make(stage, namespace, foreign, _IN)
            await watch.event(lambda event: (event.kind, event.name) == ("DELETED", foreign), what="it removed")
    finally:
        with suppress_missing():
            await stage.admin.delete(policies_path(namespace, foreign))
    assert f"{isolation}.default-deny-all" in await stage.policies_in(namespace)

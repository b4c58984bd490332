"""Several isolations on one namespace add up, and each takes away only its own."""

from __future__ import annotations

import pytest

from tests.support.stage import Stage, flow, standard

pytestmark = pytest.mark.usefixtures("operator")

_FLOW = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "ports": [{"port": 8080}],
}


async def test_two_isolations_on_one_namespace_and_one_of_them_deleted(stage: Stage) -> None:
    """Both sets are in place; with one resource its set goes, the other is not touched."""
    namespace = await stage.namespace()
    first, second = f"{stage.name}-one", f"{stage.name}-two"
    await stage.isolation({"namespaces": {"names": [namespace]}, "allow": [_FLOW]}, name=first)
    await stage.isolation({"namespaces": {"names": [namespace]}, "allow": [_FLOW]}, name=second)
    await stage.until_exact(namespace, first, second)
    await stage.converged(first)
    before = await stage.policies_in(namespace)
    await stage.delete_isolation(first)
    after = await stage.policies_in(namespace)
    assert after == {name: policy for name, policy in before.items() if name.startswith(f"{second}.")}
    assert after.keys() == standard(second) | flow(second, "web-to-api")
    await stage.converged(second)


async def test_dns_follows_the_denial_of_another_isolation(stage: Stage) -> None:
    """allow-dns-egress of an isolation that denies no egress comes and goes with one that does."""
    namespace = await stage.namespace()
    inwards, outwards = f"{stage.name}-in", f"{stage.name}-out"
    await stage.isolation({"namespaces": {"names": [namespace]}, "defaultDeny": ["Ingress"]}, name=inwards)
    await stage.until_policies(namespace, {f"{inwards}.default-deny-ingress"})
    await stage.isolation(
        {"namespaces": {"names": [namespace]}, "defaultDeny": ["Egress"], "dns": {"enabled": False}},
        name=outwards,
    )
    deny_both = {f"{inwards}.default-deny-ingress", f"{outwards}.default-deny-egress"}
    await stage.until_policies(namespace, deny_both | {f"{inwards}.allow-dns-egress"})
    await stage.delete_isolation(outwards)
    await stage.until_policies(namespace, {f"{inwards}.default-deny-ingress"})


@pytest.mark.parametrize(
    ("directions", "names"),
    [
        (["Ingress", "Egress"], {"default-deny-all", "allow-dns-egress"}),
        (["Ingress"], {"default-deny-ingress"}),
        (["Egress"], {"default-deny-egress", "allow-dns-egress"}),
        ([], set()),
    ],
    ids=["both", "ingress", "egress", "none"],
)
async def test_the_four_forms_of_default_deny(stage: Stage, directions: list[str], names: set[str]) -> None:
    """Each form yields its policies, and every form can be edited into the one with both and back."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "defaultDeny": directions})
    wanted = {f"{isolation}.{name}" for name in names}
    await stage.until_policies(namespace, wanted)
    await stage.edit(isolation, {"defaultDeny": ["Egress", "Ingress"]})
    await stage.until_exact(namespace, isolation)
    await stage.edit(isolation, {"defaultDeny": directions})
    await stage.until_policies(namespace, wanted)
    await stage.converged(isolation)


async def test_verbatim_policies_stand_as_they_are_written(stage: Stage) -> None:
    """A verbatim policy is created, follows its spec, and goes with its entry."""
    namespace = await stage.namespace()
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": [{"port": "http"}]}]}
    isolation = await stage.isolation(
        {"namespaces": {"names": [namespace]}, "policies": [{"name": "legacy", "spec": spec}]}
    )
    await stage.until_exact(namespace, isolation)
    policy = (await stage.policies_in(namespace))[f"{isolation}.legacy"]
    assert policy["spec"]["ingress"] == [{"ports": [{"port": "http", "protocol": "TCP"}]}]
    await stage.edit(isolation, {"policies": [{"name": "legacy", "spec": {"podSelector": {}}}]})
    await stage.until_exact(namespace, isolation)
    await stage.edit(isolation, {"policies": []})
    await stage.until_policies(namespace, standard(isolation))

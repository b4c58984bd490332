"""What render prints is what the operator would create, in a safe order, and only for the isolations of the files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.preview.cast import Background, applied, on_paper
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.rendered import rendered
from tests.support.objects import NAMESPACE, PROTECTED, desired_in, frozen, isolation, live_from, namespace, view
from tests.support.strategies import specs

Json = dict[str, Any]

_REMOTE: list[Json] = [{"namespaceSelector": {}}]
_FLOW = {"name": "web", "from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "to": _REMOTE}
_EVERYONE = {"name": "all", "from": [{"podSelector": {}}], "to": _REMOTE}


def _inputs(*isolations: Isolation) -> Inputs:
    return Inputs(isolations={each.name: each for each in isolations}, namespaces={}, passed_over={})


def _on_paper(*isolations: Isolation, namespaces: Iterable[str] = (NAMESPACE,)) -> list[Json]:
    scene = on_paper(_inputs(*isolations), map(namespace, namespaces), PROTECTED)
    return list(rendered(scene, [each.name for each in isolations]))


def _names(manifests: Iterable[Json]) -> list[str]:
    return [each["metadata"]["name"] for each in manifests]


@given(spec=specs(st.just({"names": [NAMESPACE]})))
def test_it_is_what_the_operator_desires(spec: Json) -> None:
    """Each manifest is that of the very policy that the reconcile would write."""
    each = isolation(**spec)
    desired = desired_in(view(each))
    manifests = _on_paper(each)
    assert {manifest["metadata"]["name"]: manifest for manifest in manifests} == {
        name: policy.manifest(NAMESPACE) for name, policy in desired.items()
    }


def test_the_order_is_by_namespace_and_then_safe() -> None:
    """What allows for some pods comes first, then what selects every pod, then what denies."""
    manifests = _on_paper(
        isolation("team", namespaces={"names": ["*"]}, allow=[_EVERYONE, _FLOW]), namespaces=["b", "a"]
    )
    in_one = ["team.allow-web-egress", "team.allow-all-egress", "team.allow-dns-egress", "team.default-deny-all"]
    assert [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in manifests] == list(
        itertools.product(["a", "b"], in_one)
    )


def test_the_order_of_the_files_makes_no_difference() -> None:
    """Resources come by name."""
    one, other = isolation("one"), isolation("other")
    assert _on_paper(one, other) == _on_paper(other, one)


def test_audit_is_rendered_as_enforce_would_do_it() -> None:
    """The mode changes nothing about the policies."""
    assert _on_paper(isolation(mode="Audit")) == _on_paper(isolation(mode="Enforce"))


@pytest.mark.parametrize(("uid", "has_owner"), [("uid-1", True), ("", False)], ids=["known", "unknown"])
def test_the_owner_is_written_where_its_uid_is_known(uid: str, has_owner: bool) -> None:  # noqa: FBT001
    """A manifest without a uid could not be applied."""
    scene = on_paper(_inputs(replace(isolation(), uid=uid)), [namespace()], PROTECTED)
    assert ["ownerReferences" in each["metadata"] for each in rendered(scene, ["team"])] == [has_owner] * 2


def test_protected_namespaces_match_by_exact_name_only() -> None:
    """As for the operator."""
    spaces = ["kube-system", "nsiso-system", "shop"]
    manifests = _on_paper(isolation(namespaces={"names": ["*", "kube-system"]}), namespaces=spaces)
    assert {each["metadata"]["namespace"] for each in manifests} == {"kube-system", "shop"}


def test_two_isolations_of_the_files_decide_together_about_dns() -> None:
    """One denies egress, the other resolves names there."""
    inwards = isolation("in", defaultDeny=["Ingress"])
    outwards = isolation("out", defaultDeny=["Egress"], dns={"enabled": False})
    assert _names(_on_paper(inwards)) == ["in.default-deny-ingress"]
    assert _names(_on_paper(inwards, outwards)) == [
        "in.allow-dns-egress",
        "in.default-deny-ingress",
        "out.default-deny-egress",
    ]


def test_the_others_of_the_cluster_count_and_are_not_printed() -> None:
    """Another isolation there denies egress, so this one needs DNS."""
    background = Background(
        isolations={"out": isolation("out", defaultDeny=["Egress"])}, namespaces={NAMESPACE: namespace()}
    )
    scene = applied(_inputs(isolation("in", defaultDeny=["Ingress"])), background, PROTECTED)
    assert _names(rendered(scene, ["in"])) == ["in.allow-dns-egress", "in.default-deny-ingress"]


def test_a_denial_that_stays_in_the_cluster_counts() -> None:
    """An isolation that is not accepted keeps what it has in place."""
    background = Background(isolations={"out": frozen("out")}, namespaces={NAMESPACE: namespace()})
    scene = applied(_inputs(isolation("in", defaultDeny=["Ingress"])), background, PROTECTED)

    def live_in(_: str) -> list[LivePolicy]:
        return [live_from(desired_in(view(isolation("out")))["out.default-deny-all"])]

    assert _names(rendered(scene, ["in"], live_in)) == ["in.allow-dns-egress", "in.default-deny-ingress"]


def test_a_resource_takes_the_place_of_the_one_in_the_cluster_and_its_uid() -> None:
    """Whatever uid the document had, the cluster's is the one that counts."""
    background = Background(
        isolations={"team": isolation(uid="there", dns={"enabled": False})}, namespaces={NAMESPACE: namespace()}
    )
    manifests = list(rendered(applied(_inputs(isolation(uid="here")), background, PROTECTED), ["team"]))
    assert _names(manifests) == ["team.allow-dns-egress", "team.default-deny-all"]
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in manifests} == {"there"}


def test_a_resource_that_the_cluster_does_not_have_has_no_uid_there() -> None:
    """That of another cluster would be a wrong owner, whose policies the garbage collector takes."""
    background = Background(namespaces={NAMESPACE: namespace()})
    manifests = rendered(applied(_inputs(isolation(uid="elsewhere")), background, PROTECTED), ["team"])
    assert not any("ownerReferences" in each["metadata"] for each in manifests)


def test_a_namespace_that_is_being_deleted_gets_nothing() -> None:
    """Its policies go with it."""
    background = Background(namespaces={NAMESPACE: namespace(ending=True)})
    assert not list(rendered(applied(_inputs(isolation()), background, PROTECTED), ["team"]))

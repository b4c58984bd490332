"""Policies of others: which of them widen an isolation, and in which direction everybody comes in."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.compare.unmanaged import unmanaged_in
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.model.verbatim import Direction
from namespace_isolation.model.view import View
from tests.support.objects import audited, desired_in, frozen, isolation, live_from, policy, stranger, view

Json = dict[str, Any]

_WEB: Json = {"matchLabels": {"app": "web"}}
_PODS: Json = {"podSelector": {}}
_EVERY_NAMESPACE: Json = {"namespaceSelector": {}}
_PORTS = [{"port": 443}]


def _block(cidr: str, *excepts: str) -> Json:
    return {"ipBlock": {"cidr": cidr, **({"except": list(excepts)} if excepts else {})}}


def _in(*rules: Json, types: tuple[str, ...] = ("Ingress",), **more: Any) -> Json:  # noqa: ANN401 - any JSON
    return {"policyTypes": list(types), "ingress": list(rules), **more}


def _out(*rules: Json, types: tuple[str, ...] = ("Egress",), **more: Any) -> Json:  # noqa: ANN401 - any JSON
    return {"policyTypes": list(types), "egress": list(rules), **more}


_BOTH: tuple[Direction, ...] = ("Ingress", "Egress")

# sentence: a spec, the directions in which it allows something, and those in which it lets in or out everybody
_SPECS: dict[str, tuple[Json, str, str]] = {
    "one without rules denies": ({}, "", ""),
    "one that denies both": ({"policyTypes": [*_BOTH]}, "", ""),
    "one that denies egress": ({"policyTypes": ["Egress"]}, "", ""),
    "one with empty rules denies": ({"policyTypes": [*_BOTH], "ingress": [], "egress": None}, "", ""),
    "every peer on every port comes in": (_in({}), "I", "I"),
    "every peer on every port goes out": (_out({}), "E", "E"),
    "an empty list of peers is every peer": (_in({"from": [], "ports": []}), "I", "I"),
    "null is every peer": (_out({"to": None, "ports": None}), "E", "E"),
    "every peer on one port": (_in({"ports": _PORTS}), "I", ""),
    "every peer on every port of TCP": (_in({"ports": [{"protocol": "TCP"}]}), "I", ""),
    "every pod of the namespace": (_in({"from": [_PODS]}), "I", ""),
    "every pod of the cluster": (_in({"from": [_EVERY_NAMESPACE]}), "I", ""),
    "every address of the first family": (_out({"to": [_block("0.0.0.0/0")]}), "E", "E"),
    "every address of the second family": (_out({"to": [_block("::/0")]}), "E", "E"),
    "every address, spelled at length": (_out({"to": [_block("0:0:0:0:0:0:0:0/0")]}), "E", "E"),
    "every address but some": (_out({"to": [_block("0.0.0.0/0", "10.0.0.0/8")]}), "E", ""),
    "every address on one port": (_out({"to": [_block("0.0.0.0/0")], "ports": _PORTS}), "E", ""),
    "half of all addresses": (_out({"to": [_block("0.0.0.0/1")]}), "E", ""),
    "an address whose prefix ends in a zero": (_out({"to": [_block("10.0.0.0/10")]}), "E", ""),
    "every address beside a pod": (_in({"from": [_PODS, _block("0.0.0.0/0")]}), "I", "I"),
    "every peer in the second rule": (_in({"from": [_PODS]}, {}), "I", "I"),
    "some pods are open to everybody": (_in({}, podSelector=_WEB), "I", "I"),
    "both directions": (_in({}, types=_BOTH, egress=[{"to": [_PODS]}]), "IE", "I"),
    "one direction, and the other denied": (_in({}, types=_BOTH), "I", "I"),
    "rules of a direction that is none of its types": (_in({}, egress=[{}]), "I", "I"),
    "types that were left out follow from the rules": ({"ingress": [{}], "egress": [{}]}, "IE", "IE"),
    "types that were left out without egress rules": ({"ingress": [{}]}, "I", "I"),
}
_DEFAULTS: dict[str, list[str]] = {
    "deny both": ["Ingress", "Egress"],
    "deny ingress": ["Ingress"],
    "deny egress": ["Egress"],
    "deny nothing": [],
}


def _sides(letters: str, denied: list[str]) -> tuple[Direction, ...]:
    return tuple(each for each in _BOTH if each[0] in letters and each in denied)


def _unmanaged(seen: View, found: Isolation) -> tuple[Unmanaged, ...]:
    return unmanaged_in(seen, found, desired_in(seen).keys())


@pytest.mark.parametrize("denied", _DEFAULTS.values(), ids=_DEFAULTS.keys())
@pytest.mark.parametrize(("spec", "allows", "opens"), _SPECS.values(), ids=_SPECS.keys())
def test_a_policy_widens_where_it_allows_what_is_denied(spec: Json, allows: str, opens: str, denied: list[str]) -> None:
    """Each sentence of the table, against each defaultDeny; what denies or allows what nobody denies is not named."""
    found = isolation(defaultDeny=denied)
    widens = _sides(allows, denied)
    wanted = Unmanaged(namespace="payments", policy="raw", widens=widens, wide_open=_sides(opens, denied))
    assert _unmanaged(view(found, live=[stranger("raw", spec)]), found) == ((wanted,) if widens else ())


_OPEN: Json = {"ingress": [{}]}
_THEIRS = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "name": "gone", "uid": "uid-of-gone"}
_LABELS = {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "team"}

# sentence: the policy, and whether it is somebody else's where team is enforced and other is not accepted
_IDENTITIES: dict[str, tuple[LivePolicy, bool]] = {
    "a policy without any mark": (stranger("raw"), True),
    "one with only our prefix": (stranger("team.raw"), True),
    "one of the usual name of a raw policy": (stranger("default-deny-all"), True),
    "one of a generated name of nobody": (stranger("nobody.allow-x-ingress"), True),
    "one that was retained when its isolation went": (
        live_from(policy("gone.allow-x-ingress", _OPEN, owner=False)),
        True,
    ),
    "one with another manager": (stranger("raw", labels={**_LABELS, "app.kubernetes.io/managed-by": "Helm"}), True),
    "one that is desired": (stranger("team.default-deny-all"), False),
    "one of a generated name of ours": (stranger("team.allow-x-ingress"), False),
    "one of a generated name of an isolation that is not accepted": (stranger("other.allow-x-ingress"), True),
    "one that was left in place for an isolation that is not accepted": (
        live_from(policy("other.allow-x-ingress", _OPEN)),
        False,
    ),
    "one with both our labels": (stranger("raw", labels=_LABELS), False),
    "one with an ownerReference to us": (stranger("raw", ownerReferences=[{**_THEIRS, "name": "team"}]), False),
    "one with an ownerReference to an isolation that is gone": (stranger("raw", ownerReferences=[_THEIRS]), False),
}


@pytest.mark.parametrize(("live", "foreign"), _IDENTITIES.values(), ids=_IDENTITIES.keys())
def test_only_what_is_somebody_elses_is_named(live: LivePolicy, *, foreign: bool) -> None:
    """What is ours, or claims to be, is drift or work in hand; for one that is not accepted nobody works."""
    team, other = isolation(), frozen("other")
    named = _unmanaged(view(team, other, live=[live]), team)
    assert [each.policy for each in named] == ([live.name] if foreign else [])


# sentence: the isolation, and whether it names what widens it
_ASKED: dict[str, tuple[Isolation, bool]] = {
    "Report": (isolation(), True),
    "Remove": (isolation(unmanagedPolicies="Remove"), True),
    "Ignore": (isolation(unmanagedPolicies="Ignore"), False),
    "Audit and Report": (audited(), True),
    "Audit and Ignore": (audited(unmanagedPolicies="Ignore"), False),
    "not accepted": (frozen(), False),
    "leaving": (isolation(deleting=True), False),
    "leaving and retained": (isolation(deleting=True, deletionPolicy="Retain"), False),
}


@pytest.mark.parametrize(("found", "named"), _ASKED.values(), ids=_ASKED.keys())
def test_an_isolation_names_what_it_was_asked_to(found: Isolation, *, named: bool) -> None:
    """Ignore names nothing, and neither does one that acts no more."""
    assert bool(_unmanaged(view(found, live=[stranger("raw")]), found)) is named


def test_the_policies_of_another_isolation_are_nobodys_finding() -> None:
    """What several isolations allow adds up on purpose."""
    team, other = isolation(), isolation("other", policies=[{"name": "open", "spec": _OPEN}])
    live = [live_from(each) for each in desired_in(view(team, other)).values()]
    assert _unmanaged(view(team, other, live=live), team) == ()


def test_policies_are_named_in_order() -> None:
    """By name: the status does not change with the order in which they were seen."""
    team = isolation()
    live = [stranger(name) for name in ("b", "c", "a")]
    assert [each.policy for each in _unmanaged(view(team, live=live), team)] == ["a", "b", "c"]

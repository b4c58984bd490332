"""Specs that are accepted by `parse_spec` and by the API server alike: every construct, and every limit reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.tables.shapes import PEER_PLACES, PORT_PLACES, SELECTOR_PLACES, Spec, entry, flow, spec, verbatim

__all__ = ["GOOD_INPUTS", "GoodInput"]

_POD: Spec = {"podSelector": {}}
_WEB: Spec = {"podSelector": {"matchLabels": {"app": "web"}}}
_TEAM: Spec = {"namespaceSelector": {"matchLabels": {"team": "payments"}}}
_BLOCK: Spec = {"ipBlock": {"cidr": "203.0.113.0/24"}}
_PROMETHEUS: Spec = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
    "podSelector": {"matchLabels": {"app": "prometheus"}},
}
_LONGEST_KEY = f"{'p' * 63}.{'q' * 63}.{'r' * 63}.{'s' * 61}/{'n' * 63}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodInput:
    """A spec that is accepted."""

    title: str
    spec: Spec


def _namespaces(**fields: Any) -> Spec:  # noqa: ANN401 - any JSON
    return {"namespaces": fields}


_WHOLE = {
    "only namespaces": spec(),
    "one exact name": _namespaces(names=["payments"]),
    "globs": _namespaces(names=["*", "payments-*", "team-?", "*-eu", "?", "a*b?c"]),
    "a name of 63 characters": _namespaces(names=["a" * 63]),
    "a name of digits": _namespaces(names=["1234"]),
    "a name twice": _namespaces(names=["payments", "payments"]),
    "1000 names of 63 characters": _namespaces(names=[f"{i:04}{'n' * 59}" for i in range(1000)]),
    "an empty selector": _namespaces(selector={}),
    "names and selector": _namespaces(names=["payments-*"], selector={"matchLabels": {"team": "payments"}}),
    "an exclusion by name": _namespaces(names=["*"], exclude={"names": ["payments-*"]}),
    "an exclusion by label": _namespaces(names=["*"], exclude={"selector": {"matchLabels": {"a": "b"}}}),
    "1000 excluded names": _namespaces(selector={}, exclude={"names": [f"a{i}" for i in range(1000)]}),
    "a protected namespace": _namespaces(names=["kube-system"]),
    "mode Enforce": spec(mode="Enforce"),
    "mode Audit": spec(mode="Audit"),
    "unmanagedPolicies Report": spec(unmanagedPolicies="Report"),
    "unmanagedPolicies Ignore": spec(unmanagedPolicies="Ignore"),
    "unmanagedPolicies Remove": spec(unmanagedPolicies="Remove"),
    "deletionPolicy Delete": spec(deletionPolicy="Delete"),
    "deletionPolicy Retain": spec(deletionPolicy="Retain"),
    "no default deny": spec(defaultDeny=[]),
    "deny one way": spec(defaultDeny=["Ingress"]),
    "deny the other way": spec(defaultDeny=["Egress"]),
    "deny both ways, the other way round": spec(defaultDeny=["Egress", "Ingress"]),
    "null where a default is": spec(mode=None, defaultDeny=None, dns=None, deletionPolicy=None, unmanagedPolicies=None),
    "null where nothing is needed": spec(allow=None, policies=None),
}

_DNS = {
    "dns off": spec(dns={"enabled": False}),
    "dns with nothing said": spec(dns={}),
    "dns with empty lists": spec(dns={"enabled": True, "to": [], "ports": []}),
    "node-local dns": spec(dns={"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}, _PROMETHEUS]}),
    "OpenShift's dns": spec(dns={"ports": [{"protocol": "UDP", "port": 5353}, {"port": "dns-tcp"}]}),
    "local and remote servers": spec(dns={"to": [_POD, _TEAM, _BLOCK]}),
    "32 servers and 32 ports": spec(dns={"to": [_BLOCK] * 32, "ports": [{"port": i + 1} for i in range(32)]}),
}

_ALLOW = {
    "no entries": spec(allow=[]),
    "local to local": flow(from_=[_WEB], to=[_POD], ports=[{"port": 8080}]),
    "only from, local": flow(from_=[_WEB]),
    "only to, local": flow(to=[_WEB]),
    "only from, remote": flow(from_=[_PROMETHEUS], ports=[{"port": 9090}]),
    "only to, remote": flow(to=[_BLOCK]),
    "remote to local": flow(from_=[_TEAM, _BLOCK], to=[_WEB]),
    "local to remote": flow(from_=[_WEB, _POD], to=[_BLOCK, _TEAM]),
    "a side of null": flow(from_=None, to=[_WEB]),
    "the same peer twice": flow(from_=[_WEB, _WEB]),
    "a description of 256 characters": flow(from_=[_POD], description="a" * 256),
    "a description in other letters": flow(from_=[_POD], description="ü" * 256),
    "an empty description": flow(from_=[_POD], description=""),
    "an entry name of one character": flow(name="a", from_=[_POD]),
    "an entry name of digits": flow(name="443", from_=[_POD]),
    "an entry name of 63 characters": flow(name="a" * 63, from_=[_POD]),
    "an entry name that holds dns": flow(name="dns-tcp", from_=[_POD]),
    "an entry with a reserved policy's name": flow(name="default-deny-all", from_=[_POD]),
    "32 peers a side and 32 ports": flow(
        from_=[_WEB] * 32, to=[_BLOCK] * 32, ports=[{"port": i + 1} for i in range(32)]
    ),
    "200 entries of 32 and 32 peers": spec(
        allow=[entry(f"e{i}", from_=[_WEB] * 32, to=[_POD] * 32, ports=[{"port": 80}]) for i in range(200)]
    ),
}

_VERBATIM = {
    "no policies": spec(policies=[]),
    "a policy that says nothing": spec(policies=[{"name": "a", "spec": {}}]),
    "a policy with a description": spec(policies=[{"name": "a", "description": "d" * 256, "spec": {}}]),
    "a policy name of 63 characters": verbatim("a" * 63),
    "a policy called default-deny": verbatim("default-deny"),
    "a policy called dns": verbatim("dns"),
    "a policy that denies ingress": verbatim(policyTypes=["Ingress"], ingress=[]),
    "a policy that denies egress": verbatim(policyTypes=["Egress"], egress=[]),
    "both types": verbatim(policyTypes=["Ingress", "Egress"]),
    "no types": verbatim(policyTypes=[]),
    "a type twice": verbatim(policyTypes=["Ingress", "Ingress"]),
    "an empty rule": verbatim(ingress=[{}], egress=[{}]),
    "mixed peers in a rule": verbatim(ingress=[{"from": [_POD, _TEAM, _BLOCK]}]),
    "a rule with ports alone": verbatim(egress=[{"ports": [{"port": 443}]}]),
    "null in a policy": verbatim(policyTypes=None, ingress=None, egress=[{"to": None, "ports": None}]),
    "8 policies of 32 rules each way": spec(
        policies=[
            {"name": f"p{i}", "spec": {"ingress": [{"from": [_WEB]}] * 32, "egress": [{"to": [_BLOCK]}] * 32}}
            for i in range(8)
        ]
    ),
    "32 rules of 32 peers and 32 ports": verbatim(
        ingress=[{"from": [_BLOCK] * 32, "ports": [{"port": "http"}] * 32}] * 32
    ),
}

_PEERS = {
    "pods": _WEB,
    "every pod of the namespace": _POD,
    "namespaces": _TEAM,
    "every namespace": {"namespaceSelector": {}},
    "pods of namespaces": _PROMETHEUS,
    "every IPv4 address": {"ipBlock": {"cidr": "0.0.0.0/0"}},
    "every IPv6 address": {"ipBlock": {"cidr": "::/0"}},
    "one IPv4 address": {"ipBlock": {"cidr": "203.0.113.7/32"}},
    "one IPv6 address": {"ipBlock": {"cidr": "2001:db8::7/128"}},
    "an IPv6 block written out": {"ipBlock": {"cidr": "2001:0db8:0000:0000:0000:0000:0000:0000/32"}},
    "an IPv6 address of 43 characters": {"ipBlock": {"cidr": "2001:0db8:0000:0000:0000:0000:0000:0007/128"}},
    "an IPv6 block in upper case": {"ipBlock": {"cidr": "2001:DB8::/32"}},
    "an IPv6 block that ends in IPv4": {"ipBlock": {"cidr": "64:ff9b::192.0.2.0/120"}},
    "a block without exceptions": {"ipBlock": {"cidr": "10.0.0.0/8", "except": []}},
    "an exception at the start": {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/9"]}},
    "an exception at the end": {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.255.255.255/32"]}},
    "an IPv6 exception": {"ipBlock": {"cidr": "2001:db8::/32", "except": ["2001:DB8:0:1::/64"]}},
    "an exception twice": {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.1.0.0/16"]}},
    "16 exceptions": {"ipBlock": {"cidr": "10.0.0.0/8", "except": [f"10.{i}.0.0/16" for i in range(16)]}},
}

_PORTS = {
    "nothing said": {},
    "port 1": {"port": 1},
    "port 65535": {"port": 65535},
    "TCP": {"protocol": "TCP", "port": 80},
    "UDP": {"protocol": "UDP", "port": 53},
    "SCTP": {"protocol": "SCTP", "port": 3868},
    "a protocol alone": {"protocol": "UDP"},
    "protocol null": {"protocol": None, "port": None},
    "a name": {"port": "http"},
    "a name of one letter": {"port": "a"},
    "a name of 15 characters": {"port": "metrics-8080-v1"},
    "a name with digits first": {"port": "8080-tcp"},
    "a range": {"port": 8000, "endPort": 8100},
    "a range of one": {"port": 8000, "endPort": 8000},
    "every port": {"port": 1, "endPort": 65535},
}

_SELECTORS = {
    "empty": {},
    "empty parts": {"matchLabels": {}, "matchExpressions": []},
    "parts of null": {"matchLabels": None, "matchExpressions": None},
    "an empty value": {"matchLabels": {"app": ""}},
    "a value of 63 characters": {"matchLabels": {"app": "V" * 63}},
    "a value with every character": {"matchLabels": {"app": "a-B_c.9"}},
    "a key of one character": {"matchLabels": {"a": "b"}},
    "a key of 63 characters": {"matchLabels": {"A" * 63: "b"}},
    "a key with a prefix": {"matchLabels": {"app.kubernetes.io/name": "web"}},
    "a key of 317 characters": {"matchLabels": {_LONGEST_KEY: "b"}},
    "16 labels": {"matchLabels": {f"a{i}": f"v{i}" for i in range(16)}},
    "every operator": {
        "matchExpressions": [
            {"key": "a", "operator": "In", "values": ["b", ""]},
            {"key": "a", "operator": "NotIn", "values": ["c"]},
            {"key": "a", "operator": "Exists"},
            {"key": "a", "operator": "DoesNotExist", "values": []},
        ]
    },
    "an expression with a key of 317 characters": {"matchExpressions": [{"key": _LONGEST_KEY, "operator": "Exists"}]},
    "8 expressions of 16 values": {
        "matchExpressions": [
            {"key": f"a{i}", "operator": "In", "values": [f"v{j}" for j in range(16)]} for i in range(8)
        ]
    },
    "both": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]},
}


def _all() -> Iterator[GoodInput]:
    for titled in (_WHOLE, _DNS, _ALLOW, _VERBATIM):
        for title, good in titled.items():
            yield GoodInput(title=title, spec=good)
    for kind, parts, places in (
        ("peer", _PEERS, PEER_PLACES),
        ("port", _PORTS, PORT_PLACES),
        ("selector", _SELECTORS, SELECTOR_PLACES),
    ):
        for title, part in parts.items():
            for place in places:
                yield GoodInput(title=f"{kind}: {title}, at {place.path}", spec=place.around(part))


GOOD_INPUTS: tuple[GoodInput, ...] = tuple(_all())
"""Every construct, and every maximum reached; peers, ports and selectors in every place that takes them."""

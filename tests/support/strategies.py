"""Hypothesis strategies: accepted specs of isolations, and the same NetworkPolicySpec written in other words."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

__all__ = ["disguised", "namespace_labels", "namespaces", "policy_specs", "specs"]

Json = dict[str, Any]

_WORDS = ("web", "api", "db", "cache")
_KEYS = ("app", "tier", "app.kubernetes.io/name", "kubernetes.io/metadata.name")
_FEW = 3

_keys = st.sampled_from(_KEYS) | st.from_regex(
    r"[a-z]{1,5}\.dev/[A-Za-z0-9]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9])?", fullmatch=True
)
_values = st.sampled_from([*_WORDS, ""]) | st.from_regex(
    r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", fullmatch=True
)
_names = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def _some(elements: st.SearchStrategy[Any], *, least: int = 1, most: int = _FEW) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=least, max_size=most)


_expressions = st.one_of(
    st.fixed_dictionaries({"key": _keys, "operator": st.sampled_from(["In", "NotIn"]), "values": _some(_values)}),
    st.fixed_dictionaries(
        {"key": _keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])}, optional={"values": st.just([])}
    ),
)
_selectors: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.dictionaries(_keys, _values, max_size=2),
        "matchExpressions": _some(_expressions, least=0, most=2),
    },
)


@st.composite
def _networks(draw: st.DrawFn) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    if draw(st.booleans()):
        length = draw(st.integers(0, 32))
        bits = draw(st.integers(0, 2**32 - 1))
        return ipaddress.IPv4Network((bits >> (32 - length) << (32 - length), length))
    length = draw(st.integers(4, 128))
    # Not in ::/4, where IPv4 addresses written as IPv6 live: those are refused.
    bits = draw(st.integers(2**124, 2**128 - 1))
    return ipaddress.IPv6Network((bits >> (128 - length) << (128 - length), length))


@st.composite
def _blocks(draw: st.DrawFn) -> Json:
    network = draw(_networks())
    block: Json = {"cidr": str(network)}
    longest = network.max_prefixlen
    if network.prefixlen < longest and draw(st.booleans()):
        excepts = []
        for _ in range(draw(st.integers(0, 2))):
            length = draw(st.integers(network.prefixlen + 1, longest))
            index = draw(st.integers(0, 2 ** (length - network.prefixlen) - 1))
            start = int(network.network_address) + (index << (longest - length))
            excepts.append(f"{type(network.network_address)(start)}/{length}")
        block["except"] = excepts
    return {"ipBlock": block}


_local_peers = _selectors.map(lambda selector: {"podSelector": selector})
_remote_peers = st.one_of(
    _selectors.map(lambda selector: {"namespaceSelector": selector}),
    st.fixed_dictionaries({"namespaceSelector": _selectors, "podSelector": _selectors}),
    _blocks(),
)
_peers = _local_peers | _remote_peers

_protocols = st.sampled_from(["TCP", "UDP", "SCTP"])
_numbers = st.integers(1, 65535)
_port_names = st.sampled_from(["http", "metrics-8080-v1", "a", "8080-tcp"])
_ranges = st.tuples(_numbers, _numbers).map(lambda ends: {"port": min(ends), "endPort": max(ends)})


@st.composite
def _ports(draw: st.DrawFn) -> Json:
    port: Json = draw(
        st.one_of(st.just({}), _numbers.map(lambda n: {"port": n}), _port_names.map(lambda n: {"port": n}), _ranges)
    )
    return port if draw(st.booleans()) else {**port, "protocol": draw(_protocols)}


_descriptions = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@st.composite
def _entries(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(["inside", "in", "out", "only from", "only to"]))
    entry: Json = {"name": draw(_names.filter(lambda name: name != "dns"))}
    if kind != "only to":
        local = kind in {"inside", "out"} or (kind == "only from" and draw(st.booleans()))
        entry["from"] = draw(_some(_local_peers if local else _remote_peers))
    if kind != "only from":
        local = kind in {"inside", "in"} or (kind == "only to" and draw(st.booleans()))
        entry["to"] = draw(_some(_local_peers if local else _remote_peers))
    if draw(st.booleans()):
        entry["ports"] = draw(_some(_ports()))
    if draw(st.booleans()):
        entry["description"] = draw(_descriptions)
    return entry


def _rules(side: str) -> st.SearchStrategy[list[Json]]:
    rule: st.SearchStrategy[Json] = st.fixed_dictionaries({}, optional={side: _some(_peers), "ports": _some(_ports())})
    return _some(rule, least=0)


policy_specs: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "podSelector": _selectors,
        "policyTypes": st.lists(st.sampled_from(["Ingress", "Egress"]), max_size=2, unique=True),
        "ingress": _rules("from"),
        "egress": _rules("to"),
    },
)
"""Specs of NetworkPolicies that the API server takes."""

_verbatim: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "name": _names.filter(lambda name: not name.startswith(("allow-", "default-deny-"))),
        "spec": policy_specs,
    },
    optional={"description": _descriptions},
)

_namespace_names = st.sampled_from(
    ["payments", "payments-eu", "monitoring", "kube-system", "*", "pay*", "p?yments*", "*-eu"]
)
_filters: st.SearchStrategy[Json] = st.one_of(
    st.fixed_dictionaries({"names": _some(_namespace_names)}, optional={"selector": _selectors}),
    st.fixed_dictionaries({"selector": _selectors}),
)
namespaces: st.SearchStrategy[Json] = st.builds(
    lambda wanted, exclude: wanted if exclude is None else {**wanted, "exclude": exclude},
    _filters,
    st.none() | _filters,
)
"""What `spec.namespaces` may hold."""

namespace_labels = st.dictionaries(st.sampled_from(_KEYS[:2]), st.sampled_from([*_WORDS, ""]), max_size=2)
"""Labels of namespaces, few enough to be selected now and then."""


def specs(namespaces: st.SearchStrategy[Json] | None = None) -> st.SearchStrategy[Json]:
    """Give specs that are accepted; of the namespace payments, if nothing else is given."""
    return st.fixed_dictionaries(
        {"namespaces": st.just({"names": ["payments"]}) if namespaces is None else namespaces},
        optional={
            "defaultDeny": st.lists(st.sampled_from(["Ingress", "Egress"]), max_size=2, unique=True),
            "dns": st.fixed_dictionaries(
                {},
                optional={"enabled": st.booleans(), "to": _some(_peers, least=0), "ports": _some(_ports(), least=0)},
            ),
            "allow": st.lists(_entries(), max_size=_FEW, unique_by=lambda entry: entry["name"]),
            "policies": st.lists(_verbatim, max_size=2, unique_by=lambda each: each["name"]),
            "deletionPolicy": st.sampled_from(["Delete", "Retain"]),
        },
    )


@st.composite
def disguised(draw: st.DrawFn, spec: Mapping[str, Any]) -> Json:
    """Write a NetworkPolicySpec so that it means the same: lists turned and doubled, defaults said or left out."""
    result: Json = {}
    for field, value in spec.items():
        match field:
            case "ingress" | "egress":
                if value or draw(st.booleans()):
                    result[field] = draw(_mixed(value, _rule_disguised))
            case "policyTypes":
                result[field] = draw(st.permutations(value))
            case _:
                result[field] = draw(_selector_disguised(value))
    for field in ("ingress", "egress", "podSelector"):
        if field not in result and draw(st.booleans()):
            result[field] = draw(st.sampled_from([None, {} if field == "podSelector" else []]))
    if not result.get("policyTypes"):
        types = ["Ingress", "Egress"] if result.get("egress") else ["Ingress"]
        result["policyTypes"] = draw(st.sampled_from([None, [], types, types[::-1]]))
    return result


def _mixed(items: list[Json], inner: Callable[[Json], st.SearchStrategy[Any]]) -> st.SearchStrategy[list[Any]]:
    """Turn a list, double some of its items, and disguise each."""
    if not items:
        return st.just([])
    doubled = st.lists(st.sampled_from(items), max_size=2).map(lambda more: [*items, *more])
    return doubled.flatmap(st.permutations).flatmap(lambda some: st.tuples(*map(inner, some))).map(list)


@st.composite
def _rule_disguised(draw: st.DrawFn, rule: Json) -> Json:
    result: Json = {}
    for field in ("from", "to", "ports"):
        if rule.get(field):
            result[field] = draw(_mixed(rule[field], _port_disguised if field == "ports" else _peer_disguised))
        elif draw(st.booleans()):
            result[field] = None
    return result


@st.composite
def _port_disguised(draw: st.DrawFn, port: Json) -> Json:
    if port.get("protocol", "TCP") != "TCP":
        return port
    rest = {key: value for key, value in port.items() if key != "protocol"}
    return draw(st.sampled_from([rest, {**rest, "protocol": "TCP"}, {**rest, "protocol": None}]))


@st.composite
def _peer_disguised(draw: st.DrawFn, peer: Json) -> Json:
    result: Json = {}
    for field, value in peer.items():
        if field == "ipBlock":
            block = dict(value)
            if block.get("except"):
                block["except"] = draw(st.permutations([*block["except"], block["except"][0]]))
            else:
                block["except"] = draw(st.sampled_from([None, []]))
            result[field] = block
        else:
            result[field] = draw(_selector_disguised(value))
    return result


@st.composite
def _selector_disguised(draw: st.DrawFn, selector: Json) -> Json:
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    result: Json = {
        "matchLabels": dict(reversed(labels.items())) if labels else draw(st.sampled_from([None, {}])),
        "matchExpressions": draw(_mixed(expressions, _expression_disguised)) if expressions else None,
    }
    return {key: value for key, value in result.items() if value is not None or draw(st.booleans())}


@st.composite
def _expression_disguised(draw: st.DrawFn, expression: Json) -> Json:
    if expression.get("values"):
        return {**expression, "values": draw(st.permutations([*expression["values"], expression["values"][0]]))}
    return {**expression, "values": draw(st.sampled_from([None, []]))}

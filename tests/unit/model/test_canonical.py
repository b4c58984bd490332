"""The canonical form of a NetworkPolicySpec."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.canonical import canonical_peer, canonical_spec, digest_of
from tests.support.api_server import stored_spec
from tests.support.strategies import disguised, policy_specs

Json = dict[str, Any]

DENY = {"podSelector": {}, "policyTypes": ["Ingress"]}
_WEB = {"podSelector": {"matchLabels": {"app": "web"}}}
_API = {"podSelector": {"matchLabels": {"app": "api"}}}
_ALL: Json = {"namespaceSelector": {}}


def _in(*rules: Json) -> Json:
    return {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules)}


EQUAL: dict[str, tuple[Json, Json]] = {
    "nothing said is a denial of ingress": ({}, DENY),
    "an empty list of types is no list": ({"policyTypes": []}, DENY),
    "no selector is every pod": ({"podSelector": None}, DENY),
    "empty rules are no rules": ({"ingress": [], "egress": None}, DENY),
    "egress rules make an egress policy": (
        {"egress": [{}]},
        {"podSelector": {}, "policyTypes": ["Egress", "Ingress"], "egress": [{}]},
    ),
    "an empty list of egress rules makes none": ({"egress": []}, DENY),
    "the order of types": ({"policyTypes": ["Egress", "Ingress"]}, {"policyTypes": ["Ingress", "Egress"]}),
    "an empty from is everyone": (_in({"from": []}), _in({})),
    "null ports are every port": (_in({"ports": None, "from": [_WEB]}), _in({"from": [_WEB]})),
    "TCP is the default": (_in({"ports": [{"port": 80}]}), _in({"ports": [{"port": 80, "protocol": "TCP"}]})),
    "the order of peers": (_in({"from": [_WEB, _API]}), _in({"from": [_API, _WEB]})),
    "a peer twice": (_in({"from": [_WEB, _WEB]}), _in({"from": [_WEB]})),
    "the order of rules": (_in({"from": [_WEB]}, {"from": [_API]}), _in({"from": [_API]}, {"from": [_WEB]})),
    "a rule twice": (_in({"from": [_WEB]}, {"from": [_WEB]}), _in({"from": [_WEB]})),
    "a port twice": (
        _in({"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]}),
        _in({"ports": [{"port": 80}]}),
    ),
    "empty parts of a selector": (
        {"podSelector": {"matchLabels": {}, "matchExpressions": []}},
        {"podSelector": {}},
    ),
    "the order of values": (
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["x", "y"]}]}},
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x", "x"]}]}},
    ),
    "empty values": (
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]}},
        {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
    ),
    "empty excepts": (
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": []}}]}),
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}),
    ),
    "the order of excepts": (
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"]}}]}),
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16", "10.1.0.0/16"]}}]}),
    ),
}

DIFFERENT: dict[str, tuple[Json, Json]] = {
    "a rule for everyone opens a denial": (DENY, _in({})),
    "egress opened behind default-deny": (
        {"policyTypes": ["Ingress", "Egress"]},
        {"policyTypes": ["Ingress", "Egress"], "egress": [{}]},
    ),
    "one direction for two": ({"policyTypes": ["Ingress"]}, {"policyTypes": ["Ingress", "Egress"]}),
    "some pods for all": ({}, _WEB),
    "every namespace for every pod of this one": (_in({"from": [_ALL]}), _in({"from": [{"podSelector": {}}]})),
    "every pod of every namespace written twice": (
        _in({"from": [_ALL]}),
        _in({"from": [{"namespaceSelector": {}, "podSelector": {}}]}),
    ),
    "two peers for one of both selectors": (
        _in({"from": [_ALL, _WEB]}),
        _in({"from": [_ALL | _WEB]}),
    ),
    "two rules for one": (
        _in({"from": [_WEB]}, {"ports": [{"port": 80}]}),
        _in({"from": [_WEB], "ports": [{"port": 80}]}),
    ),
    "another protocol": (
        _in({"ports": [{"port": 53, "protocol": "UDP"}]}),
        _in({"ports": [{"port": 53}]}),
    ),
    "a range for a port": (_in({"ports": [{"port": 80}]}), _in({"ports": [{"port": 80, "endPort": 90}]})),
    "every port of a protocol for every port": (_in({"ports": [{}]}), _in({})),
    "a number for a name": (_in({"ports": [{"port": 80}]}), _in({"ports": [{"port": "80"}]})),
    "an except less": (
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}),
        _in({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}),
    ),
    "an empty value for any": (
        {"podSelector": {"matchLabels": {"app": ""}}},
        {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}},
    ),
    "a field of a later Kubernetes": (DENY, {**DENY, "priority": 1}),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL.keys())
def test_what_means_the_same_to_the_api_server_is_equal(one: Json, other: Json) -> None:
    """Both are served alike, or differ only in order and duplicates."""
    assert canonical_spec(one) == canonical_spec(other)
    assert digest_of(canonical_spec(one)) == digest_of(canonical_spec(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_what_means_something_else_is_different(one: Json, other: Json) -> None:
    """A change that opens, closes or may mean something new is never overlooked."""
    assert digest_of(canonical_spec(one)) != digest_of(canonical_spec(other))


def test_the_canonical_form_is_what_people_would_write() -> None:
    """The podSelector is always there, Ingress stands before Egress, protocols are said, nothing empty is left."""
    spec = {"egress": [{"to": [{"podSelector": {"matchLabels": {}}}], "ports": [{"port": 53}]}], "ingress": []}
    assert canonical_spec(spec) == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "egress": [{"to": [{"podSelector": {}}], "ports": [{"port": 53, "protocol": "TCP"}]}],
    }


def test_a_peer_alone_becomes_canonical_like_one_in_a_rule() -> None:
    """Null parts go, and an empty selector stays, because it selects everything."""
    assert canonical_peer({"podSelector": {}, "namespaceSelector": None, "ipBlock": None}) == {"podSelector": {}}


def test_the_hash_of_what_is_written_today_stays_the_same() -> None:
    """The annotation of 40,000 policies must not change by accident: a new rendering takes a new version."""
    assert digest_of(canonical_spec({"policyTypes": ["Ingress", "Egress"]})) == "08f3b6eaafdf713df6368cb24b772ad5"


@given(spec=policy_specs)
def test_the_canonical_form_is_idempotent_and_changes_nothing_it_is_given(spec: Json) -> None:
    """Taken twice it is itself, and the original stays as it was."""
    before = copy.deepcopy(spec)
    once = canonical_spec(spec)
    assert canonical_spec(once) == once
    assert spec == before


@given(spec=policy_specs)
def test_the_canonical_form_does_not_see_what_storing_changes(spec: Json) -> None:
    """A spec and what the API server serves of it are equal."""
    assert canonical_spec(stored_spec(spec)) == canonical_spec(spec)


@given(data=st.data(), spec=policy_specs)
def test_the_canonical_form_does_not_see_order_duplicates_and_defaults(data: st.DataObject, spec: Json) -> None:
    """However the same spec is written, stored or not, it is equal."""
    other = data.draw(disguised(spec))
    assert canonical_spec(other) == canonical_spec(spec)
    assert canonical_spec(stored_spec(other)) == canonical_spec(spec)

"""How the demo puts a NetworkPolicy into words: the words must not promise less, or more, than the policy does."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.demo.words import directions_of, rule_of

APP = {"podSelector": {"matchLabels": {"app": "web"}}}
NAMESPACE = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
EXPRESSIONS = [
    {"key": "tier", "operator": "In", "values": ["a", "b"]},
    {"key": "old", "operator": "DoesNotExist"},
    {"key": "team", "operator": "Exists"},
]

CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "nothing is allowed": ({"policyTypes": ["Ingress"]}, "in", "every pod: nothing in"),
    "one direction is open": (
        {"policyTypes": ["Ingress", "Egress"], "egress": [{}]},
        "in + out",
        "nothing in; every pod → everyone",
    ),
    "pods of the namespace": (
        {"policyTypes": ["Ingress"], **APP, "ingress": [{"from": [{"podSelector": {}}]}]},
        "in",
        "app=web ← every pod",
    ),
    "pods of another namespace, or of all": (
        {
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"namespaceSelector": NAMESPACE}, {"namespaceSelector": {}, **APP}]}],
        },
        "out",
        "every pod → monitoring/* or [*]/app=web",
    ),
    "addresses and ports": (
        {
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}],
                    "ports": [{"port": 8000, "endPort": 8100}, {"protocol": "UDP"}],
                }
            ],
        },
        "out",
        "every pod → 10.0.0.0/8 except 10.1.0.0/16 TCP 8000-8100, UDP every port",
    ),
    "expressions": (
        {"policyTypes": ["Ingress"], "podSelector": {"matchExpressions": EXPRESSIONS}, "ingress": [{}]},
        "in",
        "tier in (a,b),!old,team ← everyone",
    ),
}


@pytest.mark.parametrize(("spec", "directions", "rule"), CASES.values(), ids=CASES)
def test_a_policy_in_words(spec: dict[str, Any], directions: str, rule: str) -> None:
    """Directions, pods, peers and ports of a NetworkPolicySpec read as the table says."""
    assert (directions_of(spec), rule_of(spec)) == (directions, rule)

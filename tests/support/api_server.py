"""What the API server does to a NetworkPolicySpec on storing, written down apart from the code under test.

Measured on kube-apiserver 1.36; tests/integration/test_properties.py holds the canonical form to the real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["stored_spec"]

Json = dict[str, Any]


def stored_spec(spec: Mapping[str, Any]) -> Json:
    """Give a spec as it is served after storing: defaults set, empty fields gone, order and duplicates kept."""
    stored: Json = {"podSelector": _selector(spec.get("podSelector") or {})}
    for field, side in (("ingress", "from"), ("egress", "to")):
        if spec.get(field):
            stored[field] = [_rule(rule, side) for rule in spec[field]]
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if "egress" in stored else ["Ingress"])
    return {**stored, "policyTypes": list(types)}


def _rule(rule: Mapping[str, Any], side: str) -> Json:
    stored: Json = {}
    if rule.get("ports"):
        stored["ports"] = [_port(port) for port in rule["ports"]]
    if rule.get(side):
        stored[side] = [_peer(peer) for peer in rule[side]]
    return stored


def _port(port: Mapping[str, Any]) -> Json:
    return {"protocol": "TCP", **{key: value for key, value in port.items() if value is not None}}


def _peer(peer: Mapping[str, Any]) -> Json:
    stored: Json = {}
    for field in ("podSelector", "namespaceSelector"):
        if peer.get(field) is not None:
            stored[field] = _selector(peer[field])
    if peer.get("ipBlock") is not None:
        stored["ipBlock"] = {key: value for key, value in peer["ipBlock"].items() if value}
    return stored


def _selector(selector: Mapping[str, Any]) -> Json:
    stored: Json = {}
    if selector.get("matchLabels"):
        stored["matchLabels"] = dict(selector["matchLabels"])
    if selector.get("matchExpressions"):
        stored["matchExpressions"] = [
            {key: value for key, value in each.items() if value} for each in selector["matchExpressions"]
        ]
    return stored

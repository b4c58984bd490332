"""A NetworkPolicy in a few words: `app=backend ← app=frontend TCP 8080`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from namespace_isolation.model.names import NAMESPACE_NAME_LABEL

__all__ = ["directions_of", "rule_of"]

Json = Mapping[str, Any]

_SIDES: Final = {"Ingress": ("in", "←", "from"), "Egress": ("out", "→", "to")}


def directions_of(spec: Json) -> str:
    """Name the directions for which a policy isolates its pods."""
    return " + ".join(_SIDES[direction][0] for direction in spec["policyTypes"])


def rule_of(spec: Json) -> str:
    """Say which pods a policy selects, and what it allows them."""
    pods = _selector(spec.get("podSelector") or {}) or "every pod"
    told = [text for direction in spec["policyTypes"] for text in _rules(pods, direction, spec)]
    if all(text.startswith("nothing ") for text in told):
        return f"{pods}: {', '.join(told)}"
    return "; ".join(told)


def _rules(pods: str, direction: str, spec: Json) -> list[str]:
    """Say what the rules of one direction allow."""
    way, arrow, side = _SIDES[direction]
    rules = spec.get(direction.lower()) or []
    return [_rule(pods, arrow, rule.get(side) or [], rule.get("ports") or []) for rule in rules] or [f"nothing {way}"]


def _rule(pods: str, arrow: str, peers: Sequence[Json], ports: Sequence[Json]) -> str:
    others = " or ".join(map(_peer, peers)) or "everyone"
    return " ".join(filter(None, (pods, arrow, others, ", ".join(map(_port, ports)))))


def _peer(peer: Json) -> str:
    block = peer.get("ipBlock")
    if block:
        excepted = ", ".join(block.get("except") or ())
        return f"{block['cidr']} except {excepted}" if excepted else str(block["cidr"])
    pods = _selector(peer.get("podSelector") or {})
    if "namespaceSelector" not in peer:
        return pods or "every pod"
    return f"{_namespaces(peer['namespaceSelector'])}/{pods or '*'}"


def _namespaces(selector: Json) -> str:
    """Name the one namespace that a selector means, or spell the selector."""
    labels = selector.get("matchLabels") or {}
    if labels.keys() == {NAMESPACE_NAME_LABEL} and not selector.get("matchExpressions"):
        return str(labels[NAMESPACE_NAME_LABEL])
    return f"[{_selector(selector) or '*'}]"


def _selector(selector: Json) -> str:
    """Spell a label selector as `kubectl get -l` takes it; empty for one that selects everything."""
    labels = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    return ",".join([*labels, *map(_expression, selector.get("matchExpressions") or ())])


def _expression(expression: Json) -> str:
    key, operator = expression["key"], expression["operator"]
    match operator:
        case "Exists":
            return str(key)
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return f"{key} {operator.lower()} ({','.join(expression['values'])})"


def _port(port: Json) -> str:
    number = port.get("port", "every port")
    if "endPort" in port:
        number = f"{number}-{port['endPort']}"
    return f"{port.get('protocol', 'TCP')} {number}"

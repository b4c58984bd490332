"""What a NetworkPolicySpec lets through, flow by flow, and whether two flows can have a connection in common."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from namespace_isolation.model.canonical import dumps

__all__ = ["Flow", "flows_of", "may_overlap", "selectors_exclude"]

Json = dict[str, Any]

_RULES: Final = (("Ingress", "ingress", "from"), ("Egress", "egress", "to"))
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Flow:
    """One direction, one selector, one peer (None: everyone), one port (None: every port)."""

    direction: str
    pods: Json
    peer: Json | None
    port: Json | None

    @property
    def text(self) -> str:
        """The flow as one comparable text."""
        return dumps([self.direction, self.pods, self.peer, self.port])


def flows_of(spec: Mapping[str, Any]) -> dict[str, Flow]:
    """Take a canonical spec apart; the keys tell whether two policies let the very same flow through."""
    flows = [
        Flow(direction, spec["podSelector"], peer, port)
        for direction, field, side in _RULES
        if direction in spec["policyTypes"]
        for rule in spec.get(field, ())
        for peer in rule.get(side) or (None,)
        for port in rule.get("ports") or (None,)
    ]
    return {flow.text: flow for flow in flows}


def may_overlap(one: Flow, other: Flow) -> bool:
    """Whether some connection could belong to both; when in doubt, yes."""
    return (
        one.direction == other.direction
        and not selectors_exclude(one.pods, other.pods)
        and not _peers_exclude(one.peer, other.peer)
        and not _ports_exclude(one.port, other.port)
    )


def selectors_exclude(one: Json, other: Json) -> bool:
    """Whether no pod can carry what both ask for: the same label with two values."""
    labels, others = one.get("matchLabels", {}), other.get("matchLabels", {})
    return any(key in others and others[key] != value for key, value in labels.items())


def _peers_exclude(one: Json | None, other: Json | None) -> bool:
    if one is None or other is None:
        return False
    if "ipBlock" in one and "ipBlock" in other:
        return _blocks_exclude(one["ipBlock"]["cidr"], other["ipBlock"]["cidr"])
    if "ipBlock" in one or "ipBlock" in other:
        return False  # a block may hold the addresses of pods
    return selectors_exclude(one.get("podSelector", {}), other.get("podSelector", {})) or (
        selectors_exclude(one.get("namespaceSelector", {}), other.get("namespaceSelector", {}))
    )


def _blocks_exclude(one: str, other: str) -> bool:
    try:
        first, second = ipaddress.ip_network(one, strict=False), ipaddress.ip_network(other, strict=False)
    except ValueError:
        return False  # older API servers store what is no CIDR to us: who knows what an enforcer makes of it
    # Addresses of different families have nothing in common, and ipaddress refuses to compare them.
    return first.version != second.version or not first.overlaps(second)


def _ports_exclude(one: Json | None, other: Json | None) -> bool:
    if one is None or other is None:
        return False
    if one["protocol"] != other["protocol"]:
        return True
    first, second = _range(one), _range(other)
    return first is not None and second is not None and (first[1] < second[0] or second[1] < first[0])


def _range(port: Json) -> tuple[int, int] | None:
    """Give the numbers a port stands for; None for a name, which may be any."""
    number = port.get("port")
    if number is None:
        return 1, _LAST_PORT
    return (number, port.get("endPort", number)) if isinstance(number, int) else None

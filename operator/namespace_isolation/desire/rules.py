"""The rules of a policy for one direction, safe on every known enforcer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from namespace_isolation.model.resource import Direction

__all__ = ["direction_spec"]

Json = dict[str, Any]


def direction_spec(direction: Direction, selector: Json, peers: Sequence[Json], ports: Sequence[Json]) -> Json:
    """Write a NetworkPolicySpec of one direction that lets the selected pods talk with the peers.

    One direction a policy, and a rule of its own for every ipBlock with `except`: kube-router lets ingress rules of a
    policy with both directions allow egress too, and applies one block's `except` to its neighbours.
    """
    side, field = ("from", "ingress") if direction == "Ingress" else ("to", "egress")
    common = [peer for peer in peers if not _has_except(peer)]
    groups = [common] if common else []
    groups += [[peer] for peer in peers if _has_except(peer)]
    if not groups:
        message = "a rule without peers would mean everyone"
        raise ValueError(message)
    rules = [{side: group, **({"ports": list(ports)} if ports else {})} for group in groups]
    return {"podSelector": selector, "policyTypes": [direction], field: rules}


def _has_except(peer: Json) -> bool:
    return bool(peer.get("ipBlock", {}).get("except"))

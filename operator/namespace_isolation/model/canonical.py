"""The canonical form of a NetworkPolicySpec: equal for two specs that mean the same to the API server.

What the API server does on storing (measured on kube-apiserver 1.36): empty lists and maps disappear, except where
`{}` means everything (podSelector, namespaceSelector, a whole rule); an absent policyTypes becomes Ingress, and Egress
if there are egress rules; an absent protocol becomes TCP. It keeps order and duplicates, which have no meaning, so the
canonical form sorts and drops them: a mere reordering is no difference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["canonical_peer", "canonical_spec", "digest_of", "dumps"]

Json = dict[str, Any]

_DIGEST_BYTES: Final = 16
_RULES: Final = (("ingress", "from"), ("egress", "to"))


def dumps(value: object) -> str:
    """Serialise with sorted keys and no spaces, the one text of a canonical value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: object) -> str:
    """Hash a canonical value: 32 hex digits of BLAKE2b.

    128 bits, so that a tenant cannot search for an open policy with the hash of a closed one.
    """
    # surrogatepass: a lone surrogate can come out of hostile JSON and must not stop the comparison.
    data = dumps(value).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def canonical_spec(spec: Mapping[str, Any]) -> Json:
    """Bring a NetworkPolicySpec into canonical form; fields this version does not know are kept as they are."""
    result: Json = {key: value for key, value in spec.items() if not _is_empty(value)}
    result["podSelector"] = _selector(spec.get("podSelector") or {})
    for field, side in _RULES:
        if field in result:
            result[field] = _unique(_rule(rule, side) for rule in result[field])
    types = result.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in result else [])]
    # Ingress before Egress, as people write it.
    result["policyTypes"] = sorted(set(types), reverse=True)
    return result


def canonical_peer(peer: Mapping[str, Any]) -> Json:
    """Bring one NetworkPolicyPeer into canonical form."""
    result: Json = {key: value for key, value in peer.items() if value is not None}
    for field in ("podSelector", "namespaceSelector"):
        if field in result:
            result[field] = _selector(result[field])
    if "ipBlock" in result:
        block = {key: value for key, value in result["ipBlock"].items() if not _is_empty(value)}
        if "except" in block:
            block["except"] = sorted(set(block["except"]))
        result["ipBlock"] = block
    return result


def _rule(rule: Mapping[str, Any] | None, side: str) -> Json:
    result: Json = {key: value for key, value in (rule or {}).items() if not _is_empty(value)}
    if side in result:
        result[side] = _unique(canonical_peer(peer or {}) for peer in result[side])
    if "ports" in result:
        result["ports"] = _unique(_port(port or {}) for port in result["ports"])
    return result


def _port(port: Mapping[str, Any]) -> Json:
    result: Json = {key: value for key, value in port.items() if value is not None}
    result.setdefault("protocol", "TCP")
    return result


def _selector(selector: Mapping[str, Any]) -> Json:
    result: Json = {key: value for key, value in selector.items() if not _is_empty(value)}
    if "matchExpressions" in result:
        result["matchExpressions"] = _unique(_expression(each or {}) for each in result["matchExpressions"])
    return result


def _expression(expression: Mapping[str, Any]) -> Json:
    result: Json = {key: value for key, value in expression.items() if not _is_empty(value)}
    if "values" in result:
        result["values"] = sorted(set(result["values"]))
    return result


def _is_empty(value: object) -> bool:
    return value is None or value in ([], {})


def _unique(values: Iterable[Json]) -> list[Json]:
    """Sort by text and drop what occurs twice."""
    by_text = {dumps(value): value for value in values}
    return [by_text[text] for text in sorted(by_text)]

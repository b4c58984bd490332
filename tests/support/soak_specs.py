"""The soak test's vocabulary: its isolations and their possible edits, and what is done to policies by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from namespace_isolation.model import names
from namespace_isolation.model.canonical import canonical_spec, digest_of
from namespace_isolation.model.policy import rendering_hash

__all__ = ["CHANGES", "EDITS", "EXTRAS", "FOREIGN", "ISOLATIONS", "PREFIX", "first_spec"]

Json = dict[str, Any]

PREFIX: Final = "soak-"

_WEB = [{"podSelector": {"matchLabels": {"app": "web"}}}]
_API = [{"podSelector": {"matchLabels": {"app": "api"}}}]
_ENTRIES: Final[dict[str, Json]] = {
    "web-to-api": {"from": _WEB, "to": _API, "ports": [{"port": 8080}]},
    "scrape": {"from": [{"namespaceSelector": {"matchLabels": {"team": "red"}}}], "ports": [{"port": 9090}]},
    "pay": {"from": _API, "to": [{"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}]},
    "to-both": {"from": [{"namespaceSelector": {}}], "to": [*_WEB, *_API], "ports": [{"port": "http"}]},
    "inside": {"from": [{"podSelector": {}}], "to": [{"podSelector": {}}]},
}
_VERBATIM: Final = {"name": "legacy", "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": _API}]}}
_BOTH: Final = ["Ingress", "Egress"]

_SELECTIONS: Final[dict[str, list[Json]]] = {
    "by-glob": [{"names": ["soak-*"]}, {"names": ["soak-*"], "exclude": {"names": ["soak-1?"]}}],
    "by-label": [{"selector": {"matchLabels": {"team": "red"}}}, {"selector": {"matchLabels": {"team": "blue"}}}],
    "by-name": [
        {"names": [f"soak-{index:02}" for index in range(8)]},
        {"names": [f"soak-{index:02}" for index in range(4, 12)]},
    ],
    "removing": [{"selector": {"matchLabels": {"zone": "x"}}}, {"names": ["soak-0*"]}],
    "auditing": [{"names": ["soak-?0", "soak-?1", "soak-?2"]}, {"names": ["soak-*"]}],
    "retaining": [
        {"names": ["soak-*"], "selector": {"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]}},
        {"selector": {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["y"]}]}, "names": ["soak-*"]},
    ],
}
ISOLATIONS: Final = tuple(_SELECTIONS)
_CONSTANT: Final[dict[str, Json]] = {
    "removing": {"unmanagedPolicies": "Remove"},
    "auditing": {"mode": "Audit"},
    "retaining": {"deletionPolicy": "Retain"},
}


def first_spec(name: str, chance: random.Random) -> Json:
    """Make up a spec for a new isolation of this name."""
    entries = chance.sample(list(_ENTRIES), chance.randint(0, 3))
    return {
        "namespaces": _SELECTIONS[name][0],
        "allow": [{"name": entry, **_ENTRIES[entry]} for entry in entries],
        "defaultDeny": chance.choice((_BOTH, _BOTH, ["Ingress"], ["Egress"])),
        "dns": {"enabled": chance.random() < 0.8},
        **_CONSTANT.get(name, {}),
    }


def _toggle_entry(chance: random.Random, _: str, spec: Json) -> Json:
    entry = chance.choice(list(_ENTRIES))
    there = [each for each in spec["allow"] if each["name"] != entry]
    added = [] if len(there) < len(spec["allow"]) else [{"name": entry, **_ENTRIES[entry]}]
    return {**spec, "allow": [*there, *added]}


def _change_port(chance: random.Random, _: str, spec: Json) -> Json:
    port = chance.randint(1000, 1003)
    return {**spec, "allow": [{**each, "ports": [{"port": port}]} for each in spec["allow"]]}


def _change_denial(chance: random.Random, _: str, spec: Json) -> Json:
    return {**spec, "defaultDeny": chance.choice((_BOTH, _BOTH, ["Ingress"], ["Egress"], []))}


def _toggle_dns(_: random.Random, __: str, spec: Json) -> Json:
    return {**spec, "dns": {"enabled": not spec["dns"]["enabled"]}}


def _toggle_mode(_: random.Random, __: str, spec: Json) -> Json:
    return {**spec, "mode": "Enforce" if spec.get("mode") == "Audit" else "Audit"}


def _enforce(_: random.Random, __: str, spec: Json) -> Json:
    return {**spec, "mode": "Enforce"}


def _toggle_retention(_: random.Random, __: str, spec: Json) -> Json:
    return {**spec, "deletionPolicy": "Delete" if spec.get("deletionPolicy") == "Retain" else "Retain"}


def _change_unmanaged(chance: random.Random, _: str, spec: Json) -> Json:
    return {**spec, "unmanagedPolicies": chance.choice(("Report", "Ignore", "Remove"))}


def _change_selection(chance: random.Random, name: str, spec: Json) -> Json:
    return {**spec, "namespaces": chance.choice(_SELECTIONS[name])}


def _toggle_verbatim(_: random.Random, __: str, spec: Json) -> Json:
    return {**spec, "policies": [] if spec.get("policies") else [_VERBATIM]}


CHANGES: Final[dict[str, Callable[[random.Random, str, Json], Json]]] = {
    "entry": _toggle_entry,
    "another entry": _toggle_entry,
    "port": _change_port,
    "denial": _change_denial,
    "dns": _toggle_dns,
    "mode": _toggle_mode,
    "enforce": _enforce,
    "retention": _toggle_retention,
    "unmanaged": _change_unmanaged,
    "selection": _change_selection,
    "verbatim": _toggle_verbatim,
}

_WIDE: Final[Json] = {
    "podSelector": {"matchLabels": None, "matchExpressions": None},
    "policyTypes": ["Ingress"],
    "ingress": [{}],
    "egress": None,
}
_WIDE_HASH: Final = rendering_hash(
    digest_of(canonical_spec({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}))
)

EDITS: Final[dict[str, Json]] = {
    "open egress": {"spec": {"policyTypes": _BOTH, "egress": [{}]}},
    "open ingress": {"spec": {"policyTypes": _BOTH, "ingress": [{}]}},
    "narrow": {"spec": {"podSelector": {"matchLabels": {"only": "this"}}}},
    "relabel": {"metadata": {"labels": {names.LABEL_ISOLATION: "somebody"}}},
    "unlabel": {"metadata": {"labels": {names.LABEL_ISOLATION: None, names.LABEL_MANAGED_BY: "helm"}}},
    "disown": {"metadata": {"ownerReferences": None}},
    "forge the hash": {"metadata": {"annotations": {names.ANNOTATION_HASH: "1-0123456789abcdef"}}},
    "open and forge the hash": {"spec": _WIDE, "metadata": {"annotations": {names.ANNOTATION_HASH: _WIDE_HASH}}},
    "redescribe": {"metadata": {"annotations": {names.ANNOTATION_DESCRIPTION: "Nothing to see here."}}},
    "strip": {
        "metadata": {
            "labels": {names.LABEL_ISOLATION: None, names.LABEL_MANAGED_BY: None},
            "annotations": {names.ANNOTATION_HASH: None, names.ANNOTATION_DESCRIPTION: None},
            "ownerReferences": None,
        }
    },
    "note": {"metadata": {"labels": {"example.test/noted": "yes"}}},
}
"""Merge patches of a managed policy; the last one is none of our business."""

EXTRAS: Final = ("labels", "name", "owner")
"""Which of our marks a policy bears that nobody asked for."""

FOREIGN: Final[dict[str, Json]] = {
    "open": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]},
    "some egress": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": _API}]},
    "only isolates": {"podSelector": {}, "policyTypes": ["Ingress"]},
    "controlled": {"podSelector": {}, "policyTypes": _BOTH, "ingress": [{}], "egress": [{}]},
}
"""Policies of others; a controlled one belongs to another operator's object."""

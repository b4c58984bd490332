"""Specs that are refused: where, and with which words, by `parse_spec` and by the API server alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.tables.bad_parts import PEER_FAULTS, PORT_FAULTS, SELECTOR_FAULTS
from tests.tables.shapes import (
    PEER_PLACES,
    PORT_PLACES,
    SELECTOR_PLACES,
    UNKNOWN_FIELD,
    BadInput,
    Spec,
    entry,
    flow,
    spec,
    verbatim,
)

__all__ = ["BAD_INPUTS"]


_POD: Spec = {"podSelector": {}}
_TEAM: Spec = {"namespaceSelector": {"matchLabels": {"team": "payments"}}}
_BLOCK: Spec = {"ipBlock": {"cidr": "203.0.113.0/24"}}

_NAME = "must be a DNS label: lower-case letters"
_NAMESPACE = "must be the name of a namespace: lower-case letters"
_EMPTY = "leave the field out"


def _bad(title: str, spec: Any, path: str, says: str, *server: str) -> BadInput:  # noqa: ANN401 - any JSON
    """Write a case; `server` is what the API server says instead, and where, if that differs, too."""
    words = server[0] if server else None
    place = server[1] if len(server) > 1 else None
    return BadInput(title=title, spec=spec, path=path, says=says, server_says=words, server_path=place)


_WHOLE = (
    _bad("nothing at all", {}, "spec.namespaces", "is required: add it", "Required value"),
    _bad("a list", [], "spec", "must be an object, not a list", "must be of type object"),
    _bad("null", None, "spec", "must be an object, not null", "Required value"),
    _bad("a string", "payments", "spec", "must be an object, not a string", "must be of type object"),
    _bad("an unknown field", spec(allows=[]), "spec.allows", "is not a field of this resource", UNKNOWN_FIELD),
    _bad("an unknown null", spec(allows=None), "spec.allows", "is not a field of this resource", UNKNOWN_FIELD),
    _bad("a field in snake case", spec(default_deny=[]), "spec.default_deny", "is not a field", UNKNOWN_FIELD),
    _bad(
        "an unknown mode", spec(mode="Dry"), "spec.mode", "must be 'Enforce' or 'Audit'", 'supported values: "Enforce"'
    ),
    _bad("a mode in lower case", spec(mode="audit"), "spec.mode", "'Audit'", 'supported values: "Enforce", "Audit"'),
    _bad("a mode that is a list", spec(mode=["Audit"]), "spec.mode", "'Audit'", "must be of type string"),
    _bad(
        "an unknown deletionPolicy",
        spec(deletionPolicy="Orphan"),
        "spec.deletionPolicy",
        "must be 'Delete' or 'Retain'",
        'supported values: "Delete", "Retain"',
    ),
    _bad(
        "an unknown unmanagedPolicies",
        spec(unmanagedPolicies="Delete"),
        "spec.unmanagedPolicies",
        "must be 'Report', 'Ignore' or 'Remove'",
        'supported values: "Report", "Ignore", "Remove"',
    ),
    _bad(
        "an unknown direction",
        spec(defaultDeny=["Outgress"]),
        "spec.defaultDeny[0]",
        "must be 'Ingress' or 'Egress'",
        'supported values: "Ingress", "Egress"',
    ),
    _bad(
        "a direction twice",
        spec(defaultDeny=["Ingress", "Ingress"]),
        "spec.defaultDeny[1]",
        '"Ingress" is in the list already',
        "Duplicate value",
    ),
    _bad(
        "three directions",
        spec(defaultDeny=["Ingress", "Egress", "Ingress"]),
        "spec.defaultDeny",
        "at most 2 items",
        "must have at most 2 items",
    ),
    _bad("a direction alone", spec(defaultDeny="Ingress"), "spec.defaultDeny", "must be a list", "of type array"),
)

_NAMESPACES = (
    _bad("no names and no selector", {"namespaces": {}}, "spec.namespaces", "give names, a selector, or both"),
    _bad(
        "only an exclusion",
        {"namespaces": {"exclude": {"names": ["a"]}}},
        "spec.namespaces",
        "give names, a selector, or both",
    ),
    _bad(
        "an exclusion of nothing",
        {"namespaces": {"names": ["a"], "exclude": {}}},
        "spec.namespaces.exclude",
        "give names, a selector, or both",
    ),
    _bad("an empty list of names", {"namespaces": {"names": []}}, "spec.namespaces.names", "leave names out"),
    _bad(
        "an empty list of excluded names",
        {"namespaces": {"names": ["a"], "exclude": {"names": []}}},
        "spec.namespaces.exclude.names",
        "leave names out",
    ),
    _bad(
        "null for both", {"namespaces": {"names": None, "selector": None}}, "spec.namespaces", "give names, a selector"
    ),
    *(
        _bad(title, {"namespaces": {"names": ["a", name]}}, "spec.namespaces.names[1]", _NAMESPACE)
        for title, name in (
            ("a namespace in upper case", "Payments"),
            ("a namespace with a dot", "payments.eu"),
            ("a namespace with an underscore", "payments_eu"),
            ("a namespace that starts with -", "-payments"),
            ("a namespace that ends with -", "payments-"),
            ("a namespace without a name", ""),
            ("a glob with brackets", "payments-[a-z]"),
            ("a namespace with a line feed", "payments\n"),
            ("a namespace in other letters", "zahlungen-ä"),
        )
    ),
    _bad(
        "a namespace name of 64 characters",
        {"namespaces": {"names": ["a" * 64]}},
        "spec.namespaces.names[0]",
        "no longer than 63 characters",
        "may not be more than 63 bytes",
    ),
    _bad(
        "a bad name in an exclusion",
        {"namespaces": {"names": ["a"], "exclude": {"names": ["B"]}}},
        "spec.namespaces.exclude.names[0]",
        _NAMESPACE,
    ),
    _bad(
        "1001 names",
        {"namespaces": {"names": [f"a{i}" for i in range(1001)]}},
        "spec.namespaces.names",
        "at most 1000 items",
        "must have at most 1000 items",
    ),
    _bad(
        "a name that is a number",
        {"namespaces": {"names": [1]}},
        "spec.namespaces.names[0]",
        "must be a string, not a number: put it in quotes",
        "must be of type string",
    ),
    _bad(
        "a name that is null",
        {"namespaces": {"names": [None]}},
        "spec.namespaces.names[0]",
        "must be a string, not null",
        "must be of type string",
    ),
    _bad(
        "an exclusion in an exclusion",
        {"namespaces": {"names": ["a"], "exclude": {"names": ["b"], "exclude": {"names": ["c"]}}}},
        "spec.namespaces.exclude.exclude",
        "is not a field of this resource",
        UNKNOWN_FIELD,
    ),
)

_ENTRIES = (
    _bad("an entry without sides", flow(), "spec.allow[0]", "name from, to, or both"),
    _bad("an entry with ports alone", flow(ports=[{"port": 80}]), "spec.allow[0]", "name from, to, or both"),
    _bad(
        "both sides remote",
        flow(from_=[_TEAM], to=[_BLOCK]),
        "spec.allow[0]",
        "from and to both lie outside the namespace",
    ),
    _bad(
        "both sides remote with several peers",
        flow(from_=[_TEAM, _BLOCK], to=[_BLOCK, _TEAM]),
        "spec.allow[0]",
        "from and to both lie outside the namespace",
    ),
    _bad("a mixed from", flow(from_=[_POD, _TEAM]), "spec.allow[0].from", "from mixes pods of the namespace"),
    _bad("a mixed to", flow(from_=[_POD], to=[_BLOCK, _POD]), "spec.allow[0].to", "to mixes pods of the namespace"),
    _bad("an empty from", flow(from_=[], to=[_POD]), "spec.allow[0].from", _EMPTY),
    _bad("an empty to", flow(from_=[_POD], to=[]), "spec.allow[0].to", _EMPTY),
    _bad("empty ports", flow(from_=[_POD], ports=[]), "spec.allow[0].ports", _EMPTY),
    _bad(
        "an entry without a name", spec(allow=[{"from": [_POD]}]), "spec.allow[0].name", "is required", "Required value"
    ),
    _bad(
        "an entry called dns", flow(name="dns", from_=[_POD]), "spec.allow[0].name", "dns is the name of the DNS policy"
    ),
    _bad("an entry in upper case", flow(name="Web", from_=[_POD]), "spec.allow[0].name", _NAME),
    _bad("an entry name with a dot", flow(name="web.api", from_=[_POD]), "spec.allow[0].name", _NAME),
    _bad("an entry name with a star", flow(name="web-*", from_=[_POD]), "spec.allow[0].name", _NAME),
    _bad("an empty entry name", flow(name="", from_=[_POD]), "spec.allow[0].name", _NAME),
    _bad("an entry name that ends with -", flow(name="web-", from_=[_POD]), "spec.allow[0].name", _NAME),
    _bad(
        "an entry name of 64 characters",
        flow(name="a" * 64, from_=[_POD]),
        "spec.allow[0].name",
        "no longer than 63 characters",
        "may not be more than 63 bytes",
    ),
    _bad(
        "two entries of one name",
        spec(allow=[entry("web", from_=[_POD]), entry("api", from_=[_POD]), entry("web", to=[_POD])]),
        "spec.allow[2]",
        '"web" is in the list already',
        "Duplicate value",
    ),
    _bad(
        "201 entries",
        spec(allow=[entry(f"e{i}", from_=[_POD]) for i in range(201)]),
        "spec.allow",
        "at most 200 items",
        "must have at most 200 items",
    ),
    _bad(
        "a description of 257 characters",
        flow(from_=[_POD], description="a" * 257),
        "spec.allow[0].description",
        "no longer than 256 characters",
        "may not be more than 256 bytes",
    ),
    _bad("an entry that is null", spec(allow=[None]), "spec.allow[0]", "must be an object", "must be of type object"),
    _bad("entries in an object", spec(allow={}), "spec.allow", "must be a list, not an object", "of type array"),
    _bad(
        "a side that is a label", flow(from_="app=web"), "spec.allow[0].from", "must be a list", "must be of type array"
    ),
    _bad("33 peers", flow(from_=[_POD] * 33), "spec.allow[0].from", "at most 32 items", "must have at most 32 items"),
    _bad("33 ports", flow(to=[_POD], ports=[{}] * 33), "spec.allow[0].ports", "at most 32 items", "at most 32 items"),
    _bad("an unknown field in an entry", flow(form=[_POD]), "spec.allow[0].form", "is not a field", UNKNOWN_FIELD),
)

_DNS = (
    _bad("dns as a word", spec(dns=True), "spec.dns", "must be an object, not true", "must be of type object"),
    _bad(
        "enabled in quotes",
        spec(dns={"enabled": "true"}),
        "spec.dns.enabled",
        "must be true or false",
        "of type boolean",
    ),
    _bad(
        "enabled as a number", spec(dns={"enabled": 1}), "spec.dns.enabled", "must be true or false", "of type boolean"
    ),
    _bad("33 servers", spec(dns={"to": [_POD] * 33}), "spec.dns.to", "at most 32 items", "must have at most 32 items"),
    _bad("33 DNS ports", spec(dns={"ports": [{}] * 33}), "spec.dns.ports", "at most 32 items", "at most 32 items"),
    _bad("an unknown field in dns", spec(dns={"from": []}), "spec.dns.from", "is not a field", UNKNOWN_FIELD),
)

_RESERVED = "names that start with default-deny- or allow- are those of generated policies"
_VERBATIM = (
    *(
        _bad(f"a policy called {name}", verbatim(name), "spec.policies[0].name", _RESERVED)
        for name in ("default-deny-all", "default-deny-x", "allow-dns-egress", "allow-x")
    ),
    _bad("a policy name in upper case", verbatim("Legacy"), "spec.policies[0].name", _NAME),
    _bad("a policy name with a dot", verbatim("a.b"), "spec.policies[0].name", _NAME),
    _bad(
        "a policy name of 64 characters",
        verbatim("a" * 64),
        "spec.policies[0].name",
        "no longer than 63 characters",
        "may not be more than 63 bytes",
    ),
    _bad(
        "two policies of one name",
        spec(policies=[{"name": "a", "spec": {}}, {"name": "a", "spec": {}}]),
        "spec.policies[1]",
        '"a" is in the list already',
        "Duplicate value",
    ),
    _bad(
        "9 policies",
        spec(policies=[{"name": f"p{i}", "spec": {}} for i in range(9)]),
        "spec.policies",
        "at most 8 items",
        "must have at most 8 items",
    ),
    _bad(
        "a policy without a name",
        spec(policies=[{"spec": {}}]),
        "spec.policies[0].name",
        "is required",
        "Required value",
    ),
    _bad(
        "a policy without a spec",
        spec(policies=[{"name": "a"}]),
        "spec.policies[0].spec",
        "is required",
        "Required value",
    ),
    _bad(
        "an unknown policy type",
        verbatim(policyTypes=["ingress"]),
        "spec.policies[0].spec.policyTypes[0]",
        "must be 'Ingress' or 'Egress'",
        'supported values: "Ingress", "Egress"',
    ),
    _bad(
        "three policy types",
        verbatim(policyTypes=["Ingress", "Egress", "Ingress"]),
        "spec.policies[0].spec.policyTypes",
        "at most 2 items",
        "must have at most 2 items",
    ),
    *(
        _bad(
            f"33 {side} rules",
            verbatim(**{side: [{}] * 33}),
            f"spec.policies[0].spec.{side}",
            "at most 32 items",
            "must have at most 32 items",
        )
        for side in ("ingress", "egress")
    ),
    *(
        _bad(
            f"an empty {field} in an {side} rule",
            verbatim(**{side: [{}, {field: []}]}),
            f"spec.policies[0].spec.{side}[1].{field}",
            _EMPTY,
        )
        for side, field in (("ingress", "from"), ("ingress", "ports"), ("egress", "to"), ("egress", "ports"))
    ),
    *(
        _bad(
            f"33 {field} in an {side} rule",
            verbatim(**{side: [{field: [part] * 33}]}),
            f"spec.policies[0].spec.{side}[0].{field}",
            "at most 32 items",
            "must have at most 32 items",
        )
        for side, field, part in (
            ("ingress", "from", _POD),
            ("ingress", "ports", {}),
            ("egress", "to", _POD),
            ("egress", "ports", {}),
        )
    ),
    *(
        _bad(
            f"{field} in an {side} rule",
            verbatim(**{side: [{field: [_POD]}]}),
            f"spec.policies[0].spec.{side}[0].{field}",
            "is not a field of this resource",
            UNKNOWN_FIELD,
        )
        for side, field in (("ingress", "to"), ("egress", "from"))
    ),
    _bad(
        "a rule that is null",
        verbatim(egress=[None]),
        "spec.policies[0].spec.egress[0]",
        "must be an object",
        "of type object",
    ),
)


def _everywhere() -> Iterator[BadInput]:
    for faults, places in ((PEER_FAULTS, PEER_PLACES), (PORT_FAULTS, PORT_PLACES), (SELECTOR_FAULTS, SELECTOR_PLACES)):
        for fault in faults:
            for place in places:
                yield fault.at(place)


BAD_INPUTS: tuple[BadInput, ...] = (*_WHOLE, *_NAMESPACES, *_ENTRIES, *_DNS, *_VERBATIM, *_everywhere())
"""Every rule of the resource broken once; those of peers, ports and selectors in every place that takes them."""

"""The CustomResourceDefinition, derived from the wire models: their limits, defaults, descriptions and CEL rules."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from namespace_isolation.model import names
from namespace_isolation.model.resource import NAME_RULE, IsolationSpec
from namespace_isolation.model.resource_status import NOT_OBSERVED, IsolationStatus
from namespace_isolation.model.wire import VALIDATIONS, Wire

__all__ = ["custom_resource_definition"]

Schema = dict[str, Any]

_DESCRIPTION: Final = (
    "A NamespaceIsolation isolates namespaces from each other: in every namespace that it matches, it keeps the "
    "NetworkPolicies for default deny, for DNS, and for the flows that are allowed."
)
_COPIED: Final = (
    "description",
    "type",
    "x-kubernetes-int-or-string",
    "format",
    "nullable",
    "enum",
    "pattern",
    "allOf",
    "minimum",
    "maximum",
    "maxLength",
    "maxItems",
    "maxProperties",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    VALIDATIONS,
    "required",
)
"""What a structural schema takes over from a JSON schema, in the order in which it reads well."""
_SILENT: Final = frozenset({"additionalProperties", "title", "anyOf", "default", "items", "properties", "$ref"})


def custom_resource_definition() -> Schema:
    """Write the CRD as a document that kubectl can apply."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names.PLURAL}.{names.GROUP}"},
        "spec": {
            "group": names.GROUP,
            "names": {
                "kind": names.KIND,
                "listKind": f"{names.KIND}List",
                "plural": names.PLURAL,
                "singular": names.SINGULAR,
                "shortNames": list(names.SHORT_NAMES),
            },
            "scope": "Cluster",
            "versions": [
                {
                    "name": names.VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _root()},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                }
            ],
        },
    }


def _root() -> Schema:
    return {
        "type": "object",
        "description": _DESCRIPTION,
        "required": ["spec"],
        VALIDATIONS: [NAME_RULE.validation()],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{names.API_VERSION}."},
            "kind": {"type": "string", "description": f"{names.KIND}."},
            "metadata": {"type": "object"},
            "spec": structural(IsolationSpec),
            "status": {**structural(IsolationStatus), "default": {"observedGeneration": NOT_OBSERVED}},
        },
    }


def _columns() -> list[Schema]:
    columns = (
        ("Mode", "string", ".spec.mode", "Enforce, or Audit, which writes nothing."),
        ("Namespaces", "string", ".status.namespaces.summary", "Namespaces in sync, of those that match."),
        ("Policies", "string", ".status.policies.summary", "Policies in place, of those desired."),
        ("Drift", "integer", ".status.drift.corrected", "Drifts corrected since creation."),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Whether every policy is in place."),
        ("Age", "date", ".metadata.creationTimestamp", "Time since creation."),
    )
    wide = (
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why it is ready, or is not."),
        ("Outstanding", "integer", ".status.drift.outstanding", "Drifts that are there now."),
        ("Failed", "integer", ".status.namespaces.failed", "Namespaces with problems."),
        ("Unmanaged", "integer", ".status.unmanaged.count", "Policies of others that allow more."),
        ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', "The reason in a sentence."),
    )
    return [_column(*each) for each in columns] + [{**_column(*each), "priority": 1} for each in wide]


def _column(name: str, kind: str, path: str, description: str) -> Schema:
    return {"name": name, "type": kind, "jsonPath": path, "description": description}


def structural(model: type[Wire]) -> Schema:
    """Write a model as the structural schema that a CRD needs: no references, no null, every list of a kind."""
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    schema = _resolved(schema, definitions)
    unknown = schema.keys() - set(_COPIED) - _SILENT
    if unknown:
        place = schema.get("title", schema)
        raise ValueError(f"no structural schema for {sorted(unknown)} in {place}: add it to model/crd.py")
    result: Schema = {key: deepcopy(schema[key]) for key in _COPIED if key in schema}
    if schema.get("default") not in (None, []):
        result["default"] = schema["default"]
    if "items" in schema:
        result["items"] = _structural(schema["items"], definitions)
        result.setdefault("x-kubernetes-list-type", "atomic")
    if "properties" in schema:
        result["properties"] = {name: _structural(each, definitions) for name, each in schema["properties"].items()}
    elif isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _structural(schema["additionalProperties"], definitions)
    return result


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """Put the definition in the place of its reference, and the type in the place of "the type or null"."""
    result = {key: value for key, value in schema.items() if key not in ("$defs", "anyOf", "$ref")}
    if "$ref" in schema:
        definition = definitions[schema["$ref"].rpartition("/")[2]]
        return _merged(_resolved(definition, definitions), result)
    if "anyOf" in schema:
        (only,) = (each for each in schema["anyOf"] if each != {"type": "null"})
        return _merged(_resolved(only, definitions), result)
    return result


def _merged(inner: Schema, outer: Schema) -> Schema:
    """Lay what a field says over what its type says; the rules of both hold."""
    merged = {**inner, **outer}
    if VALIDATIONS in inner and VALIDATIONS in outer:
        merged[VALIDATIONS] = [*inner[VALIDATIONS], *outer[VALIDATIONS]]
    return merged

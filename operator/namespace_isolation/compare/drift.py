"""The evidence of a drift: which fields of a live policy differ from what is desired, and who wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from namespace_isolation.model import names
from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.plan import UNKNOWN, Drift
from namespace_isolation.model.policy import Policy, is_isolation_reference, owner_reference

__all__ = ["drift_of", "maker_of"]

Json = dict[str, Any]


def drift_of(policy: Policy, document: Mapping[str, Any]) -> Drift:
    """Compare a policy with the NetworkPolicy as served; fields are paths such as `spec.egress`."""
    metadata = document.get("metadata", {})
    fields = (
        *_spec_fields(policy.spec, canonical_spec(document.get("spec") or {})),
        *_map_fields("metadata.labels", policy.labels, metadata.get("labels") or {}),
        *_map_fields("metadata.annotations", policy.annotations, metadata.get("annotations") or {}),
        *_owner_fields(policy, metadata.get("ownerReferences") or ()),
    )
    manager, changed = _last_writer(fields, metadata.get("managedFields") or ())
    return Drift(fields=fields, manager=manager, changed=changed)


def _spec_fields(wanted: Json, live: Json) -> list[str]:
    return [f"spec.{key}" for key in sorted(wanted.keys() | live.keys()) if wanted.get(key) != live.get(key)]


def _map_fields(path: str, wanted: Mapping[str, str], live: Mapping[str, str]) -> list[str]:
    return [f"{path}[{key}]" for key, value in wanted.items() if live.get(key) != value]


def _owner_fields(policy: Policy, live: Sequence[Json]) -> list[str]:
    ours = [each for each in live if is_isolation_reference(each)]
    wanted = [] if policy.owner is None else [owner_reference(policy.owner)]
    plain = [{"controller": False, "blockOwnerDeletion": False, **reference} for reference in ours]
    return [] if plain == wanted else ["metadata.ownerReferences"]


def maker_of(document: Mapping[str, Any]) -> Drift:
    """Tell who last wrote an object that should not be there, by its managedFields."""
    manager, changed = _last_writer(("spec",), document.get("metadata", {}).get("managedFields") or ())
    return Drift(manager=manager, changed=changed)


def _last_writer(fields: tuple[str, ...], entries: Sequence[Json]) -> tuple[str, str | None]:
    """Name the field manager other than us that last wrote one of the fields, and when.

    Who only removed a field leaves no trace in managedFields.
    """
    writers = [
        entry
        for entry in entries
        if entry.get("manager") != names.FIELD_MANAGER
        and any(_owns(entry.get("fieldsV1") or {}, field) for field in fields)
    ]
    if not writers:
        return UNKNOWN, None
    last = max(writers, key=lambda entry: str(entry.get("time", "")))
    return str(last.get("manager") or UNKNOWN), last.get("time")


def _owns(owned: Json, field: str) -> bool:
    """Whether a fieldsV1 tree holds a field (`f:spec` → `f:egress`) or anything below it."""
    head, bracket, key = field.partition("[")
    for part in head.split("."):
        if f"f:{part}" not in owned:
            return False
        owned = owned[f"f:{part}"]
    return f"f:{key.removesuffix(']')}" in owned if bracket else True

"""What the isolations render to, as the requests that a client without a plan would send."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from namespace_isolation.desire.render import render
from namespace_isolation.model.names import FIELD_MANAGER
from namespace_isolation.model.policy import Policy
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, read_isolation
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.bench.request import Request
from tests.bench.shapes import Place

__all__ = [
    "Wanted",
    "create",
    "creation",
    "creations",
    "deletions",
    "isolation_creations",
    "keys_of",
    "namespace_creations",
    "policies_of",
    "removals",
    "rendered",
    "replacement",
]

Json = dict[str, Any]

Wanted = Mapping[str, Sequence[Policy]]
"""Policies by the name of their isolation."""

_QUERY = f"?fieldManager={FIELD_MANAGER}"


def rendered(isolations: Iterable[Json]) -> dict[str, tuple[Policy, ...]]:
    """Render isolations as served; where they select, egress is denied, so that the DNS policy is due."""
    policies: dict[str, tuple[Policy, ...]] = {}
    for document in isolations:
        rendering = render(read_isolation(document))
        dns = (rendering.dns,) if rendering.dns is not None else ()
        policies[document["metadata"]["name"]] = (*rendering.policies, *dns)
    return policies


def policies_of(place: Place, wanted: Wanted) -> Iterator[Policy]:
    """Give the policies of a namespace."""
    for isolation in place.isolations:
        yield from wanted[isolation]


def creations(places: Iterable[Place], wanted: Wanted) -> list[Request]:
    """Create the policies of the places."""
    return [creation(place.name, policy) for place in places for policy in policies_of(place, wanted)]


def creation(namespace: str, policy: Policy) -> Request:
    """Create a policy, byte for byte as the operator would."""
    return Request("POST", policies_path(namespace) + _QUERY, _bytes(policy.manifest(namespace)))


def replacement(namespace: str, policy: Policy) -> Request:
    """Replace a policy, whatever is there."""
    return Request("PUT", policies_path(namespace, policy.name) + _QUERY, _bytes(policy.manifest(namespace)))


def deletions(keys: Iterable[tuple[str, str]]) -> list[Request]:
    """Delete policies by namespace and name."""
    return [Request("DELETE", policies_path(namespace, name)) for namespace, name in keys]


def keys_of(places: Iterable[Place], wanted: Wanted) -> list[tuple[str, str]]:
    """Name the policies of the places, each with its namespace."""
    return [(place.name, policy.name) for place in places for policy in policies_of(place, wanted)]


def create(path: str, document: Json) -> Request:
    """Create one object."""
    return Request("POST", path, _bytes(document))


def namespace_creations(places: Iterable[Place]) -> list[Request]:
    """Create namespaces."""
    return [create(NAMESPACES_PATH, place.document) for place in places]


def removals(place: Place) -> tuple[Request, Request, Request]:
    """Delete a namespace, its policies, and let it go: what the namespace controller does, at 20 requests a second."""
    path = f"{NAMESPACES_PATH}/{place.name}"
    document = {**place.document, "spec": {"finalizers": []}}
    return (
        Request("DELETE", path),
        Request("DELETE", policies_path(place.name)),
        Request("PUT", f"{path}/finalize", _bytes(document)),
    )


def isolation_creations(documents: Iterable[Json]) -> list[Request]:
    """Create isolations."""
    return [create(ISOLATIONS_PATH, document) for document in documents]


def _bytes(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()

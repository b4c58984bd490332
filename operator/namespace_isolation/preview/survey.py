"""Reads a cluster in pages: isolations, namespaces, and those policies that a question is about. It never writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import decoded
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, read_isolation
from namespace_isolation.observe.namespaces import NAMESPACES_PATH, NamespaceStore
from namespace_isolation.observe.served_policy import policies_path, policy_from_text, read_policy
from namespace_isolation.preview.cast import Background

__all__ = ["documents_in", "live_in", "read_background"]

Json = dict[str, Any]
Tell = Callable[[str], None]

_NOT_FOUND: Final = 404


async def read_background(client: Client, tell: Tell) -> Background:
    """List namespaces and isolations; `tell` hears how far it is. Raises ApiError."""
    read_namespace = NamespaceStore(lambda *_: None).read
    isolations = await _isolations(client, tell)
    namespaces = [read_namespace(item) async for item in _items(client, NAMESPACES_PATH, tell, "namespaces")]
    return Background(
        isolations=isolations or {},
        namespaces={each.name: each for each in namespaces},
        has_resource=isolations is not None,
    )


async def _isolations(client: Client, tell: Tell) -> dict[str, Isolation] | None:
    """List the isolations; None where the cluster does not know the resource."""
    try:
        found = [read_isolation(decoded(item)) async for item in _items(client, ISOLATIONS_PATH, tell, "isolations")]
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise
        return None
    return {each.name: each for each in found}


async def live_in(
    client: Client, namespaces: frozenset[str], tell: Tell, *, claimed_by: frozenset[str] = frozenset()
) -> Mapping[str, list[LivePolicy]]:
    """List the policies of these namespaces, and of those with a policy that claims to be of one of the isolations.

    Everything is listed, because such a policy may be anywhere; what is of no concern is not kept. Raises ApiError.
    """
    found: dict[str, list[LivePolicy]] = {}
    elsewhere: set[str] = set()
    async for item in _items(client, policies_path(), tell, "policies"):
        live = policy_from_text(item)
        if live.namespace in namespaces:
            found.setdefault(live.namespace, []).append(live)
        elif not claimed_by.isdisjoint(live.claims):
            elsewhere.add(live.namespace)
    for namespace, documents in zip(sorted(elsewhere), await documents_in(client, sorted(elsewhere)), strict=True):
        found[namespace] = [read_policy(each) for each in documents.values()]
    return found


async def documents_in(client: Client, namespaces: Iterable[str]) -> list[dict[str, Json]]:
    """Read the policies of each namespace, whole and by name. Raises ApiError."""
    return list(await asyncio.gather(*(_documents(client, each) for each in namespaces)))


async def _documents(client: Client, namespace: str) -> dict[str, Json]:
    return {
        item["metadata"]["name"]: item
        async for page in client.pages(policies_path(namespace))
        for item in page.documents()
    }


async def _items(client: Client, path: str, tell: Tell, what: str) -> AsyncIterator[msgspec.Raw]:
    count = 0
    async for page in client.pages(path):
        for item in page.objects:
            yield item
            count += 1
        tell(f"reading {what}: {count}")

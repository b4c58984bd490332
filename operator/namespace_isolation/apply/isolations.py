"""The only writes of NamespaceIsolations: our finalizer and the status, never the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from namespace_isolation.cluster import Client
from namespace_isolation.cluster.client import JSON_PATCH
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.observe.isolations import isolation_path

__all__ = ["read", "set_finalizer", "write_status"]

Json = dict[str, Any]


async def read(client: Client, name: str) -> Json:
    """Read an isolation as it is now."""
    return await client.get(isolation_path(name))


async def set_finalizer(client: Client, isolation: Isolation, *, present: bool) -> Json:
    """Add or remove our finalizer; others stay. A conflict (409) means that the isolation changed meanwhile."""
    others = [each for each in isolation.finalizers if each != FINALIZER]
    metadata = {
        "finalizers": [*others, FINALIZER] if present else others,
        "resourceVersion": str(isolation.resource_version),
    }
    return await client.patch(isolation_path(isolation.name), {"metadata": metadata})


async def write_status(client: Client, isolation: Isolation, status: Mapping[str, Any]) -> Json:
    """Write the status, unless the resource was deleted and made anew: that is refused (422).

    A JSON patch, because it can test: a uid in a merge patch of `/status` is passed over (kube-apiserver 1.36).
    """
    steps = [
        {"op": "test", "path": "/metadata/uid", "value": isolation.uid},
        {"op": "add", "path": "/status", "value": status},
    ]
    return await client.patch(isolation_path(isolation.name, "/status"), steps, content_type=JSON_PATCH)

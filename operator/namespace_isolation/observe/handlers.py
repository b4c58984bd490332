"""Kopf's part: it watches the NamespaceIsolations and tells the store what it sees."""

from __future__ import annotations

from typing import Any

import kopf

from namespace_isolation.model import names
from namespace_isolation.observe.isolations import IsolationStore

__all__ = ["watch_isolations"]


def watch_isolations(registry: kopf.OperatorRegistry, store: IsolationStore) -> None:
    """Register the one handler; it returns nothing, because Kopf would write a result into the object."""

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def seen(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 - Kopf hands over much more
        document: dict[str, Any] = dict(event["object"])
        if event["type"] == "DELETED":
            metadata = document["metadata"]
            store.removed(metadata["name"], metadata["uid"], int(metadata["resourceVersion"]))
        else:
            store.changed(document)

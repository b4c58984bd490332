"""Pages and watch events as a client gives them, from whole documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from namespace_isolation.cluster.served import Event, Page, encoded

__all__ = ["event_of", "page_of", "texts"]

Json = dict[str, Any]

_PAGE, _EVENT = msgspec.json.Decoder(Page), msgspec.json.Decoder(Event)


def page_of(items: Iterable[Json], version: int = 1) -> Page:
    """Give the only page of a list."""
    return _PAGE.decode(encoded({"metadata": {"resourceVersion": str(version)}, "items": list(items)}))


def event_of(kind: str, document: Json) -> Event:
    """Give a watch event."""
    return _EVENT.decode(encoded({"type": kind, "object": document}))


def texts(documents: Iterable[Json]) -> list[bytes]:
    """Give documents as the JSON texts that a list holds."""
    return [encoded(each) for each in documents]

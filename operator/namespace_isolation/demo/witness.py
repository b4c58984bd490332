"""Watches a collection of the API server as any user could, and keeps every event with the moment it came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.demo.chronicle import Alarm, Chronicle
from namespace_isolation.demo.unseen import Unseen

__all__ = ["Sighting", "Witness", "watching"]

Json = dict[str, Any]

_SECONDS: Final = 3600
_SILENCE: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One watch event: ADDED, MODIFIED or DELETED, the object, and when it came (monotonic seconds)."""

    kind: str
    document: Json
    at: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.document["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """The object's namespace; empty where it has none."""
        return str(self.document["metadata"].get("namespace", ""))

    @property
    def spec(self) -> Json:
        """The object's spec."""
        spec: Json = self.document.get("spec") or {}
        return spec

    @property
    def revision(self) -> int:
        """The moment of the change in the order of the whole cluster: etcd's revision."""
        return int(self.document["metadata"]["resourceVersion"])

    def __str__(self) -> str:
        """Show the event in a line."""
        return f"{self.kind} {'/'.join(filter(None, (self.namespace, self.name)))}"


Witness = Chronicle[Sighting]


@asynccontextmanager
async def watching(client: Client, path: str, witness: Witness, alarm: Alarm) -> AsyncIterator[None]:
    """Let a witness watch a collection while the context lasts; what is there already comes first, as ADDED."""
    version = "0"
    async for page in client.pages(path):
        version = str(page.resource_version)
        for document in page.documents():
            witness.add(Sighting(kind="ADDED", document=document))
    following = asyncio.create_task(_follow(client, path, version, witness, alarm))
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _follow(client: Client, path: str, version: str, witness: Witness, alarm: Alarm) -> None:
    reason: Sequence[str] = ("the API server ended it",)
    try:
        async for event in client.watch(path, resource_version=version, seconds=_SECONDS, silence=_SILENCE):
            if event.type != "BOOKMARK":
                witness.add(Sighting(kind=event.type, document=event.document()))
    except ApiError as error:
        reason = (str(error),)
    alarm.ring(Unseen(f"a watch of {path} that lasts", reason))

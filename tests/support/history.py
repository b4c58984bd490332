"""All that the API server stored of namespaces, isolations and policies, in the order in which it stored it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support.watching import DEADLINE, Json

__all__ = ["ISOLATIONS", "NAMESPACES", "POLICIES", "Entry", "History", "Key", "recorded"]

NAMESPACES: Final = "namespaces"
ISOLATIONS: Final = "isolations"
POLICIES: Final = "policies"
_PATHS: Final = {NAMESPACES: NAMESPACES_PATH, ISOLATIONS: ISOLATIONS_PATH, POLICIES: policies_path()}
_WATCH_SECONDS: Final = 3600

Key = tuple[str, str]
"""Namespace, empty where there is none, and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a watch: ADDED, MODIFIED or DELETED, and when it was heard of (seconds, monotonic).

    `before` is the object as it was, None where it was not. Field managers are left out of the objects, for their size.
    """

    version: int
    heard: float
    collection: str
    kind: str
    key: Key
    document: Json
    before: Json | None


class History:
    """The collections as they are, and every event since they were listed."""

    def __init__(self, keep: Callable[[Key], bool]) -> None:
        """Start empty; `keep` says whose events count."""
        self.now: dict[str, dict[Key, Json]] = {each: {} for each in _PATHS}
        self.start: dict[str, dict[Key, Json]] = {}
        self._entries: list[Entry] = []
        self._keep = keep
        self._broken: Exception | None = None
        self._news = asyncio.Condition()

    def __len__(self) -> int:
        """Count the events so far."""
        return len(self._entries)

    def entries(self, since: int = 0) -> list[Entry]:
        """Give what happened after a resourceVersion; all collections count in one sequence, that of etcd."""
        return sorted((entry for entry in self._entries if entry.version > since), key=lambda entry: entry.version)

    def heard(self, since: int) -> list[Entry]:
        """Give the events from a position on, as they were heard of."""
        return self._entries[since:]

    async def until(
        self, holds: Callable[[], object], *, within: float = DEADLINE, what: Callable[[], str] | str
    ) -> None:
        """Wait until `holds()` is true; it is asked again after every event."""
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: self._broken is not None or holds())
        except TimeoutError:
            told = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {within} s: {told}") from None
        if self._broken is not None:
            raise AssertionError(f"a watch broke: {self._broken!r}") from self._broken

    async def caught_up(self, client: Client, *, within: float = DEADLINE) -> None:
        """Wait until everything was heard of that the API server knows now."""
        for collection in _PATHS:
            items, version = await _listed(client, collection)
            listed = {_key(item): _version(item) for item in items if self._keep(_key(item))}
            is_reached = partial(self._is_reached, collection, listed, int(version))
            await self.until(is_reached, within=within, what=f"{collection} as listed at {version}")

    def _is_reached(self, collection: str, listed: dict[Key, int], version: int) -> bool:
        now = {key: _version(document) for key, document in self.now[collection].items()}
        newer = {key for key, found in now.items() if found > version}
        newer |= {entry.key for entry in self._entries if entry.collection == collection and entry.version > version}
        return all(listed.get(key) == now.get(key) for key in (listed.keys() | now.keys()) - newer)

    async def _list(self, client: Client, collection: str) -> str:
        items, version = await _listed(client, collection)
        self.now[collection] = {_key(item): _lean(item) for item in items if self._keep(_key(item))}
        self.start[collection] = dict(self.now[collection])
        return version

    async def _follow(self, client: Client, collection: str, version: str) -> None:
        """Watch, again and again: the API server ends the watch of a kind whose CRD changes."""
        try:
            while True:
                version = await self._watch(client, collection, version)
        except ApiError as error:
            async with self._news:
                self._broken = error
                self._news.notify_all()

    async def _watch(self, client: Client, collection: str, version: str) -> str:
        stream = client.watch(_PATHS[collection], resource_version=version, seconds=_WATCH_SECONDS, silence=100)
        async with aclosing(stream) as events:  # type: ignore[type-var]  # a generator, declared as an iterator
            async for event in events:
                version = str(event.resource_version)
                if event.type == "BOOKMARK":
                    continue
                document = event.document()
                if self._keep(_key(document)):
                    await self._take(collection, event.type, _lean(document))
        return version

    async def _take(self, collection: str, kind: str, document: Json) -> None:
        key = _key(document)
        async with self._news:
            before = self.now[collection].pop(key, None)
            if kind != "DELETED":
                self.now[collection][key] = document
            self._entries.append(
                Entry(
                    version=_version(document),
                    heard=time.monotonic(),
                    collection=collection,
                    kind=kind,
                    key=key,
                    document=document,
                    before=before,
                )
            )
            self._news.notify_all()


@asynccontextmanager
async def recorded(client: Client, *, keep: Callable[[Key], bool]) -> AsyncIterator[History]:
    """List the collections and follow them while the context lasts."""
    history = History(keep)
    versions = {collection: await history._list(client, collection) for collection in _PATHS}
    tasks = [asyncio.create_task(history._follow(client, each, version)) for each, version in versions.items()]
    try:
        yield history
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _listed(client: Client, collection: str) -> tuple[Iterable[Json], str]:
    items: list[Json] = []
    version = ""
    async for page in client.pages(_PATHS[collection]):
        items += page.documents()
        version = str(page.resource_version)
    return items, version


def _key(document: Json) -> Key:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _version(document: Json) -> int:
    return int(document["metadata"]["resourceVersion"])


def _lean(document: Json) -> Json:
    document["metadata"].pop("managedFields", None)
    return document

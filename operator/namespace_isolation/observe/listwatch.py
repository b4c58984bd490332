"""Keeps a store equal to a collection of the API server: LIST in pages, WATCH, and LIST again where the watch broke.

Kopf's stream is not enough for namespaces and policies: it loses deletions over a 410 and keeps whole objects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

import msgspec
import structlog

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import Event
from namespace_isolation.observe.contact import Contact

__all__ = ["ListWatch", "Store"]

T = TypeVar("T")

_GONE: Final = 410
_WATCH_SECONDS: Final = 290
_SILENCE_SECONDS: Final = 240.0
"""A quiet collection may get no bookmark for minutes (seen: 163 s); TCP keep-alive finds dead connections earlier."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 10.0
_FAILURES_BEFORE_LIST: Final = 3
_FAILURES_PER_LINE: Final = 30
"""Of an outage the first failures are logged, and then one in five minutes."""


class Store(Protocol[T]):
    """What a ListWatch fills."""

    def read(self, text: bytes | msgspec.Raw) -> T:
        """Take what is kept of an object as served, from its JSON text."""

    def replaced(self, values: list[T], resource_version: int) -> None:
        """Take the complete collection as of `resource_version`."""

    def changed(self, value: T) -> None:
        """Take one object that was added or modified."""

    def removed(self, value: T) -> None:
        """Drop one object that was deleted."""


class ListWatch(Generic[T]):
    """One collection, watched for ever; `synced` is set once the first LIST is in the store."""

    def __init__(
        self,
        client: Client,
        path: str,
        store: Store[T],
        *,
        clock: Callable[[], float],
        before_list: Callable[[], Awaitable[None]],
    ) -> None:
        """Watch `path` into `store`; `clock` is monotonic, in seconds.

        `before_list` is awaited before a complete LIST is put into the store: what decides about it must be as fresh.
        """
        self.synced = asyncio.Event()
        self.contact = Contact(path, clock)
        self._client = client
        self._path = path
        self._store = store
        self._before_list = before_list
        self._interrupted = False
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Follow the collection until cancelled; what fails is logged and tried again with growing pauses.

        The watch goes on from the last version it saw. It lists again where that version is no longer served (410),
        and where going on failed repeatedly: an API server restored from an old snapshot never reaches the version.
        """
        resource_version: str | None = None
        failures = 0
        while True:
            try:
                if resource_version is None:
                    resource_version = await self._list()
                async for event in self._events(resource_version):
                    resource_version = self._take(event)
                    failures = 0
                self.contact.heard()  # the server ended the stream, as it does now and then
            except ApiError as error:
                failures += 1
                if error.status == _GONE or failures % _FAILURES_BEFORE_LIST == 0:
                    resource_version = None
                self._interrupted = True
                if failures <= _FAILURES_BEFORE_LIST or failures % _FAILURES_PER_LINE == 0:
                    self._log.warning("watch interrupted", error=str(error), lists_again=resource_version is None)
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** min(failures, 10), _LONGEST_PAUSE))
            else:
                await asyncio.sleep(_FIRST_PAUSE)

    async def _list(self) -> str:
        values: list[T] = []
        version = 0
        async for page in self._client.pages(self._path):
            values += [self._store.read(each) for each in page.objects]
            version = page.resource_version
        await self._before_list()
        self.contact.listed()
        self._store.replaced(values, version)
        self.synced.set()
        return str(version)

    async def _events(self, resource_version: str) -> AsyncIterator[Event]:
        async for event in self._client.watch(
            self._path,
            resource_version=resource_version,
            seconds=_WATCH_SECONDS,
            silence=_SILENCE_SECONDS,
            heard=self._begun,
        ):
            self.contact.heard()
            yield event

    def _begun(self) -> None:
        """Hear that the API server accepts the watch."""
        if self._interrupted:
            self._interrupted = False
            seconds = round(self.contact.silence(), 3)
            self._log.info("watch goes on", collection=self.contact.collection, silent_for_seconds=seconds)
        self.contact.heard()

    def _take(self, event: Event) -> str:
        match event.type:
            case "ADDED" | "MODIFIED":
                self._store.changed(self._store.read(event.object))
            case "DELETED":
                self._store.removed(self._store.read(event.object))
        return str(event.resource_version)

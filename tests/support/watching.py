"""Waiting for what the cluster tells: a collection is listed, then watched, and every wait has a deadline."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from namespace_isolation.cluster import ApiError, Client

__all__ = ["Event", "Json", "Watch", "watching"]

Json = dict[str, Any]
T = TypeVar("T")

DEADLINE = 15.0
"""Seconds that an effect may take; generous, because the tests share two cores with the control plane."""
_WATCH_SECONDS = 290
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a watch: ADDED, MODIFIED or DELETED, and the object as served."""

    kind: str
    document: Json

    @property
    def name(self) -> str:
        """The name of the object."""
        return str(self.document["metadata"]["name"])

    def __str__(self) -> str:
        """Tell the event in one line."""
        metadata = self.document["metadata"]
        return f"{self.kind} {metadata.get('namespace', '')}/{metadata['name']} at {metadata['resourceVersion']}"


class Watch:
    """A collection as it is (`state`, by name), and all that happened to it since it was listed (`events`)."""

    def __init__(self, path: str, *, keep: Callable[[Json], object], key: Callable[[Json], str]) -> None:
        """Start empty; `keep` says which objects count, `key` under which name."""
        self.state: dict[str, Json] = {}
        self.events: list[Event] = []
        self._path = path
        self._keep = keep
        self._key = key
        self._broken: Exception | None = None
        self._news = asyncio.Condition()

    async def until(
        self, holds: Callable[[Mapping[str, Json]], T], *, within: float = DEADLINE, what: str = "what was awaited"
    ) -> T:
        """Wait until `holds(state)` is true and give its value; AssertionError with the events at the deadline."""
        return await self._until(lambda: holds(self.state), within, what)

    async def event(
        self, matches: Callable[[Event], object], *, since: int = 0, within: float = DEADLINE, what: str = "an event"
    ) -> Event:
        """Wait for the first event, from position `since` on, that matches."""

        def found() -> Event | None:
            return next((event for event in self.events[since:] if matches(event)), None)

        event = await self._until(found, within, what)
        assert event is not None
        return event

    def kinds(self, since: int = 0) -> list[tuple[str, str]]:
        """Give kind and name of every event, in the order in which the API server stored them."""
        return [(event.kind, event.name) for event in self.events[since:]]

    async def _until(self, holds: Callable[[], T], within: float, what: str) -> T:
        try:
            async with asyncio.timeout(within), self._news:
                while not (value := holds()):
                    if self._broken is not None:
                        message = f"the watch of {self._path} broke while waiting for {what}: {self._broken}"
                        raise AssertionError(message) from self._broken
                    await self._news.wait()
                return value
        except TimeoutError:
            raise AssertionError(f"{what}: not within {within} s\n{self._told()}") from None

    def _told(self) -> str:
        events = [f"    {event}" for event in self.events[-_SHOWN:]]
        lines = [f"{self._path} holds {sorted(self.state)}", f"last of {len(self.events)} events:", *events]
        return "\n".join(lines)

    def _list(self, document: Json) -> None:
        if self._keep(document):
            self.state[self._key(document)] = document

    async def _follow(self, client: Client, version: str) -> None:
        try:
            stream = client.watch(self._path, resource_version=version, seconds=_WATCH_SECONDS, silence=100)
            async with aclosing(stream) as events:  # type: ignore[type-var]  # a generator, declared as an iterator
                async for event in events:
                    document = event.document()
                    if event.type != "BOOKMARK" and self._keep(document):
                        await self._take(Event(event.type, document))
            broken: Exception = ConnectionError("the API server ended it")
        except ApiError as error:
            broken = error
        async with self._news:
            self._broken = broken
            self._news.notify_all()

    async def _take(self, event: Event) -> None:
        async with self._news:
            self.events.append(event)
            if event.kind == "DELETED":
                self.state.pop(self._key(event.document), None)
            else:
                self.state[self._key(event.document)] = event.document
            self._news.notify_all()

    def count(self, kind: str) -> int:
        """Count the events of a kind."""
        return Counter(event.kind for event in self.events)[kind]


@asynccontextmanager
async def watching(
    client: Client,
    path: str,
    *,
    keep: Callable[[Json], object] = lambda _: True,
    key: Callable[[Json], str] = lambda document: str(document["metadata"]["name"]),
) -> AsyncIterator[Watch]:
    """List a collection and watch it while the context lasts."""
    watch = Watch(path, keep=keep, key=key)
    version = ""
    async for page in client.pages(path):
        version = str(page.resource_version)
        for item in page.documents():
            watch._list(item)
    task = asyncio.create_task(watch._follow(client, version))
    try:
        yield watch
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

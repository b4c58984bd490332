"""Watches policies and isolations from outside, the same for the operator and for the reference.

Lines are kept as they came, with the moment at which they did. Of a policy's event only type, namespace and name are
cut out of its first bytes: to decode 40,000 of them would take the time from what is measured.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.bench.problem import BenchProblem
from tests.bench.raw import RawClient
from tests.bench.watches import watching

__all__ = ["Observer", "Seen", "observing"]

Json = dict[str, Any]

_BOOKMARK: Final = b'{"type":"BOOKMARK"'
_HEAD: Final = re.compile(
    rb'{"type":"([A-Z]+)","object":{"kind":"NetworkPolicy","apiVersion":"[^"]*","metadata":{"name":"([^"]*)"'
    rb',"namespace":"([^"]*)"'
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a policy: when it came (monotonic seconds), what it is, and the line as it came."""

    at: float
    kind: str
    namespace: str
    name: str
    line: bytes

    @property
    def document(self) -> Json:
        """Decode the object."""
        document: Json = json.loads(self.line)["object"]
        return document


class Observer:
    """What was seen since the last `forget`; `until` waits for more."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.policies: list[Seen] = []
        self.kinds: Counter[str] = Counter()
        """Events of policies by type."""
        self.groups: Counter[tuple[str, str]] = Counter()
        """Events of policies by the namespace's name without its number, and by type."""
        self._of: dict[tuple[str, str], list[Seen]] = {}
        self._in: dict[str, list[Seen]] = {}
        self._broken: BaseException | None = None
        self._isolations: deque[tuple[float, bytes]] = deque()
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    def forget(self) -> None:
        """Drop what was seen up to now."""
        self.policies.clear()
        self.kinds.clear()
        self.groups.clear()
        self._isolations.clear()

    async def until(self, holds: Callable[[], object], *, within: float, what: str) -> None:
        """Wait until `holds()` is true after some news; BenchProblem at the deadline, in seconds."""
        self._expect_whole()
        if holds():
            return
        future = asyncio.get_running_loop().create_future()
        entry = (holds, future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(within):
                await future
        except TimeoutError:
            raise BenchProblem(f"{what}: not within {within:.0f} s; events of policies: {dict(self.kinds)}") from None
        finally:
            self._waiting.remove(entry)

    def span(self, kind: str) -> tuple[float, float]:
        """Give the moments of the first and the last event of a type; BenchProblem where there is none."""
        moments = [seen.at for seen in self.policies if seen.kind == kind]
        if not moments:
            raise BenchProblem(f"no policy was {kind}")
        return moments[0], moments[-1]

    @contextmanager
    def of_policy(self, namespace: str, name: str) -> Iterator[list[Seen]]:
        """Collect the events of one policy in a list, as long as the context lasts."""
        collected = self._of[namespace, name] = []
        try:
            yield collected
        finally:
            del self._of[namespace, name]

    @contextmanager
    def in_namespace(self, namespace: str) -> Iterator[list[Seen]]:
        """Collect the events of one namespace's policies in a list, as long as the context lasts."""
        collected = self._in[namespace] = []
        try:
            yield collected
        finally:
            del self._in[namespace]

    @property
    def unread(self) -> int:
        """How many events of isolations nobody has taken yet."""
        return len(self._isolations)

    def isolations(self, most: int) -> list[tuple[float, str, Json]]:
        """Take the oldest events of isolations, so many at most: each its moment, its type and the decoded object."""
        events = [self._isolations.popleft() for _ in range(min(most, len(self._isolations)))]
        return [(at, event["type"], event["object"]) for at, line in events for event in (json.loads(line),)]

    def take_policies(self, lines: list[bytes]) -> None:
        """Hear of policies."""
        now = time.monotonic()
        for line in lines:
            found = _HEAD.match(line)
            if found is None:
                if line.startswith(_BOOKMARK):
                    continue
                raise BenchProblem(f"an event of policies that cannot be read: {line[:200]!r}")
            seen = Seen(now, found[1].decode(), found[3].decode(), found[2].decode(), line)
            self.policies.append(seen)
            self.kinds[seen.kind] += 1
            self.groups[seen.namespace.rpartition("-")[0], seen.kind] += 1
            if (key := (seen.namespace, seen.name)) in self._of:
                self._of[key].append(seen)
            if seen.namespace in self._in:
                self._in[seen.namespace].append(seen)
        self._wake()

    def take_isolations(self, lines: list[bytes]) -> None:
        """Hear of isolations."""
        now = time.monotonic()
        self._isolations.extend((now, line) for line in lines if not line.startswith(_BOOKMARK))
        self._wake()

    def broke(self, error: BaseException) -> None:
        """Hear that a watch broke: nothing can be waited for any more."""
        self._broken = error
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(BenchProblem(f"a watch of the observer broke: {error}"))

    def _expect_whole(self) -> None:
        if self._broken is not None:
            raise BenchProblem(f"a watch of the observer broke: {self._broken}") from self._broken

    def _wake(self) -> None:
        for holds, future in self._waiting:
            if not future.done() and holds():
                future.set_result(None)


@asynccontextmanager
async def observing(client: RawClient) -> AsyncIterator[Observer]:
    """Observe the cluster as long as the context lasts."""
    observer = Observer()
    takers = {policies_path(): observer.take_policies, ISOLATIONS_PATH: observer.take_isolations}
    async with watching(client, takers, observer.broke):
        yield observer

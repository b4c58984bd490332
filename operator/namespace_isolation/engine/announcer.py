"""Tells events to the cluster: at most five a second, repeats as series, and nothing that fails holds up anybody."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from namespace_isolation.apply.events import write_event
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.errors import UNREACHABLE
from namespace_isolation.engine.event_backlog import Backlog, Series
from namespace_isolation.model.event import Event

__all__ = ["Announcer"]

_A_SECOND: Final = 5
"""Writes in any one second. The API server and those who read events drown in more."""
_COMPLAINTS: Final = 60.0
"""Seconds between two log lines about events that were not written."""
_FIRST_SERVER_ERROR: Final = 500


class Announcer:
    """Takes events at any time and writes them one after the other.

    `posted`: writes that succeeded; `dropped`: events that nobody will read of, for want of room or because their
    writes failed, of which there were `failed`.
    """

    def __init__(
        self,
        client: Client,
        *,
        instance: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Write through `client` as `instance`, the name of the pod or host; `clock` is monotonic, in seconds."""
        self.posted = 0
        self.dropped = 0
        self.failed = 0
        self._client = client
        self._instance = instance
        self._clock = clock
        self._now = now
        self._backlog = Backlog()
        self._ends: deque[float] = deque(maxlen=_A_SECOND)
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._complained_at = float("-inf")
        self._complained_of = 0
        self._log = structlog.get_logger()

    def __len__(self) -> int:
        """Count the events of which something is still to be written."""
        return len(self._backlog)

    def post(self, event: Event) -> None:
        """Take an event; it is written soon, or counted as dropped."""
        if self._backlog.add(event, self._clock(), self._now()):
            self._idle.clear()
            self._news.set()
        else:
            self._drop("there are too many at once", self._log.info)

    async def run(self) -> None:
        """Write events for ever."""
        while True:
            await self._wait()
            series = self._backlog.next(self._clock())
            if series is not None:
                await self._write(series)
            if not len(self._backlog):
                self._idle.set()

    async def drain(self, seconds: float = 1.0) -> None:
        """Give what waits a last chance, for as long as that takes, or so long; `run` must go on meanwhile."""
        self._backlog.hurry()
        self._news.set()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            self._log.info("events left untold", count=len(self._backlog))

    async def _wait(self) -> None:
        """Return once something may be written: it is due, and five writes ago is a second ago."""
        while True:
            self._news.clear()
            due, now = self._backlog.next_due(), self._clock()
            if due is not None and due <= now:
                break
            await _within(self._news, None if due is None else due - now)
        if len(self._ends) == _A_SECOND:
            await asyncio.sleep(self._ends[0] + 1.0 - self._clock())

    async def _write(self, series: Series) -> None:
        """Write what happened so far; whatever comes of it, the next event has its turn."""
        record = series.record
        try:
            taken = await write_event(self._client, record, instance=self._instance, exists=series.told > 0)
        except ApiError as error:
            self._failed(series, error)
        except Exception:  # noqa: BLE001
            # A fault of ours in one event must not end the operator; it is told with its whole trace.
            self._log.exception("internal error", event_name=record.name)
            self._backlog.give_up(series)
            self.dropped += 1
        else:
            if taken:
                self.posted += 1
                self._backlog.written(series, record.count, self._clock())
            else:
                self._backlog.give_up(series)  # its namespace is ending or gone: nobody would read it
        finally:
            # Counted from the answer on, the rate holds on the API server's clock as well.
            self._ends.append(self._clock())

    def _failed(self, series: Series, error: ApiError) -> None:
        self.failed += 1
        if error.status == UNREACHABLE or error.status >= _FIRST_SERVER_ERROR:
            if self._backlog.failed(series, self._clock()):
                return
        else:
            self._backlog.give_up(series)
        self._drop(str(error), self._log.warning)

    def _drop(self, why: str, say: Callable[..., object]) -> None:
        """Count an event that nobody will read of, and say so now and then."""
        self.dropped += 1
        if self._clock() >= self._complained_at + _COMPLAINTS:
            say("events dropped", count=self.dropped - self._complained_of, why=why)
            self._complained_at, self._complained_of = self._clock(), self.dropped


async def _within(news: asyncio.Event, seconds: float | None) -> None:
    """Wait for news, or so long."""
    try:
        async with asyncio.timeout(seconds):
            await news.wait()
    except TimeoutError:
        return

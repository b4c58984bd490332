"""A queue of keys that holds each once, gives each to one worker at a time, and brings failed ones back later."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from typing import Final, NamedTuple

from namespace_isolation.model.lane import LANES, Lane, Turns

__all__ = ["Job", "WorkQueue"]

_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 60.0
_MOST_DOUBLINGS: Final = 16


class Job(NamedTuple):
    """A key to look at, and the lane in which it was taken."""

    key: str
    lane: Lane


class _Appointment(NamedTuple):
    """When a key comes back, by the loop's clock; uvloop's handle of a timer that is due at once does not know."""

    due: float
    timer: asyncio.Handle
    lane: Lane


class WorkQueue:
    """Keys to look at, the most urgent lane first, though no lane starves.

    Adding a key that waits changes at most its lane, to a more urgent one; adding one in work brings it back later.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._ready: dict[Lane, OrderedDict[str, None]] = {lane: OrderedDict() for lane in LANES}
        self._waiting: dict[str, Lane] = {}
        self._working: set[str] = set()
        self._again: dict[str, Lane] = {}
        self._later: dict[str, _Appointment] = {}
        self._failures: dict[str, int] = {}
        self._turns = Turns()
        self._idle: list[tuple[Lane, asyncio.Future[None]]] = []
        self._closed = False
        self._drained = asyncio.Event()

    def __len__(self) -> int:
        """Count the keys that are ready or in work."""
        return len(self._waiting) + len(self._working)

    def add(self, key: str, lane: Lane) -> None:
        """Ask for a key to be looked at now; a later appointment for it is dropped, but its lane counts as well."""
        appointment = self._later.pop(key, None)
        if appointment is not None:
            appointment.timer.cancel()
            lane = min(lane, appointment.lane)
        if self._closed:
            return
        if key in self._working:
            self._again[key] = min(lane, self._again.get(key, lane))
        else:
            self._put(key, lane)

    def add_after(self, key: str, seconds: float, lane: Lane) -> None:
        """Ask for a key to be looked at after a while, or at an earlier appointment; the most urgent lane counts."""
        if self._closed:
            return
        if key in self._waiting:
            self._put(key, lane)
            return
        if key in self._again:
            self._again[key] = min(lane, self._again[key])
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        known = self._later.get(key)
        if known is not None:
            lane = min(lane, known.lane)
            if known.due <= due:
                self._later[key] = known._replace(lane=lane)
                return
            known.timer.cancel()
        self._later[key] = _Appointment(due, loop.call_at(due, self._fall_due, key), lane)

    async def get(self, up_to: Lane = Lane.LATER) -> Job | None:
        """Wait for a key, for which the caller must say `done` afterwards; None once the queue is closed and empty.

        `up_to`: the least urgent lane to take from. A closed queue gives whatever is left to whoever asks.
        """
        while True:
            job = self._take(Lane.LATER if self._closed else up_to)
            if job is not None or self._closed:
                return job
            await self._news(up_to)

    def done(self, key: str) -> None:
        """End the work on a key; it comes back at once if it was added meanwhile."""
        self._working.discard(key)
        if key in self._again:
            self._put(key, self._again.pop(key))
        self._tell_if_drained()

    def retry(self, key: str, lane: Lane) -> float:
        """Bring a key back after a pause that doubles with each failure in a row, and give the pause in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause: float = min(_FIRST_DELAY * 2 ** min(failures, _MOST_DOUBLINGS), _LONGEST_DELAY)
        pause = pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards no secret
        self.add_after(key, pause, lane)
        return pause

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def close(self, *, finish: bool) -> None:
        """Let the workers end: with `finish` after every key that waits or is due later, else after what is in work."""
        for key in list(self._later):
            if finish:
                self.add(key, self._later[key].lane)
            else:
                self._later.pop(key).timer.cancel()
        if not finish:
            for ready in self._ready.values():
                ready.clear()
            self._waiting.clear()
            self._again.clear()
        self._closed = True
        for _, idle in self._idle:
            if not idle.done():
                idle.set_result(None)
        self._idle.clear()
        self._tell_if_drained()

    async def drained(self) -> None:
        """Wait until the queue is closed and nothing is in work."""
        await self._drained.wait()

    def _put(self, key: str, lane: Lane) -> None:
        known = self._waiting.get(key)
        if known is not None:
            if known <= lane:
                return
            del self._ready[known][key]
        self._waiting[key] = lane
        self._ready[lane][key] = None
        self._wake()

    def _take(self, up_to: Lane) -> Job | None:
        waiting = [lane for lane in LANES if self._ready[lane]]
        lane = self._turns.next(each for each in waiting if each <= up_to)
        if lane is None:
            return None
        self._turns.taken(lane, waiting)
        key, _ = self._ready[lane].popitem(last=False)
        del self._waiting[key]
        self._working.add(key)
        self._wake()  # whoever was woken for another key may have taken this one
        return Job(key, lane)

    async def _news(self, up_to: Lane) -> None:
        """Wait until there may be a key of a lane; who was woken and is cancelled wakes another in its place."""
        idle = asyncio.get_running_loop().create_future()
        self._idle.append((up_to, idle))
        try:
            await idle
        except asyncio.CancelledError:
            self._idle = [each for each in self._idle if each[1] is not idle]
            self._wake()
            raise

    def _wake(self) -> None:
        """Wake the one that waits longest of those who may take what is ready."""
        ready = next((lane for lane in LANES if self._ready[lane]), None)
        if ready is None:
            return
        woken = next((each for each in self._idle if each[0] >= ready and not each[1].done()), None)
        if woken is not None:
            self._idle.remove(woken)
            woken[1].set_result(None)

    def _tell_if_drained(self) -> None:
        if self._closed and not self._waiting and not self._working:
            self._drained.set()

    def _fall_due(self, key: str) -> None:
        self.add(key, self._later[key].lane)

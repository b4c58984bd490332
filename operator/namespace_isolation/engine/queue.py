"""A queue of keys that holds each once, gives each to one worker at a time, and brings failed ones back later."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Final

__all__ = ["WorkQueue"]

_FIRST_DELAY: Final = 0.05
_LONGEST_DELAY: Final = 60.0
_MOST_DOUBLINGS: Final = 16


class WorkQueue:
    """Keys to look at. Adding a key that waits changes nothing; adding one in work brings it back afterwards."""

    def __init__(self) -> None:
        """Start empty."""
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._working: set[str] = set()
        self._again: set[str] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._failures: dict[str, int] = {}
        self._closed = False
        self._drained = asyncio.Event()
        self._available = asyncio.Semaphore(0)

    def __len__(self) -> int:
        """Count the keys that are ready or in work."""
        return len(self._waiting) + len(self._working)

    def add(self, key: str) -> None:
        """Ask for a key to be looked at now; a later appointment for it is dropped."""
        timer = self._later.pop(key, None)
        if timer is not None:
            timer.cancel()
        if self._closed:
            return
        if key in self._working:
            self._again.add(key)
        else:
            self._put(key)

    def add_after(self, key: str, seconds: float) -> None:
        """Ask for a key to be looked at after a while, or at an earlier appointment that it has."""
        if self._closed or key in self._waiting or key in self._again:
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        timer = self._later.get(key)
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._later[key] = loop.call_at(due, self._fall_due, key)

    async def get(self) -> str | None:
        """Wait for a key, for which the caller must say `done` afterwards; None once the queue is closed and empty."""
        await self._available.acquire()
        if not self._ready:
            self._available.release()  # for the other workers
            return None
        key = self._ready.popleft()
        self._waiting.remove(key)
        self._working.add(key)
        return key

    def done(self, key: str) -> None:
        """End the work on a key; it comes back at once if it was added meanwhile."""
        self._working.discard(key)
        if key in self._again:
            self._again.remove(key)
            self._put(key)
        self._tell_if_drained()

    def retry(self, key: str) -> float:
        """Bring a key back after a pause that doubles with each failure in a row, and give the pause in seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause: float = min(_FIRST_DELAY * 2 ** min(failures, _MOST_DOUBLINGS), _LONGEST_DELAY)
        pause = pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards no secret
        self.add_after(key, pause)
        return pause

    def succeeded(self, key: str) -> None:
        """Forget a key's failures."""
        self._failures.pop(key, None)

    def close(self, *, finish: bool) -> None:
        """Let the workers end: with `finish` after every key that waits or is due later, else after what is in work."""
        for key in list(self._later):
            if finish:
                self.add(key)
            else:
                self._later.pop(key).cancel()
        if not finish:
            self._ready.clear()
            self._waiting.clear()
            self._again.clear()
        self._closed = True
        self._available.release()
        self._tell_if_drained()

    async def drained(self) -> None:
        """Wait until the queue is closed and nothing is in work."""
        await self._drained.wait()

    def _put(self, key: str) -> None:
        if key not in self._waiting:
            self._waiting.add(key)
            self._ready.append(key)
            self._available.release()

    def _tell_if_drained(self) -> None:
        if self._closed and not self._waiting and not self._working:
            self._drained.set()

    def _fall_due(self, key: str) -> None:
        del self._later[key]
        self.add(key)

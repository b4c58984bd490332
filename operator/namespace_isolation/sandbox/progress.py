"""Progress of long work: one line redrawn on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

__all__ = ["Progress"]

_INTERVAL = 15.0
_WIDTH = 100


class Progress:
    """Says what is going on, on standard error unless told otherwise."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock; nothing is written yet."""
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._started = clock()
        self._spoken = self._started
        self._drawn = 0

    def say(self, sentence: str) -> None:
        """Write a line that stays."""
        self._erase()
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def begin(self, what: str) -> None:
        """Begin a piece of work; its seconds count from here."""
        self._started = self._spoken = self._clock()
        if not self._stream.isatty():
            self.say(f"{what} …")

    def update(self, what: str) -> None:
        """Show the state of the work: redrawn on a terminal, else at most every 15 s."""
        now = self._clock()
        line = f"{what} … {now - self._started:.0f} s"
        if self._stream.isatty():
            self._erase()
            self._drawn = self._stream.write(line[:_WIDTH])
            self._stream.flush()
        elif now - self._spoken >= _INTERVAL:
            self._spoken = now
            self.say(line)

    def end(self, what: str) -> None:
        """Say that the work is done and how long it took."""
        self.say(f"{what} ({self._clock() - self._started:.0f} s)")

    def _erase(self) -> None:
        if self._drawn:
            self._stream.write(f"\r{' ' * self._drawn}\r")
            self._drawn = 0

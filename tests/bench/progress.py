"""What is being measured, how far it is and how long it takes: on standard error, one line a step."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

__all__ = ["Progress"]

_REDRAW: Final = 0.1
_WIDTH: Final = 110


class Progress:
    """A line for each step; on a terminal it is redrawn while the step goes on."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Write nothing yet."""
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._what = ""
        self._began = self._drawn_at = clock()
        self._drawn = 0
        self._prefix = ""

    @contextmanager
    def under(self, prefix: str) -> Iterator[None]:
        """Put words before each step of the context."""
        before, self._prefix = self._prefix, f"{prefix} "
        try:
            yield
        finally:
            self._prefix = before

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell a step: as it goes on, and its seconds at the end."""
        self._what, self._began = self._prefix + what, self._clock()
        self._drawn_at = float("-inf")
        self.at("")
        try:
            yield
        except BaseException:
            self._end("stopped after")
            raise
        self._end("")

    def at(self, how_far: str) -> None:
        """Tell how far the step is; shown on a terminal only, and not more often than an eye can follow."""
        now = self._clock()
        if not self._stream.isatty() or now - self._drawn_at < _REDRAW:
            return
        self._drawn_at = now
        self._draw(" ".join(part for part in (self._what, how_far, f"{now - self._began:.0f} s") if part))

    def counter(self, total: int, noun: str) -> Callable[[], None]:
        """Give a function to call for each of so many."""
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            self.at(f"{done}/{total} {noun}")

        return count

    def say(self, sentence: str) -> None:
        """Write a line that stays."""
        self._draw("")
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def _end(self, how: str) -> None:
        self.say(f"{self._what}: {how + ' ' if how else ''}{self._clock() - self._began:.1f} s")

    def _draw(self, line: str) -> None:
        if not self._stream.isatty():
            return
        shown = line[:_WIDTH]
        self._stream.write("\r" + " " * self._drawn + "\r" + shown)
        self._stream.flush()
        self._drawn = len(shown)

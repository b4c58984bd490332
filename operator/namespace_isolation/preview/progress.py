"""Says how far a command is, on a terminal, once it takes longer than people wait without asking."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TextIO

__all__ = ["Progress", "showing"]

_CLEARED: Final = "\r\x1b[K"


class Progress:
    """The present state of the work, as one line that is written over."""

    def __init__(self, stream: TextIO | None) -> None:
        """Write to `stream`, a terminal; None: show nothing."""
        self._stream = stream
        self._text = ""
        self._shown = ""

    def tell(self, text: str) -> None:
        """Hear how far it is."""
        self._text = text

    def show(self) -> None:
        """Write the line, if there is news."""
        if self._text != self._shown:
            self._write(f"{_CLEARED}{self._text}")
            self._shown = self._text

    def hide(self) -> None:
        """Clear the line, so that others may write."""
        if self._shown:
            self._write(_CLEARED)
            self._shown = ""

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


@asynccontextmanager
async def showing(progress: Progress, *, after: float = 2.0, every: float = 0.25) -> AsyncIterator[None]:
    """Show progress while the context lasts, from `after` seconds on."""
    task = asyncio.create_task(_show(progress, after, every))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        progress.hide()


async def _show(progress: Progress, after: float, every: float) -> None:
    await asyncio.sleep(after)
    while True:
        progress.show()
        await asyncio.sleep(every)

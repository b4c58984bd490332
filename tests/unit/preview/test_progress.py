"""Progress is one line on a terminal, and gone when others write."""

from __future__ import annotations

import asyncio
import io

from namespace_isolation.preview.progress import Progress, showing

_CLEARED = "\r\x1b[K"


def test_only_news_are_written_and_the_line_is_cleared_once() -> None:
    """The same text is not written twice."""
    stream = io.StringIO()
    progress = Progress(stream)
    progress.show()
    progress.tell("one")
    progress.show()
    progress.show()
    progress.tell("two")
    progress.show()
    progress.hide()
    progress.hide()
    assert stream.getvalue() == f"{_CLEARED}one{_CLEARED}two{_CLEARED}"


async def test_what_is_quick_shows_nothing() -> None:
    """Nobody waits two seconds for this."""
    stream = io.StringIO()
    progress = Progress(stream)
    async with showing(progress):
        progress.tell("one")
    assert stream.getvalue() == ""


async def test_what_takes_long_shows_and_clears_at_the_end() -> None:
    """Also where the work ends with an error, the next line starts in the first column."""

    class _Heard(io.StringIO):
        written = asyncio.Event()

        def write(self, text: str) -> int:
            self.written.set()
            return super().write(text)

    stream = _Heard()
    progress = Progress(stream)
    async with asyncio.timeout(5), showing(progress, after=0, every=0.001):
        progress.tell("one")
        await stream.written.wait()
    assert stream.getvalue() == f"{_CLEARED}one{_CLEARED}"


async def test_without_a_terminal_nothing_is_written() -> None:
    """A log file holds no cursor movements."""
    progress = Progress(None)
    progress.tell("one")
    progress.show()
    progress.hide()

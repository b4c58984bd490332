"""One line a step, and nothing more where nobody looks on."""

from __future__ import annotations

import io

import pytest
from typing_extensions import override

from tests.bench.progress import Progress


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    @override
    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_a_step_is_one_line_in_a_file() -> None:
    """However often it says how far it is."""
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    with progress.under("A round 1/3:"), progress.step("writing 4 policies"):
        count = progress.counter(4, "written")
        for _ in range(4):
            clock.now += 1.5
            count()
    assert stream.getvalue() == "A round 1/3: writing 4 policies: 6.0 s\n"


def test_a_step_is_redrawn_on_a_terminal() -> None:
    """Ten times a second at most, and the last line stays."""
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)
    with progress.step("writing"):
        count = progress.counter(100, "written")
        for _ in range(100):
            clock.now += 0.02
            count()
    drawn = stream.getvalue().split("\r")
    assert 10 < sum("written" in each for each in drawn) <= 20
    shown = [int(each.split("/")[0].rpartition(" ")[2]) for each in drawn if "/100 written" in each]
    assert shown == sorted(shown)
    assert shown[-1] > 90
    assert drawn[-1].strip() == "writing: 2.0 s"


def test_a_step_that_fails_says_after_how_long() -> None:
    """And the error goes on."""
    stream, clock = io.StringIO(), Clock()

    def fail() -> None:
        with Progress(stream, clock).step("writing"):
            clock.now = 3.0
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert stream.getvalue() == "writing: stopped after 3.0 s\n"

"""The one failure of the demo: something that should have been seen was not."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Unseen"]

_SHOWN = 12


class Unseen(Exception):  # noqa: N818 - it reads as what it says
    """What was expected, and what was seen in its place, one line each."""

    def __init__(self, expected: str, seen: Sequence[str] = ()) -> None:
        """Keep the last lines of what was seen."""
        super().__init__(expected)
        self.expected = expected
        self.seen = tuple(seen)[-_SHOWN:]

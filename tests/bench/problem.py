"""What keeps a measurement from being taken."""

from __future__ import annotations

__all__ = ["BenchProblem"]


class BenchProblem(Exception):  # noqa: N818 - it names what is wrong, and is caught as such
    """A figure that could not be measured; the message says what was waited for and what came instead."""

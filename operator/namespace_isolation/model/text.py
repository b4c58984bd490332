"""Text of others, made safe to show."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """Write what a terminal would obey instead of show (controls, line breaks, changes of direction) as escapes."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)

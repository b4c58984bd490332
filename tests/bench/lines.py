"""Cuts a stream of bytes into lines; nothing is decoded."""

from __future__ import annotations

__all__ = ["LineCutter"]


class LineCutter:
    """Keeps the unfinished end of the last chunk until the next one completes it."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._rest = b""

    def cut(self, chunk: bytes) -> list[bytes]:
        """Give the lines that a chunk completes, without their ends."""
        *lines, self._rest = (self._rest + chunk).split(b"\n") if self._rest else chunk.split(b"\n")
        return lines

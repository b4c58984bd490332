"""What keeps a status small: its texts are cut, and its lists hold fewer than twenty where twenty would be too much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

__all__ = ["STATUS_BYTES", "bounded", "shortened"]

Json = dict[str, Any]

STATUS_BYTES: Final = 32 * 1024
"""Bytes of JSON that a status may have, as it is sent (ASCII, without spaces)."""
_CUT: Final = "…"
_QUOTES: Final = 2
_LISTS: Final = (("drift", "recent"), ("unmanaged", "recent"), ("audit", "first"), ("problems",))


def bounded(status: Mapping[str, Any]) -> Json:
    """Drop the last entries of the lists that name examples until the status fits; what is counted stays."""
    result: Json = dict(status)
    while (excess := _size(result) - STATUS_BYTES) > 0:
        path = max(_LISTS, key=lambda each: _size(_at(result, each)))
        result = _without_last(result, path, excess)
    return result


def shortened(text: str, size: int) -> str:
    """Cut a text to a number of bytes as it is sent, and say so where something is missing."""
    if len(text) <= size and _size(text) <= size + _QUOTES:
        return text
    ends = accumulate(_size(character) - _QUOTES for character in text[:size])
    room = size - (_size(_CUT) - _QUOTES)
    return text[: sum(end <= room for end in ends)] + _CUT


def _size(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":")))


def _at(status: Json, path: tuple[str, ...]) -> list[Json]:
    value: Any = status
    for key in path:
        value = value.get(key) or {}
    return value or []


def _without_last(status: Json, path: tuple[str, ...], excess: int) -> Json:
    """Drop entries from the end of one list, as many as the excess asks for, at least one."""
    entries = list(_at(status, path))
    if not entries:
        message = "a status without examples is too large: what else it holds must be bounded where it is made"
        raise ValueError(message)
    freed = 0
    while entries and freed < excess:
        freed += _size(entries.pop())
    if len(path) == 1:
        return {**status, path[0]: entries}
    return {**status, path[0]: {**status[path[0]], path[1]: entries}}

"""Plain text in columns."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import starmap

__all__ = ["laid_out", "number"]


def laid_out(lines: Sequence[Sequence[str]], *, right: Container[int]) -> str:
    """Put cells under one another; `right` says which columns are aligned at their end, as numbers are."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def padded(column: int, cell: str) -> str:
        return cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])

    return "\n".join("  ".join(starmap(padded, enumerate(line))).rstrip() for line in lines)


def number(value: float) -> str:
    """Write a number with three digits, or all of those before the point."""
    if value == int(value):
        return f"{value:.0f}"
    for bound, digits in ((0.001, 6), (1, 3), (10, 2), (100, 1)):
        if abs(value) < bound:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"

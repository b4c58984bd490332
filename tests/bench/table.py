"""The figures as a table of plain text: each beside its reference, its target and the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.bench.layout import laid_out, number
from tests.bench.verdict import Row

__all__ = ["table"]

_HEAD: Final = ("SHAPE", "SIZE", "FIGURE", "VALUE", "REFERENCE", "RATIO", "TARGET", "")
_RIGHT: Final = frozenset({1, 3, 4, 5, 6})


def table(rows: Iterable[Row]) -> str:
    """Lay out all figures, a line each."""
    return laid_out([_HEAD, *map(_cells, rows)], right=_RIGHT)


def _cells(row: Row) -> tuple[str, ...]:
    figure = row.figure
    return (
        row.shape,
        str(row.namespaces),
        figure.title,
        _with_unit(row.value, figure.unit),
        "" if row.reference is None else f"{figure.against} {_with_unit(row.reference, figure.unit)}",
        "" if row.ratio is None else f"{row.ratio:.2f}",
        _target(row),
        _verdict(row),
    )


def _target(row: Row) -> str:
    """Tell the limit: as a factor where it is nothing else, else in the figure's unit."""
    if row.target is None:
        return ""
    if row.target.factor and not row.target.fixed:
        return f"≤ {row.target.factor:g} x {row.figure.against}"
    return "" if row.limit is None else f"≤ {_with_unit(row.limit, row.figure.unit)}"


def _verdict(row: Row) -> str:
    if row.target is None:
        return ""
    if row.met is None:
        return f"(at {row.target.since})"
    return "met" if row.met else "MISSED"


def _with_unit(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()

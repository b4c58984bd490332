"""How time, CPU and memory grow with the number of namespaces: a table, and the exponents that fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.bench.fit import exponent, slope
from tests.bench.layout import laid_out, number
from tests.bench.verdict import Row

__all__ = ["Growth", "Point", "growth_of", "growth_table"]

_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One size: seconds of the operator and of R1, milliseconds of CPU for a policy, MiB at rest."""

    namespaces: int
    seconds: float
    reference: float
    cpu: float
    memory: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One shape over its sizes."""

    shape: str
    points: tuple[Point, ...]

    @property
    def exponent(self) -> float:
        """How the operator's time grows: 1 is in proportion to the namespaces."""
        return exponent([(each.namespaces, each.seconds) for each in self.points])

    @property
    def reference_exponent(self) -> float:
        """How R1's time grows."""
        return exponent([(each.namespaces, each.reference) for each in self.points])

    @property
    def cpu_exponent(self) -> float:
        """How the operator's CPU time for all policies grows."""
        return exponent([(each.namespaces, each.cpu * each.namespaces) for each in self.points])

    @property
    def memory_each(self) -> float:
        """KiB of memory for one more namespace with its policies."""
        return slope([(each.namespaces, each.memory * _KIB) for each in self.points])


def growth_of(rows: Iterable[Row]) -> list[Growth]:
    """Bring the convergences of different sizes together; a shape measured at one size only has no growth."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        if row.measure == "convergence":
            found.setdefault((row.shape, row.namespaces), {})[row.figure.name] = row
    shapes: dict[str, list[Point]] = {}
    for (shape, namespaces), figures in sorted(found.items()):
        shapes.setdefault(shape, []).append(_point(namespaces, figures))
    return [Growth(shape=shape, points=tuple(points)) for shape, points in shapes.items() if len(points) > 1]


def growth_table(growth: Growth) -> str:
    """Lay out one shape: a line a size, and the exponents below."""
    head = ("NAMESPACES", "OPERATOR", "R1", "RATIO", "CPU/POLICY", "MEMORY")
    lines = [
        (
            f"{each.namespaces}",
            f"{number(each.seconds)} s",
            f"{number(each.reference)} s",
            f"{each.seconds / each.reference:.2f}",
            f"{number(each.cpu)} ms",
            f"{number(each.memory)} MiB",
        )
        for each in growth.points
    ]
    exponents = (
        f"time grows as N^{growth.exponent:.2f} (R1: N^{growth.reference_exponent:.2f}), CPU as "
        f"N^{growth.cpu_exponent:.2f}, memory by {growth.memory_each:.1f} KiB a namespace"
    )
    return f"shape {growth.shape}\n{laid_out([head, *lines], right=range(len(head)))}\n{exponents}"


def _point(namespaces: int, figures: Mapping[str, Row]) -> Point:
    time = figures["convergence.policies"]
    if time.reference is None:
        message = f"the convergence of {namespaces} namespaces has no reference"
        raise ValueError(message)
    return Point(
        namespaces=namespaces,
        seconds=time.value,
        reference=time.reference,
        cpu=figures["convergence.cpu"].value,
        memory=figures["convergence.memory"].value,
    )

"""How something grows with the size: the exponent of a power law, and the slope of a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["exponent", "slope"]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Fit a line by least squares and give its slope; ValueError where all points stand above one another."""
    count = len(points)
    mean_x = math.fsum(x for x, _ in points) / count if count else 0.0
    mean_y = math.fsum(y for _, y in points) / count if count else 0.0
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        message = "a fit needs two sizes"
        raise ValueError(message)
    return math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Fit y = a·x^k by least squares in the logarithms and give k: 1 is linear, 2 quadratic."""
    return slope([(math.log(x), math.log(y)) for x, y in points])

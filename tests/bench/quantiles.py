"""Percentiles of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["quantile"]


def quantile(samples: Sequence[float], share: float) -> float:
    """Give the smallest sample that this share of them (0 to 1) does not exceed; ValueError without samples."""
    if not samples:
        message = "no samples"
        raise ValueError(message)
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]

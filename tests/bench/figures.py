"""What was measured: figures, each with its reference from the same run where it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Figure", "Result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of one round. `name` is what targets refer to; `reference` is what the raw client needed."""

    name: str
    title: str
    unit: str
    value: float
    reference: float | None = None
    against: str = ""
    """What the reference is, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All figures of one measure in one round, and whatever else is worth keeping."""

    measure: str
    shape: str
    namespaces: int
    figures: tuple[Figure, ...]
    details: Mapping[str, object] = field(default_factory=dict)
    kubernetes: str = ""
    """The version of the API server."""
    others: float = 0.0
    """The share (0 to 1) of the machine that other programs took meanwhile."""
    resumed: int = 0
    """How often the API server ended a watch of the observer, which then went on."""
    refused: int = 0
    """How often the API server refused the raw client with 429."""

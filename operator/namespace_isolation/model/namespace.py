"""A namespace as the operator knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Namespace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace: what selectors look at, and whether it is being deleted."""

    name: str
    uid: str
    labels: Mapping[str, str]
    ending: bool

"""What the history of a soak test tells: drifts that were corrected, and what the operator must not have done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.support.history import Key

__all__ = ["Correction", "Replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A drift that was corrected, when (monotonic) and after how many seconds, for the isolation of this uid.

    `doubt`: why the operator may have taken it for something else, or forgotten it; None where it must have counted it.
    """

    uid: str
    isolation: str
    key: Key
    heard: float
    seconds: float
    doubt: str | None


@dataclass(slots=True)
class Replay:
    """What the history tells. Isolations are named by uid."""

    corrections: list[Correction] = field(default_factory=list)
    foreign_edits: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    writes: int = 0

    def counted(self, uid: str) -> tuple[int, int]:
        """Give how many drifts of an isolation the operator must have counted, and how many more it may have."""
        mine = [each for each in self.corrections if each.uid == uid]
        return sum(each.doubt is None for each in mine), sum(each.doubt is not None for each in mine)

    def doubts(self) -> Counter[str]:
        """Count the corrections that may not have been counted, by reason."""
        return Counter(each.doubt for each in self.corrections if each.doubt is not None)

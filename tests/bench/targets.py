"""The targets, as data: what is promised of which figure, for which shapes, from which size on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["FULL", "TARGETS", "Target", "target_of"]

FULL: Final = 10_000
"""Namespaces of the large run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A limit: `factor` times the reference plus `fixed`, or (`either`) whichever of the two is larger.

    `fixed` is in the unit of the figure. It is judged with `since` namespaces or more; below, it is only told.
    """

    figure: str
    shapes: str = "ABC"
    factor: float = 0.0
    fixed: float = 0.0
    either: bool = False
    since: int = 0

    def limit(self, reference: float | None) -> float | None:
        """Give the limit, in the unit of the figure; None where it needs a reference and there is none."""
        if not self.factor:
            return self.fixed
        if reference is None:
            return None
        share = self.factor * reference
        return max(share, self.fixed) if self.either else share + self.fixed


TARGETS: Final = (
    Target(figure="convergence.policies", shapes="AB", factor=1.2),
    Target(figure="convergence.settled", shapes="B", factor=2),
    Target(figure="restart.writes", shapes="AB"),
    Target(figure="restart.wall", shapes="A", factor=1.5, fixed=1.5, since=FULL),
    Target(figure="restart.cpu", shapes="A", fixed=4, since=FULL),
    Target(figure="restart.cpu", shapes="B", fixed=15, since=FULL),
    Target(figure="memory.rss", shapes="A", fixed=130, since=FULL),
    Target(figure="memory.rss", shapes="B", fixed=220, since=FULL),
    Target(figure="churn.growth", fixed=5),
    Target(figure="repair.p50", fixed=15, factor=3, either=True),
    Target(figure="repair.p99", fixed=60, factor=3, either=True),
    Target(figure="busy.repair.p99", fixed=250),
    Target(figure="burst.policies", factor=1.25),
    Target(figure="new-namespace.p50", fixed=25),
    Target(figure="new-namespace.p99", fixed=100),
    Target(figure="busy.new-namespace.p50", fixed=25),
    Target(figure="busy.new-namespace.p99", fixed=100),
    Target(figure="edit.unchanged"),
    Target(figure="edit.policies", shapes="A", factor=1.2),
    Target(figure="edit.statuses", shapes="A", fixed=1),
    Target(figure="idle.cpu", fixed=1),
    Target(figure="idle.requests"),
)
"""From the issue. "At R1's speed" of the edit is taken as within 1.2 times its time, as for the first convergence."""


def target_of(figure: str, shape: str) -> Target | None:
    """Find the target of a figure."""
    return next((each for each in TARGETS if each.figure == figure and shape in each.shapes), None)

"""Everything that decides about one namespace, read at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import LivePolicy

__all__ = ["View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One namespace, the isolations that select it, and its policies as they are.

    `isolations`, by name: those that select it, that its policies claim or are named after, and that something was
    told of there. Not all: with 10,000 of them, to copy these alone would cost as much as everything else about it.

    `lost`: names of policies of ours that were seen to disappear without our doing. `rehearsal`: isolations in Audit
    count as enforced, to find out what they would do.
    """

    name: str
    namespace: Namespace | None
    governing: tuple[Isolation, ...]
    isolations: Mapping[str, Isolation]
    live: Mapping[str, LivePolicy]
    lost: frozenset[str]
    rehearsal: bool = False

    def stance_of(self, isolation: Isolation) -> Stance:
        """Tell what is to be done for an isolation in this view."""
        audited = isolation.stance is Stance.AUDIT
        return Stance.WANTED if audited and self.rehearsal else isolation.stance

    @property
    def intent(self) -> tuple[tuple[str, str, int, Stance], ...]:
        """Name what is asked for: it changes whenever other policies may be wanted."""
        return tuple((each.name, each.uid, each.generation, each.stance) for each in self.governing)

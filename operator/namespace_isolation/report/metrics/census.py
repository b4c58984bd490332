"""What is so now, counted over the whole cluster for /metrics: isolations, namespaces, policies, drift, fights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.report.conditions import condition_of
from namespace_isolation.report.standing import Standing

__all__ = ["MODES", "NOT_ACCEPTED", "READY", "Census", "Roll", "take_census"]

MODES: Final = ("Enforce", "Audit")
NOT_ACCEPTED: Final = "NotAccepted"
"""In the place of a mode: the spec cannot be read, so nothing else is known."""
READY: Final = ("True", "False", "Unknown")


@dataclass(slots=True, kw_only=True)
class Roll:
    """The isolations of one mode: each namespace once, however many of them select it; policies and drift in sum."""

    matched: set[str] = field(default_factory=set)
    behind: set[str] = field(default_factory=set)
    """Matched, and not in sync with every isolation of this mode that selects it."""
    drifted: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    desired: int = 0
    in_place: int = 0
    outstanding: int = 0

    def states(self) -> Mapping[str, int]:
        """Count the namespaces by state; they overlap, as in a status."""
        return {
            "matched": len(self.matched),
            "in_sync": len(self.matched) - len(self.behind),
            "drifted": len(self.drifted),
            "failed": len(self.failed),
        }


@dataclass(slots=True, kw_only=True)
class Census:
    """The counts of one moment."""

    isolations: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By mode, and by Ready as the status says it."""
    rolls: Mapping[str, Roll] = field(default_factory=lambda: {mode: Roll() for mode in MODES})
    unmanaged: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    """By namespace, direction, and whether it is wide open; the same policies widen every isolation that denies it."""
    fights: int = 0


def take_census(
    isolations: Iterable[Isolation],
    *,
    members: Callable[[str], frozenset[str]],
    standings: Callable[[str], Mapping[str, Standing]],
    status: Callable[[str], Mapping[str, Any]],
) -> Census:
    """Count, with the definitions of a status; `members`, `standings` and `status` are asked by name of isolation."""
    census = Census()
    for isolation in isolations:
        mode = NOT_ACCEPTED if isolation.spec is None else isolation.spec.mode
        census.isolations[mode, _ready(isolation, status(isolation.name))] += 1
        if mode in census.rolls:
            _count(isolation, census, census.rolls[mode], members(isolation.name), standings(isolation.name))
    return census


def _count(
    isolation: Isolation, census: Census, roll: Roll, members: frozenset[str], standings: Mapping[str, Standing]
) -> None:
    """Add one isolation; this is all that a scrape costs per namespace, so it is kept short."""
    generation, audits = isolation.generation, isolation.stance is Stance.AUDIT
    roll.matched |= members
    roll.behind |= members.difference(standings)
    for namespace, standing in standings.items():
        if standing.outstanding:
            roll.outstanding += standing.outstanding
            roll.drifted.add(namespace)
        if standing.failing:
            roll.failed.add(namespace)
            census.fights += len(standing.fights)
        for direction, wide_open, count in () if audits else standing.widened:
            key = namespace, direction, wide_open
            census.unmanaged[key] = max(count, census.unmanaged.get(key, 0))
        if namespace not in members:
            continue
        if standing.generation != generation:
            roll.behind.add(namespace)
            continue
        roll.desired += standing.desired
        roll.in_place += standing.in_place
        if not standing.in_sync:
            roll.behind.add(namespace)


def _ready(isolation: Isolation, status: Mapping[str, Any]) -> str:
    """Read the condition Ready, if it is of the present generation."""
    ready = condition_of(status, "Ready")
    current = ready.get("observedGeneration") == isolation.generation
    return str(ready["status"]) if current and ready["status"] in READY else "Unknown"

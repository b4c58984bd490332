"""The status of an isolation, computed from where its namespaces stand; bounded whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from namespace_isolation.model import limits
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure
from namespace_isolation.report.board import Standing
from namespace_isolation.report.conditions import accepted, ready, with_transition_times
from namespace_isolation.report.drift_log import DriftLog

__all__ = ["is_complete", "status_of"]

Json = dict[str, Any]

_MESSAGE_LENGTH: Final = 300
"""Characters of a problem's message: twenty of them stay readable."""
_HELD: Final = Failure(
    reason="Held", message="Policies that are to go wait for others that cannot be written or deleted."
)


def is_complete(isolation: Isolation, members: Iterable[str], standings: Mapping[str, Standing]) -> bool:
    """Whether every namespace of an isolation was looked at in its present generation."""
    return all(name in standings and standings[name].generation == isolation.generation for name in members)


def status_of(
    isolation: Isolation,
    *,
    members: frozenset[str],
    standings: Mapping[str, Standing],
    drift: DriftLog,
    previous: Mapping[str, Any],
    now: datetime,
) -> Json:
    """Write the whole status; conditions keep the time of their last transition from the previous one."""
    current = {
        name: standing
        for name, standing in standings.items()
        if name in members and standing.generation == isolation.generation
    }
    in_sync = sum(standing.in_sync for standing in current.values())
    failing = {name: standing for name, standing in standings.items() if standing.undone}
    desired = sum(standing.desired for standing in current.values())
    in_place = sum(standing.in_place for standing in current.values())
    conditions = [
        accepted(isolation),
        ready(isolation, matched=len(members), in_sync=in_sync, failing=len(failing)),
    ]
    return {
        "observedGeneration": isolation.generation,
        "namespaces": {
            "matched": len(members),
            "inSync": in_sync,
            "drifted": sum(standing.outstanding > 0 for standing in current.values()),
            "failed": len(failing),
            "summary": f"{in_sync}/{len(members)}",
        },
        "policies": {"desired": desired, "inPlace": in_place, "summary": f"{in_place}/{desired}"},
        "drift": {
            "corrected": drift.corrected,
            "outstanding": sum(standing.outstanding for standing in standings.values()),
            "recent": list(drift.recent),
        },
        "problems": _problems(failing),
        "conditions": with_transition_times(conditions, previous.get("conditions") or (), now),
    }


def _problems(failing: Mapping[str, Standing]) -> list[Json]:
    return [
        {
            "namespace": name,
            "reason": failure.reason[: limits.WORD_LENGTH],
            "message": failure.message[:_MESSAGE_LENGTH],
        }
        for name in sorted(failing)[: limits.RECENT]
        for failure in (failing[name].failures or (_HELD,))[:1]
    ]

"""The status of an isolation, computed from where its namespaces stand; bounded whatever their number."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from namespace_isolation.model import limits
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.resource_status import NOT_OBSERVED
from namespace_isolation.report.bounds import bounded, shortened
from namespace_isolation.report.conditions import conditions_of
from namespace_isolation.report.drift_log import DriftLog
from namespace_isolation.report.standing import HELD, Standing
from namespace_isolation.report.tally import Tally, tally_of

__all__ = ["is_complete", "status_of"]

Json = dict[str, Any]


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
    tally = tally_of(isolation, members, standings)
    status = {
        "observedGeneration": _observed(isolation, previous),
        "namespaces": {
            "matched": tally.matched,
            "inSync": tally.in_sync,
            "drifted": tally.drifted,
            "failed": tally.failed,
            "summary": f"{tally.in_sync}/{tally.matched}",
        },
        "policies": {
            "desired": tally.desired,
            "inPlace": tally.in_place,
            "summary": f"{tally.in_place}/{tally.desired}",
        },
        "audit": _audit(tally, standings) if tally.audits else None,
        "drift": {
            "corrected": drift.corrected,
            "outstanding": tally.outstanding,
            "recent": list(drift.recent),
        },
        "problems": _problems(standings),
        "unmanaged": _unmanaged(tally, standings),
        "conditions": conditions_of(isolation, tally, previous.get("conditions") or (), now),
    }
    return bounded({key: value for key, value in status.items() if value is not None})


def _observed(isolation: Isolation, previous: Mapping[str, Any]) -> int:
    """Tell which generation was carried out; its deletion is one that never is, and tells what came before it.

    (kstatus calls what is being deleted Terminating whatever stands here.)
    """
    if isolation.deleting:
        return int(previous.get("observedGeneration", NOT_OBSERVED))
    return isolation.generation


def _problems(standings: Mapping[str, Standing]) -> list[Json]:
    failing = heapq.nsmallest(limits.RECENT, (name for name, each in standings.items() if each.failing))
    return [
        {
            "namespace": name,
            "reason": shortened(failure.reason, limits.WORD_LENGTH),
            "message": shortened(failure.message, limits.PROBLEM_LENGTH),
        }
        for name in failing
        for failure in (standings[name].failures or (HELD,))[:1]
    ]


def _audit(tally: Tally, standings: Mapping[str, Standing]) -> Json:
    first: list[Json] = []
    for name in heapq.nsmallest(limits.RECENT, (name for name, each in standings.items() if each.pending)):
        pending = standings[name].pending
        for action, policy, why in () if pending is None else pending.first:
            first.append({"namespace": name, "policy": policy, "action": action, "why": str(why)})
    return {
        "create": tally.create,
        "update": tally.update,
        "delete": tally.delete,
        "first": first[: limits.RECENT],
    }


def _unmanaged(tally: Tally, standings: Mapping[str, Standing]) -> Json:
    """Name the policies that open a namespace to everyone before those that open it to some."""
    found = (each for standing in standings.values() for each in standing.unmanaged)
    first = heapq.nsmallest(limits.RECENT, found, key=lambda each: (not each.wide_open, each.namespace, each.policy))
    recent: list[Json] = []
    for each in first:
        entry: Json = {"namespace": each.namespace, "policy": each.policy, "widens": list(each.widens)}
        if each.wide_open:
            entry["wideOpen"] = list(each.wide_open)
        if each.kept:
            entry["kept"] = each.kept
        recent.append(entry)
    return {"count": tally.unmanaged, "recent": recent}

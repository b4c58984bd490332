"""The conditions of an isolation, as kstatus and `kubectl wait` read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from namespace_isolation.model import limits
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.clock import timestamp

__all__ = ["accepted", "ready", "with_transition_times"]

Json = dict[str, Any]


def accepted(isolation: Isolation) -> Json:
    """Say whether the operator acts on the resource, and what in it it does not act on."""
    if isolation.faults:
        message = f"Nothing is changed until this is mended. {_told(isolation.faults)}"
        return _condition("Accepted", isolation, status=False, reason="Invalid", message=message)
    if isolation.notices:
        message = f"Accepted, with notices. {_told(isolation.notices)}"
        return _condition("Accepted", isolation, status=True, reason="AcceptedWithNotices", message=message)
    return _condition("Accepted", isolation, status=True, reason="Accepted", message="The resource is valid.")


def ready(isolation: Isolation, *, matched: int, in_sync: int, failing: int) -> Json:
    """Say whether every matching namespace has every policy in place."""
    if isolation.deleting:
        message = "The resource is being deleted; its policies are being taken away."
        return _condition("Ready", isolation, status=False, reason="Deleting", message=message)
    if isolation.faults:
        message = "The resource is not accepted: what is in place stays, and is not maintained."
        return _condition("Ready", isolation, status=False, reason="NotAccepted", message=message)
    if failing:
        message = f"{failing} namespaces have problems; see status.problems."
        return _condition("Ready", isolation, status=False, reason="Failed", message=message)
    if in_sync < matched:
        message = f"{in_sync} of {matched} namespaces are in sync."
        return _condition("Ready", isolation, status=False, reason="Progressing", message=message)
    if not matched:
        message = "No namespace matches."
        return _condition("Ready", isolation, status=True, reason="NoNamespaces", message=message)
    message = f"All policies are in place in {matched} namespaces."
    return _condition("Ready", isolation, status=True, reason="InSync", message=message)


def with_transition_times(
    conditions: Sequence[Json], previous: Sequence[Mapping[str, Any]], now: datetime
) -> list[Json]:
    """Give each condition the time when its status last changed."""
    known = {condition.get("type"): condition for condition in previous}
    result = []
    for condition in conditions:
        before = known.get(condition["type"], {})
        same = before.get("status") == condition["status"] and before.get("lastTransitionTime")
        time = before["lastTransitionTime"] if same else timestamp(now)
        result.append({**condition, "lastTransitionTime": time})
    return result


def _condition(kind: str, isolation: Isolation, *, status: bool, reason: str, message: str) -> Json:
    return {
        "type": kind,
        "status": str(status),
        "reason": reason,
        "message": message[: limits.MESSAGE_LENGTH],
        "observedGeneration": isolation.generation,
    }


def _told(faults: Sequence[Fault]) -> str:
    return "; ".join(str(fault) for fault in faults)

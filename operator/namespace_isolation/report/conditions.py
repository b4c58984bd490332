"""The conditions of an isolation, as kstatus and `kubectl wait` read them.

Ready is True when everything is as the resource asks. Reconciling and Stalled are True only while they are: work goes
on, or cannot go on before somebody changes something. Never are both True, nor Ready beside one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from namespace_isolation.model import limits
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.bounds import shortened
from namespace_isolation.report.clock import timestamp
from namespace_isolation.report.tally import Tally

__all__ = ["FAILING", "condition_of", "conditions_of"]

Json = dict[str, Any]

FAILING: Final = frozenset({"Failed", "Fight"})
"""Reasons why an isolation is not Ready although nobody waits for anything."""


def conditions_of(
    isolation: Isolation, tally: Tally, previous: Sequence[Mapping[str, Any]], now: datetime
) -> list[Json]:
    """Give all conditions, each with the time when its status last changed."""
    conditions = [
        _accepted(isolation),
        _ready(isolation, tally),
        _reconciling(isolation, tally),
        _stalled(isolation),
    ]
    return _with_transition_times(conditions, previous, now)


def condition_of(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Find a condition in a status, be it one that is not written yet; empty where there is none."""
    conditions: Sequence[Mapping[str, Any]] = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})


def _accepted(isolation: Isolation) -> Json:
    """Say whether the operator acts on the resource, and what in it is not quite what one might expect."""
    if isolation.faults:
        message = f"Nothing is changed until this is mended. {_told(isolation.faults)}"
        return _condition("Accepted", isolation, status=False, reason="Invalid", message=message)
    if isolation.notices:
        message = f"Accepted, with notices. {_told(isolation.notices)}"
        return _condition("Accepted", isolation, status=True, reason="AcceptedWithNotices", message=message)
    return _condition("Accepted", isolation, status=True, reason="Accepted", message="The resource is valid.")


def _ready(isolation: Isolation, tally: Tally) -> Json:
    status, reason, message = _state(isolation, tally)
    return _condition("Ready", isolation, status=status, reason=reason, message=message)


def _state(isolation: Isolation, tally: Tally) -> tuple[bool, str, str]:
    """Say whether every matching namespace is as it is to be; in Audit, whether every one was looked at."""
    if isolation.deleting:
        return False, "Deleting", "The resource is being deleted; its policies are being taken away."
    if isolation.faults:
        return False, "NotAccepted", "The resource is not accepted: what is in place stays, and is not maintained."
    if tally.failed:
        return _failing(tally)
    if tally.audits:
        return _audited(tally)
    return _enforced(tally)


def _failing(tally: Tally) -> tuple[bool, str, str]:
    if tally.fight is None:
        have = "namespace has" if tally.failed == 1 else "namespaces have"
        return False, "Failed", f"{tally.failed} {have} problems; see status.problems."
    where = f"{tally.fight.policy} in namespace {tally.fight.namespace}"
    return (
        False,
        "Fight",
        f"{where} is changed back again and again, last by {tally.fight.manager}; see status.problems.",
    )


def _enforced(tally: Tally) -> tuple[bool, str, str]:
    if tally.in_sync < tally.matched:
        return False, "Progressing", f"{tally.in_sync} of {tally.matched} namespaces are in sync."
    if not tally.matched:
        return True, "NoNamespaces", "No namespace matches spec.namespaces: nothing is isolated."
    where = "1 namespace" if tally.matched == 1 else f"{tally.matched} namespaces"
    return True, "InSync", f"All policies are in place in {where}{_but(tally)}."


def _but(tally: Tally) -> str:
    """Add what an isolation cannot do anything about, and who reads that all is in place should know."""
    if not tally.unmanaged:
        return ""
    others = "1 policy of others allows" if tally.unmanaged == 1 else f"{tally.unmanaged} policies of others allow"
    return f"; but {others} what is denied, see status.unmanaged"


def _audited(tally: Tally) -> tuple[bool, str, str]:
    if tally.looked_at < tally.matched:
        return False, "Progressing", f"{tally.looked_at} of {tally.matched} namespaces were looked at."
    message = (
        f"Audit: nothing is written, and nothing is enforced by this resource. Enforce would create {tally.create}, "
        f"update {tally.update} and delete {tally.delete} policies; see status.audit."
    )
    return True, "Audit", message


def _reconciling(isolation: Isolation, tally: Tally) -> Json:
    """Say whether work goes on: what fails is tried again, so it is work as well."""
    ready, reason, message = _state(isolation, tally)
    if ready or reason == "NotAccepted":
        return _condition("Reconciling", isolation, status=False, reason="Settled", message="No work is under way.")
    told = "Retrying" if reason in FAILING else reason
    return _condition("Reconciling", isolation, status=True, reason=told, message=message)


def _stalled(isolation: Isolation) -> Json:
    """Say whether work cannot go on before somebody changes the resource."""
    if isolation.faults and not isolation.deleting:
        return _condition("Stalled", isolation, status=True, reason="NotAccepted", message=_told(isolation.faults))
    message = "Nothing waits for a change of the resource."
    return _condition("Stalled", isolation, status=False, reason="NotStalled", message=message)


def _with_transition_times(
    conditions: Sequence[Json], previous: Sequence[Mapping[str, Any]], now: datetime
) -> list[Json]:
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
        "message": shortened(message, limits.MESSAGE_LENGTH),
        "observedGeneration": isolation.generation,
    }


def _told(faults: Sequence[Fault]) -> str:
    return "; ".join(str(fault) for fault in faults)

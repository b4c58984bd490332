"""One log line for every repair and every failure, one a namespace for routine work, none for what was in place."""

from __future__ import annotations

from collections import Counter

import structlog

from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Release, Update, Wait

__all__ = ["log_outcome"]

_DONE = {Create: "created", Update: "updated", Delete: "deleted", Release: "released"}
_FAILED = {
    Create: "policy not created",
    Update: "policy not updated",
    Delete: "policy not deleted",
    Release: "policy not released",
    Wait: "policy held by a finalizer",
}


def log_outcome(outcome: Outcome, *, seconds: float) -> None:
    """Log what one reconcile did; `seconds` is what the whole took."""
    if not outcome.results:
        return
    log = structlog.get_logger().bind(namespace=outcome.namespace, milliseconds=round(seconds * 1000, 1))
    routine: Counter[str] = Counter()
    for each in outcome.results:
        if each.result is Result.FAILED:
            log.warning(_FAILED[type(each.step)], **_fields(each))
        elif each.result is Result.HELD:
            log.warning("policy kept until what failed before it succeeds", **_fields(each))
        elif each.result is Result.DONE and each.step.why.is_drift:
            log.info("drift corrected", **_fields(each))
        elif each.result is Result.DONE:
            routine[_DONE[type(each.step)]] += 1
    if routine:
        isolations = sorted({each.step.isolation for each in outcome.results})
        log.info("policies written", isolations=isolations, **routine)


def _fields(each: StepResult) -> dict[str, object]:
    fields: dict[str, object] = {
        "isolation": each.step.isolation,
        "policy": each.step.name,
        "why": str(each.step.why),
    }
    if each.drift is not None:
        fields |= {"fields": list(each.drift.fields), "manager": each.drift.manager}
    if each.failure is not None:
        fields |= {"reason": each.failure.reason, "message": each.failure.message}
    return fields

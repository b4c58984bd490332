"""One log line for every drift, repair, fight and new failure, one a namespace for routine work, none for a no-op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog

from namespace_isolation.apply.policies import CHANGED_ON_WRITE
from namespace_isolation.model.event import plain
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Release, Update, Wait, Why

__all__ = ["MESSAGE_BYTES", "OutcomeLog"]

MESSAGE_BYTES: Final = 1024
"""What the words of others may take of a line."""
_WORD_BYTES: Final = 256
_DONE: Final = {Create: "created", Update: "updated", Delete: "deleted", Release: "released"}
_FAILED: Final = {
    Create: "policy not created",
    Update: "policy not updated",
    Delete: "policy not deleted",
    Release: "policy not released",
    Wait: "policy held by a finalizer",
}
_TOLD_ALONE: Final = {Why.TAKEN_OVER: "policy taken over", Why.UNMANAGED: "unmanaged policy removed"}
"""Steps that are no drift and concern what somebody else made."""


class OutcomeLog:
    """Tells what reconciles did; a failure that stays as it is, and a fight that goes on, are told once."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._failing: dict[str, frozenset[object]] = {}
        self._fighting: dict[str, frozenset[tuple[str, str]]] = {}

    def tell(
        self,
        outcome: Outcome,
        *,
        findings: Sequence[StepResult] = (),
        news: Iterable[StepResult] = (),
        fights: Sequence[Fight] = (),
        seconds: float,
    ) -> None:
        """Log one reconcile: `findings` of isolations in Audit, what is `news`, and the fights that go on.

        `seconds` is what the whole took.
        """
        results = (*outcome.results, *findings)
        told_before = outcome.namespace in self._failing or outcome.namespace in self._fighting
        if not results and not told_before and not fights:
            return
        log = structlog.get_logger().bind(namespace=outcome.namespace, milliseconds=round(seconds * 1000, 1))
        self._tell_failures(log, outcome.namespace, results)
        for each in outcome.results:
            if each.result is Result.DONE and each.step.why.is_drift:
                log.info("drift corrected", **_fields(each))
            elif each.result is Result.DONE and each.step.why in _TOLD_ALONE:
                log.info(_TOLD_ALONE[each.step.why], **_fields(each))
        for each in news:
            if each.result is Result.REPORTED:
                log.info("drift reported, not corrected: the isolation is in Audit", **_fields(each))
        routine = [each for each in outcome.results if _is_routine(each)]
        if routine:
            isolations = sorted({each.step.isolation for each in routine})
            log.info("policies written", isolations=isolations, **Counter(_DONE[type(each.step)] for each in routine))
        self._tell_fights(log, outcome.namespace, fights)

    def _tell_failures(self, log: Any, namespace: str, results: Iterable[StepResult]) -> None:  # noqa: ANN401
        told = self._failing.pop(namespace, frozenset())
        undone = {_sameness(each): each for each in results if each.undone and each.fight is None}
        for key, each in undone.items():
            if key in told:
                continue
            if each.failure is not None and each.failure.reason == CHANGED_ON_WRITE:
                log.warning("policy written, but changed on its way", **_fields(each))
            elif each.result is Result.FAILED:
                log.warning(_FAILED[type(each.step)], **_fields(each))
            else:
                log.warning("policy kept until what failed before it succeeds", **_fields(each))
        if undone:
            self._failing[namespace] = frozenset(undone)

    def _tell_fights(self, log: Any, namespace: str, fights: Iterable[Fight]) -> None:  # noqa: ANN401
        told = self._fighting.pop(namespace, frozenset())
        going_on = {(each.isolation, each.policy): each for each in fights}
        for key, fight in going_on.items():
            if key not in told:
                log.warning(
                    "fight: a policy is changed back as often as it is repaired; repairs of it back off",
                    isolation=fight.isolation,
                    policy=fight.policy,
                    rounds=fight.rounds,
                    next_try_after_seconds=fight.pause,
                    manager=plain(fight.manager, _WORD_BYTES),
                )
        for isolation, policy in sorted(told - going_on.keys()):
            log.info("fight ended", isolation=isolation, policy=policy)
        if going_on:
            self._fighting[namespace] = frozenset(going_on)


def _is_routine(each: StepResult) -> bool:
    return each.result is Result.DONE and not each.step.why.is_drift and each.step.why not in _TOLD_ALONE


def _sameness(each: StepResult) -> object:
    """Tell by what a failure is the same as the last time."""
    return type(each.step), each.step.name, each.result, each.failure


def _fields(each: StepResult) -> dict[str, object]:
    fields: dict[str, object] = {
        "isolation": each.step.isolation,
        "policy": each.step.name,
        "action": type(each.step).__name__,
        "why": str(each.step.why),
    }
    if each.drift is not None:
        fields |= {
            "fields": [plain(field, _WORD_BYTES) for field in each.drift.fields],
            "manager": plain(each.drift.manager, _WORD_BYTES),
        }
    if each.failure is not None:
        fields |= {
            "reason": plain(each.failure.reason, _WORD_BYTES),
            "message": plain(each.failure.message, MESSAGE_BYTES),
        }
    return fields

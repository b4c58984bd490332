"""What isolations in Audit would do in one namespace, found out without doing it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from typing import Final

from namespace_isolation.apply.look_closer import Reader
from namespace_isolation.cluster import ApiError
from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.drift import drift_of, maker_of
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.outcome import Rehearsal, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Release, Step, Update, Wait
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View

__all__ = ["Evidence", "rehearse"]

_MOST_KEPT: Final = 4096


class Evidence:
    """What was read of drifts that Audit leaves: each is read once, however often its namespace is looked at."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._read: OrderedDict[tuple[str, str], tuple[int, Policy | None, Drift]] = OrderedDict()

    def of(self, step: Update | Delete | Release | Wait) -> Drift | None:
        """Give what was read for a step, unless the policy changed since, or something else is wanted."""
        known = self._read.get((step.live.namespace, step.live.name))
        return known[2] if known is not None and known[:2] == (step.live.resource_version, _wanted(step)) else None

    def keep(self, step: Update | Delete | Release | Wait, drift: Drift) -> None:
        """Keep what was read for a step."""
        key = step.live.namespace, step.live.name
        self._read[key] = (step.live.resource_version, _wanted(step), drift)
        self._read.move_to_end(key)
        if len(self._read) > _MOST_KEPT:
            self._read.popitem(last=False)


async def rehearse(
    view: View,
    *,
    decide: Callable[[View], Mapping[str, Policy]],
    reader: Reader,
    evidence: Evidence,
    gone: Container[str] = (),
) -> Rehearsal:
    """Plan the namespace as if Audit were Enforce, and give what concerns the isolations in Audit.

    `gone`: policies that were taken away since the view was read.
    """
    if not any(each.stance is Stance.AUDIT for each in view.isolations.values()):
        return Rehearsal()
    audited = {each.name for each in _audited(view)}
    if not audited:
        return Rehearsal()
    as_enforced = replace(view, rehearsal=True)
    desired = decide(as_enforced)
    plan = compare(desired, as_enforced)
    steps = [step for step in plan.steps() if step.isolation in audited and step.name not in gone]
    findings = await asyncio.gather(*(_found(view.name, step, reader, evidence) for step in steps))
    return Rehearsal(
        desired={name: policy for name, policy in desired.items() if policy.isolation in audited},
        kept=tuple((isolation, name) for isolation, name in plan.kept if isolation in audited),
        findings=tuple(findings),
    )


def _audited(view: View) -> Iterator[Isolation]:
    """Give the isolations in Audit that select the namespace, or have a policy in it."""
    for isolation in view.governing:
        if isolation.stance is Stance.AUDIT:
            yield isolation
    for live in view.live.values():
        for name in live.claims:
            claimed = view.isolations.get(name)
            if claimed is not None and claimed.stance is Stance.AUDIT:
                yield claimed


async def _found(namespace: str, step: Step, reader: Reader, evidence: Evidence) -> StepResult:
    """Report one step with its evidence; where that cannot be read, the step counts as failed."""
    if not step.why.is_drift:
        return StepResult(step=step, result=Result.REPORTED)
    if isinstance(step, Create):
        return StepResult(step=step, result=Result.REPORTED, drift=Drift())
    known = evidence.of(step)
    if known is not None:
        return StepResult(step=step, result=Result.REPORTED, drift=known)
    try:
        document = await reader.read(namespace, step.name)
    except ApiError as error:
        return StepResult(step=step, result=Result.FAILED, failure=error.failure)
    if document is None:
        return StepResult(step=step, result=Result.MOOT)  # gone in between; the watch will say so
    drift = drift_of(step.policy, document) if isinstance(step, Update) else maker_of(document)
    evidence.keep(step, drift)
    return StepResult(step=step, result=Result.REPORTED, drift=drift)


def _wanted(step: Step) -> Policy | None:
    return step.policy if isinstance(step, Create | Update) else None

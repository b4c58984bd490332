"""Carries out a plan phase by phase: every change is tried, none is fatal to the rest, nothing is removed too early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from namespace_isolation.apply.look_closer import Reader
from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Step, Update, Why
from namespace_isolation.model.policy import Reach

__all__ = ["Writer", "carry_out"]


class Writer(Reader, Protocol):
    """Carries out one step."""

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Give the step's result; never raise for what the API server answers."""


async def carry_out(plan: Plan, writer: Writer, *, still_wanted: Callable[[], bool]) -> Outcome:
    """Carry out a plan in its safe order, the steps of one phase together.

    What takes something out is held where something of the same isolation could not be put in place, where isolation
    cannot be taken away first from pods that are to be free, and where `still_wanted` says that the isolations have
    changed since the plan was made. Whatever one step raises, the others of its phase are waited for.
    """
    results: list[StepResult] = []
    for phase in plan.phases:
        unwanted = any(_takes_out(step) for step in phase) and not still_wanted()
        failed = [each for each in results if each.undone]
        due: list[Step] = []
        for step in phase:
            if _takes_out(step) and (unwanted or any(_holds(earlier, step) for earlier in failed)):
                results.append(StepResult(step=step, result=Result.HELD))
            else:
                due.append(step)
        results += await _together(plan.namespace, due, writer)
    return Outcome(namespace=plan.namespace, results=tuple(results), kept=plan.kept)


async def _together(namespace: str, steps: Sequence[Step], writer: Writer) -> list[StepResult]:
    """Carry out the steps of a phase; one alone needs no task of its own."""
    if len(steps) == 1:
        return [await writer.carry_out(namespace, steps[0])]
    done = await asyncio.gather(*(writer.carry_out(namespace, step) for step in steps), return_exceptions=True)
    results: list[StepResult] = []
    for each in done:
        if isinstance(each, BaseException):
            raise each
        results.append(each)
    return results


def _takes_out(step: Step) -> bool:
    """Whether a step may remove an allowed flow or an isolation; repairs of drift may, too, but never wait."""
    return isinstance(step, Delete | Release) or (isinstance(step, Update) and step.is_own_change)


def _holds(failed: StepResult, step: Step) -> bool:
    """Whether a step that failed, or was held, holds a later one.

    What somebody fights over holds nothing: whoever changes one policy back could else keep another one from being
    revoked. What admission changes was perhaps never in place, and may be all that replaces what is to go.
    """
    earlier = failed.step
    if isinstance(earlier, Create | Update):
        if step.why is Why.UNMANAGED and earlier.policy.reach is Reach.DENY:
            return True  # somebody else's policy may be all that isolates pods as long as a denial is missing
        lets_go = failed.fight is not None and not failed.fight.by_admission
        return earlier.isolation == step.isolation and not lets_go
    # Isolation that stays would cut what is to stay allowed, whoever allows it.
    return isinstance(step, Delete) and step.keeps_flows and earlier.live.reach is not Reach.SOME_PODS

"""Carries out a plan phase by phase: every change is tried, none is fatal to the rest, nothing is removed too early."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from namespace_isolation.apply.look_closer import Reader
from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Delete, Plan, Step
from namespace_isolation.model.policy import Reach

__all__ = ["Writer", "carry_out"]


class Writer(Reader, Protocol):
    """Carries out one step."""

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Give the step's result; never raise for what the API server answers."""


async def carry_out(plan: Plan, writer: Writer) -> Outcome:
    """Carry out a plan in its safe order, the steps of one phase together.

    Where a step of an isolation failed, its later deletions are held: what a policy that is not in place was to
    replace stays. While a denial cannot be removed, every allow policy stays: an isolation may allow DNS only
    because another one denies it.
    """
    results: list[StepResult] = []
    for phase in plan.phases:
        failed = [each.step for each in results if each.result is Result.FAILED]
        held = [_is_held(step, failed) for step in phase]
        results += [StepResult(step=step, result=Result.HELD) for step, wait in zip(phase, held, strict=True) if wait]
        due = (step for step, wait in zip(phase, held, strict=True) if not wait)
        results += await asyncio.gather(*(writer.carry_out(plan.namespace, step) for step in due))
    return Outcome(namespace=plan.namespace, results=tuple(results), kept=plan.kept)


def _is_held(step: Step, failed: Sequence[Step]) -> bool:
    return isinstance(step, Delete) and any(
        earlier.isolation == step.isolation or (isinstance(earlier, Delete) and earlier.live.reach is Reach.DENY)
        for earlier in failed
    )

"""Carries out a plan phase by phase: every change is tried, none is fatal to the rest, nothing is removed too early."""

from __future__ import annotations

import asyncio
from typing import Protocol

from namespace_isolation.apply.look_closer import Reader
from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Delete, Plan, Step

__all__ = ["Writer", "carry_out"]


class Writer(Reader, Protocol):
    """Carries out one step."""

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Give the step's result; never raise for what the API server answers."""


async def carry_out(plan: Plan, writer: Writer) -> Outcome:
    """Carry out a plan in its safe order, the steps of one phase together.

    Where a step of an isolation failed, its later deletions are held: what a policy that is not in place was to
    replace stays, and allow policies stay while a denial cannot be removed.
    """
    results: list[StepResult] = []
    failed: set[str] = set()
    for phase in plan.phases:
        due = [step for step in phase if not _is_held(step, failed)]
        results += [StepResult(step=step, result=Result.HELD) for step in phase if _is_held(step, failed)]
        done = await asyncio.gather(*(writer.carry_out(plan.namespace, step) for step in due))
        results += done
        failed |= {each.step.isolation for each in done if each.result is Result.FAILED}
    return Outcome(namespace=plan.namespace, results=tuple(results), kept=plan.kept)


def _is_held(step: Step, failed: set[str]) -> bool:
    return isinstance(step, Delete) and step.isolation in failed

"""The story of one namespace: observe, desire, compare, apply, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from namespace_isolation.apply.carry_out import Writer, carry_out
from namespace_isolation.apply.fights import FightGuard, Fights
from namespace_isolation.apply.look_closer import look_closer
from namespace_isolation.apply.rehearse import Evidence, rehearse
from namespace_isolation.compare.compare import compare
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Outcome, Rehearsal, Result, StepResult
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View
from namespace_isolation.report.board import Board

__all__ = ["Reconciled", "reconcile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one reconcile did, what isolations in Audit would have done, the fights that go on, and what is news."""

    outcome: Outcome
    rehearsal: Rehearsal
    fights: tuple[Fight, ...]
    news: tuple[StepResult, ...]

    @property
    def missing(self) -> frozenset[str]:
        """Name the policies for which something could not be done, or is left undone in Audit."""
        results = (*self.outcome.results, *self.rehearsal.findings)
        return frozenset(each.step.name for each in results if each.undone or each.result is Result.REPORTED)


async def reconcile(
    namespace: str,
    *,
    observe: Callable[[str], View],
    decide: Callable[[View], Mapping[str, Policy]],
    writer: Writer,
    fights: Fights,
    evidence: Evidence,
    board: Board,
) -> Reconciled:
    """Bring one namespace from what is to what should be, and report what came of it."""
    view = observe(namespace)  # what is
    desired = decide(view)  # what should be
    plan = await look_closer(compare(desired, view), writer)  # what differs
    outcome = await carry_out(  # make it so
        plan, FightGuard(writer, fights), still_wanted=lambda: observe(namespace).intent == view.intent
    )
    rehearsal = await rehearse(  # what Audit leaves undone
        view, decide=decide, reader=writer, evidence=evidence, gone=outcome.gone
    )
    fought = fights.fought_in(namespace)
    news = board.record(view, desired, outcome, rehearsal, fought)  # say so
    return Reconciled(outcome=outcome, rehearsal=rehearsal, fights=fought, news=news)

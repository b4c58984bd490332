"""The story of one namespace: observe, desire, compare, apply, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from namespace_isolation.apply.carry_out import Writer, carry_out
from namespace_isolation.apply.look_closer import look_closer
from namespace_isolation.compare.compare import compare
from namespace_isolation.model.outcome import Outcome
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View
from namespace_isolation.report.board import Board

__all__ = ["reconcile"]


async def reconcile(
    namespace: str,
    *,
    observe: Callable[[str], View],
    decide: Callable[[View], Mapping[str, Policy]],
    writer: Writer,
    board: Board,
) -> Outcome:
    """Bring one namespace from what is to what should be, and report what came of it."""
    view = observe(namespace)  # what is
    desired = decide(view)  # what should be
    plan = await look_closer(compare(desired, view), writer)  # what differs
    outcome = await carry_out(  # make it so
        plan, writer, still_wanted=lambda: observe(namespace).intent == view.intent
    )
    board.record(view, desired, outcome)  # say so
    return outcome

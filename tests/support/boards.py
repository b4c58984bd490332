"""A board with open accounts, to which the plan of a view is told as carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from namespace_isolation.apply.rehearse import Evidence, rehearse
from namespace_isolation.cluster import ApiError
from namespace_isolation.compare.compare import compare
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure, Outcome, Rehearsal, Result, StepResult
from namespace_isolation.model.plan import Drift, Step
from namespace_isolation.model.view import View
from namespace_isolation.report.board import Board
from namespace_isolation.report.standing import Standing
from tests.support.objects import desired_in, foreign_document

__all__ = ["FAILURE", "NOW", "BoardFixture", "Shelf", "rehearsed"]

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FAILURE = Failure(reason="Forbidden", message="no")


class Shelf:
    """A reader of policies that serves documents by name; what is not there is gone, and errors are raised."""

    def __init__(self, documents: Mapping[str, Json | ApiError] | None = None) -> None:
        """Serve `documents`."""
        self.documents = dict(documents or {})
        self.asked: list[str] = []

    async def read(self, namespace: str, name: str) -> Json | None:
        """Give a policy as served."""
        assert namespace == "payments"
        self.asked.append(name)
        found = self.documents.get(name)
        if isinstance(found, ApiError):
            raise found
        return found


def rehearsed(seen: View, documents: Mapping[str, Json | ApiError] | None = None) -> Rehearsal:
    """Find out what the isolations in Audit of a view would do; what is live can be read, in whatever words."""
    served = {name: foreign_document(name) for name in seen.live}
    return asyncio.run(
        rehearse(seen, decide=desired_in, reader=Shelf(served | dict(documents or {})), evidence=Evidence())
    )


class BoardFixture:
    """A board, and the news that it told."""

    def __init__(self, *isolations: Isolation) -> None:
        """Open an account for each isolation."""
        self.told: list[str] = []
        self.board = Board(now=lambda: NOW, on_news=self.told.append)
        for each in isolations:
            self.board.open(each, {})

    def record(
        self,
        seen: View,
        *,
        fights: Iterable[Fight] = (),
        documents: Mapping[str, Json | ApiError] | None = None,
        **results: Result,
    ) -> tuple[StepResult, ...]:
        """Carry out the plan of a view in thought; each step ends as its name (`_` for `.` and `-`) says."""
        fought = {each.policy: each for each in fights}
        desired = desired_in(seen)
        plan = compare(desired, seen)
        done = tuple(_ended(step, results, fought) for step in plan.steps())
        outcome = Outcome(namespace=seen.name, results=done, kept=plan.kept)
        return self.board.record(seen, desired, outcome, rehearsed(seen, documents), fought.values())

    def standing(self, isolation: str = "team") -> Standing | None:
        """Tell where an isolation stands in payments."""
        return self.board.standings(isolation).get("payments")

    def in_sync(self, isolation: str = "team") -> bool:
        """Whether everything of an isolation is as it should be in payments."""
        found = self.standing(isolation)
        return found is not None and found.in_sync

    def numbers(self, isolation: str = "team") -> tuple[int, int, int, int] | None:
        """Give desired, in place, outstanding, failures."""
        found = self.standing(isolation)
        return None if found is None else (found.desired, found.in_place, found.outstanding, len(found.failures))


def _ended(step: Step, results: Mapping[str, Result], fights: Mapping[str, Fight]) -> StepResult:
    result = results.get(step.name.replace(".", "_").replace("-", "_"), Result.DONE)
    return StepResult(
        step=step,
        result=result,
        failure=FAILURE if result is Result.FAILED else None,
        drift=Drift(fields=("spec.egress",), manager="kubectl") if step.why.is_drift else None,
        fight=fights.get(step.name),
    )

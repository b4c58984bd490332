"""What one reconcile writes into the log."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Step, Update, Why
from namespace_isolation.report.log import log_outcome
from tests.support.objects import live_from, policy

WANTED = policy("team.default-deny-all")
OTHER = policy("other.default-deny-all")


def _create(why: Why = Why.WANTED) -> Create:
    return Create(policy=WANTED, why=why)


def _logged(*results: StepResult) -> list[dict[str, Any]]:
    with capture_logs() as lines:
        log_outcome(Outcome(namespace="payments", results=results, kept=()), seconds=0.01234)
    return [dict(line) for line in lines]


def _result(step: Step, result: Result = Result.DONE, **more: Any) -> StepResult:  # noqa: ANN401 - fields of StepResult
    return StepResult(step=step, result=result, **more)


def test_nothing_done_is_nothing_said() -> None:
    """A quiet cluster has a quiet log."""
    assert _logged() == []


def test_routine_work_is_one_line_a_namespace() -> None:
    """However many policies, with the isolations and what was done to how many."""
    old = Delete(live=live_from(OTHER), isolation="other", why=Why.UNWANTED)
    (line,) = _logged(_result(_create()), _result(_create()), _result(old))
    assert line == {
        "event": "policies written",
        "log_level": "info",
        "namespace": "payments",
        "milliseconds": 12.3,
        "isolations": ["other", "team"],
        "created": 2,
        "deleted": 1,
    }


def test_every_repair_is_a_line_with_its_evidence() -> None:
    """Which policy, why, which fields, and by whom."""
    step = Update(policy=WANTED, live=live_from(WANTED), why=Why.MODIFIED)
    (line,) = _logged(_result(step, drift=Drift(fields=("spec.egress",), manager="kubectl-edit")))
    assert line["event"] == "drift corrected"
    assert (line["isolation"], line["policy"], line["why"]) == ("team", "team.default-deny-all", "Modified")
    assert (line["fields"], line["manager"]) == (["spec.egress"], "kubectl-edit")


def test_every_failure_is_a_warning_with_its_reason() -> None:
    """Also what waits for it; what became moot is not worth a line."""
    failure = Failure(reason="Forbidden", message="no")
    lines = _logged(
        _result(_create(Why.DELETED), Result.FAILED, failure=failure),
        _result(_create(), Result.HELD),
        _result(_create(), Result.MOOT),
    )
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "policy not created"),
        ("warning", "policy kept until what failed before it succeeds"),
    ]
    assert (lines[0]["reason"], lines[0]["message"]) == ("Forbidden", "no")

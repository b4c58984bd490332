"""What drifted in an isolation and what was done about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import Create, Drift, Update, Why
from namespace_isolation.model.resource_status import DriftRecord
from namespace_isolation.report.clock import timestamp
from namespace_isolation.report.drift_log import DriftLog
from tests.support.objects import live_from, policy

WANTED = policy("team.default-deny-all")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def _done(why: Why = Why.MODIFIED, result: Result = Result.DONE, drift: Drift | None = None) -> StepResult:
    return StepResult(step=Update(policy=WANTED, live=live_from(WANTED), why=why), result=result, drift=drift)


def test_a_repair_is_noted_with_who_and_what() -> None:
    """The newest stands first, and what is written fits the schema."""
    log = DriftLog({})
    log.add("payments", _done(drift=Drift(fields=("spec.egress",), manager="kubectl-edit")), NOW)
    log.add("other", StepResult(step=Create(policy=WANTED, why=Why.DELETED), result=Result.DONE, drift=Drift()), NOW)
    assert log.corrected == 2
    assert list(log.recent) == [
        {
            "namespace": "other",
            "policy": "team.default-deny-all",
            "kind": "Deleted",
            "action": "Corrected",
            "time": "2026-01-02T03:04:05Z",
        },
        {
            "namespace": "payments",
            "policy": "team.default-deny-all",
            "kind": "Modified",
            "action": "Corrected",
            "time": "2026-01-02T03:04:05Z",
            "fields": ["spec.egress"],
            "manager": "kubectl-edit",
        },
    ]
    for entry in log.recent:
        DriftRecord.model_validate(entry)


@pytest.mark.parametrize(
    "done",
    [_done(result=result) for result in (Result.FAILED, Result.HELD, Result.MOOT)]
    + [_done(why=why) for why in Why if not why.is_drift],
    ids=lambda done: f"{done.step.why} {done.result.value}",
)
def test_what_is_no_drift_or_was_not_repaired_is_not_counted(done: StepResult) -> None:
    """Our own work and what failed leave the count as it is."""
    log = DriftLog({})
    log.add("payments", done, NOW)
    assert (log.corrected, list(log.recent)) == (0, [])


def test_the_log_goes_on_from_the_status_and_keeps_the_last_twenty() -> None:
    """The count is for ever, the details are bounded, also those of one entry."""
    log = DriftLog({"drift": {"corrected": 5, "recent": [{"policy": "old"}]}})
    for index in range(25):
        fields = tuple(f"spec.{number}" for number in range(30))
        log.add(f"n{index}", _done(drift=Drift(fields=fields)), NOW)
    assert log.corrected == 30
    assert [entry["namespace"] for entry in log.recent] == [f"n{index}" for index in range(24, 4, -1)]
    assert all(len(entry["fields"]) == 20 for entry in log.recent)


@pytest.mark.parametrize("status", [{}, {"drift": None}, {"drift": {}}, {"drift": {"recent": None}}], ids=str)
def test_a_status_without_a_log_starts_at_zero(status: dict[str, object]) -> None:
    """Whatever an older version wrote."""
    log = DriftLog(status)
    assert (log.corrected, list(log.recent)) == (0, [])


def test_time_is_written_as_kubernetes_does() -> None:
    """In UTC, to the second, with a Z."""
    assert timestamp(NOW) == "2026-01-02T03:04:05Z"
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-01-02T03:04:05Z"

"""The conditions of an isolation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.conditions import accepted, ready, with_transition_times
from tests.support.objects import isolation

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAM = isolation(generation=4)
_INVALID = isolation(mode="Audit")


@pytest.mark.parametrize(
    ("found", "status", "reason", "says"),
    [
        (TEAM, "True", "Accepted", "The resource is valid."),
        (isolation(unmanagedPolicies="Remove"), "True", "AcceptedWithNotices", "spec.unmanagedPolicies: Remove is not"),
        (_INVALID, "False", "Invalid", "spec.mode: Audit is not acted on"),
        (isolation(allow="x", dns="y"), "False", "Invalid", "spec.dns: must be an object, not a string"),
    ],
    ids=["valid", "with a notice", "Audit", "several faults"],
)
def test_accepted_says_what_is_wrong_or_surprising(found: Isolation, status: str, reason: str, says: str) -> None:
    """With the path and the words of each fault."""
    condition = accepted(found)
    assert (condition["type"], condition["status"], condition["reason"]) == ("Accepted", status, reason)
    assert says in condition["message"]
    assert condition["observedGeneration"] == found.generation


def test_a_long_message_is_cut_to_what_the_schema_takes() -> None:
    """Two hundred faults do not make the status unwritable."""
    bad = isolation(allow=[{"name": f"e{index}"} for index in range(200)])
    assert len(accepted(bad)["message"]) == 1024


@pytest.mark.parametrize(
    ("found", "matched", "in_sync", "failing", "status", "reason"),
    [
        (TEAM, 3, 3, 0, "True", "InSync"),
        (TEAM, 0, 0, 0, "True", "NoNamespaces"),
        (TEAM, 3, 2, 0, "False", "Progressing"),
        (TEAM, 3, 3, 1, "False", "Failed"),
        (TEAM, 0, 0, 1, "False", "Failed"),
        (_INVALID, 0, 0, 0, "False", "NotAccepted"),
        (_INVALID, 0, 0, 1, "False", "NotAccepted"),
        (isolation(deleting=True), 3, 3, 0, "False", "Deleting"),
        (isolation(deleting=True, mode="Audit"), 0, 0, 0, "False", "Deleting"),
    ],
)
def test_ready_is_true_only_where_everything_is_in_place(
    found: Isolation, matched: int, in_sync: int, failing: int, status: str, reason: str
) -> None:
    """A namespace that is no longer selected and still fails counts, too."""
    condition = ready(found, matched=matched, in_sync=in_sync, failing=failing)
    assert (condition["type"], condition["status"], condition["reason"]) == ("Ready", status, reason)


def _timed(status: str, time: str, **more: str) -> Json:
    return {"type": "Ready", "status": status, "lastTransitionTime": time, **more}


@pytest.mark.parametrize(
    ("previous", "time"),
    [
        ([], "2026-01-01T00:00:00Z"),
        ([_timed("True", "2025-01-01T00:00:00Z", reason="Other")], "2025-01-01T00:00:00Z"),
        ([_timed("False", "2025-01-01T00:00:00Z")], "2026-01-01T00:00:00Z"),
        ([_timed("True", "")], "2026-01-01T00:00:00Z"),
        ([{"type": "Ready", "status": "True"}], "2026-01-01T00:00:00Z"),
        (
            [{}, {"type": "Accepted", "status": "True", "lastTransitionTime": "2025-01-01T00:00:00Z"}],
            "2026-01-01T00:00:00Z",
        ),
    ],
    ids=["new", "the same status", "another status", "an empty time", "no time", "another condition"],
)
def test_a_condition_keeps_the_time_when_its_status_changed(previous: list[Json], time: str) -> None:
    """A new reason or message is no transition."""
    (condition,) = with_transition_times([{"type": "Ready", "status": "True"}], previous, NOW)
    assert condition["lastTransitionTime"] == time

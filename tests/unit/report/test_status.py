"""The status of an isolation: what it counts, what it names, and that its size is bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from namespace_isolation.model.outcome import Failure
from namespace_isolation.model.resource_status import IsolationStatus
from namespace_isolation.report.board import Standing
from namespace_isolation.report.drift_log import DriftLog
from namespace_isolation.report.status import is_complete, status_of
from tests.support.objects import isolation

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEAM = isolation(generation=3)
GOOD = Standing(generation=3, desired=4, in_place=4, undone=0, outstanding=0, failures=())
BAD = replace(GOOD, in_place=3, undone=1, outstanding=1, failures=(Failure(reason="Forbidden", message="no " * 500),))


def _status(standings: Mapping[str, Standing], *members: str, previous: Json | None = None) -> Json:
    return status_of(
        TEAM,
        members=frozenset(members),
        standings=standings,
        drift=DriftLog(previous or {}),
        previous=previous or {},
        now=NOW,
    )


def test_a_status_counts_namespaces_and_policies() -> None:
    """In sync, drifted and failed; desired and in place; with summaries for people."""
    status = _status({"a": GOOD, "b": BAD}, "a", "b", "c")
    assert status["observedGeneration"] == 3
    assert status["namespaces"] == {"matched": 3, "inSync": 1, "drifted": 1, "failed": 1, "summary": "1/3"}
    assert status["policies"] == {"desired": 8, "inPlace": 7, "summary": "7/8"}
    assert status["drift"] == {"corrected": 0, "outstanding": 1, "recent": []}
    assert [condition["type"] for condition in status["conditions"]] == ["Accepted", "Ready"]


def test_a_standing_of_an_older_generation_is_not_in_sync() -> None:
    """The new spec is not in place before it was looked at."""
    status = _status({"a": replace(GOOD, generation=2)}, "a")
    assert status["namespaces"]["summary"] == "0/1"
    assert status["policies"]["summary"] == "0/0"
    assert status["conditions"][1]["reason"] == "Progressing"


def test_a_namespace_that_is_no_longer_selected_counts_only_while_it_fails() -> None:
    """What cannot be taken away is a problem of this isolation."""
    status = _status({"a": GOOD, "left": GOOD, "stuck": BAD}, "a")
    assert status["namespaces"] == {"matched": 1, "inSync": 1, "drifted": 0, "failed": 1, "summary": "1/1"}
    assert [problem["namespace"] for problem in status["problems"]] == ["stuck"]
    assert status["conditions"][1]["reason"] == "Failed"


def test_a_status_is_bounded_whatever_the_number_of_namespaces() -> None:
    """Twenty problems with short messages, in order; and it is what the schema takes."""
    names = [f"n{index:04}" for index in range(2000)]
    status = _status(dict.fromkeys(names, BAD), *names)
    assert [problem["namespace"] for problem in status["problems"]] == names[:20]
    assert all(len(problem["message"]) == 300 for problem in status["problems"])
    assert status["namespaces"]["failed"] == 2000
    IsolationStatus.model_validate(status)


@pytest.mark.parametrize("reason", ["Forbidden", "A proxy's page: " + "x" * 200])
def test_whatever_the_api_server_says_is_a_status_that_can_be_written(reason: str) -> None:
    """A reason is a word to the schema, and may be a page to a proxy."""
    failing = replace(BAD, failures=(Failure(reason=reason, message=""),))
    IsolationStatus.model_validate(_status({"a": failing}, "a"))


def test_a_status_without_news_is_the_same_status() -> None:
    """Nothing is written without a difference: only a transition takes a new time."""
    first = _status({"a": GOOD}, "a")
    later = datetime(2027, 1, 1, tzinfo=UTC)
    again = status_of(
        TEAM, members=frozenset("a"), standings={"a": GOOD}, drift=DriftLog(first), previous=first, now=later
    )
    assert again == first


@pytest.mark.parametrize(
    ("standings", "complete"),
    [
        ({"a": GOOD, "b": GOOD}, True),
        ({"a": GOOD, "b": BAD}, True),
        ({"a": GOOD}, False),
        ({"a": GOOD, "b": replace(GOOD, generation=2)}, False),
        ({}, False),
    ],
    ids=["all", "one fails", "one is missing", "one is older", "none"],
)
def test_an_isolation_is_complete_once_every_namespace_was_looked_at(
    standings: Mapping[str, Standing],
    complete: bool,  # noqa: FBT001
) -> None:
    """In its present generation; one without namespaces is complete at once."""
    assert is_complete(TEAM, ["a", "b"], standings) is complete
    assert is_complete(TEAM, [], standings)

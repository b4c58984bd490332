"""What reconciles write into the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Drift, Step, Update, Wait, Why
from namespace_isolation.report.log import OutcomeLog
from tests.support.objects import live_from, policy

Line = dict[str, Any]

WANTED = policy("team.default-deny-all")
LIVE = live_from(WANTED)
OTHER = policy("other.default-deny-all")
FAILURE = Failure(reason="Forbidden", message="no")
FIGHT = Fight(
    namespace="payments", policy=WANTED.name, isolation="team", rounds=5, pause=1.0, manager="field manager meddler"
)


def _create(why: Why = Why.WANTED) -> Create:
    return Create(policy=WANTED, why=why)


def _update(why: Why = Why.MODIFIED) -> Update:
    return Update(policy=WANTED, live=LIVE, why=why)


def _delete(why: Why = Why.UNWANTED) -> Delete:
    return Delete(live=LIVE, isolation="team", why=why)


def _result(step: Step, result: Result = Result.DONE, **more: Any) -> StepResult:  # noqa: ANN401 - fields of StepResult
    return StepResult(step=step, result=result, **more)


def _told(
    log: OutcomeLog,
    *results: StepResult,
    findings: Sequence[StepResult] = (),
    news: Sequence[StepResult] = (),
    fights: Sequence[Fight] = (),
) -> list[Line]:
    """Reconcile the namespace payments in 12.34 ms, and give the lines without what all of them have."""
    outcome = Outcome(namespace="payments", results=results, kept=())
    with capture_logs() as lines:
        log.tell(outcome, findings=findings, news=news, fights=fights, seconds=0.01234)
    told = [dict(line) for line in lines]
    assert all((line.pop("namespace"), line.pop("milliseconds")) == ("payments", 12.3) for line in told)
    return told


def _logged(*results: StepResult, **more: Sequence[Any]) -> list[Line]:
    return _told(OutcomeLog(), *results, **more)


def test_nothing_done_is_nothing_said() -> None:
    """A quiet cluster has a quiet log."""
    assert _logged() == []
    assert _logged(_result(_create(), Result.MOOT)) == []


def test_routine_work_is_one_line_a_namespace() -> None:
    """However many policies, with the isolations and what was done to how many."""
    old = Delete(live=live_from(OTHER), isolation="other", why=Why.UNWANTED)
    (line,) = _logged(_result(_create()), _result(_create()), _result(old))
    assert line == {
        "event": "policies written",
        "log_level": "info",
        "isolations": ["other", "team"],
        "created": 2,
        "deleted": 1,
    }


_SPEC = Drift(fields=("spec.egress",), manager="kubectl-edit")


@pytest.mark.parametrize(
    ("done", "event", "fields"),
    [
        pytest.param(
            _result(_update(), drift=_SPEC),
            "drift corrected",
            {"action": "Update", "why": "Modified", "fields": ["spec.egress"], "manager": "kubectl-edit"},
            id="changed",
        ),
        pytest.param(
            _result(_create(Why.DELETED), drift=Drift()),
            "drift corrected",
            {"action": "Create", "why": "Deleted", "fields": [], "manager": "unknown"},
            id="deleted",
        ),
        pytest.param(
            _result(_delete(Why.EXTRA)), "drift corrected", {"action": "Delete", "why": "Extra"}, id="made by others"
        ),
        pytest.param(
            _result(_update(Why.TAKEN_OVER)),
            "policy taken over",
            {"action": "Update", "why": "TakenOver"},
            id="of a reserved name",
        ),
        pytest.param(
            _result(_delete(Why.UNMANAGED)),
            "unmanaged policy removed",
            {"action": "Delete", "why": "Unmanaged"},
            id="not ours",
        ),
    ],
)
def test_what_concerns_others_is_a_line_of_its_own(done: StepResult, event: str, fields: Line) -> None:
    """Which policy, what was done and why, which fields, and by whom; it is no routine."""
    (line,) = _logged(done, news=(done,))
    assert line == {"event": event, "log_level": "info", "isolation": "team", "policy": WANTED.name, **fields}


def test_what_audit_leaves_is_told_when_it_is_news() -> None:
    """It is found again by every reconcile, and told once."""
    found = _result(_update(), Result.REPORTED, drift=_SPEC)
    (line,) = _logged(findings=(found,), news=(found,))
    assert line == {
        "event": "drift reported, not corrected: the isolation is in Audit",
        "log_level": "info",
        "isolation": "team",
        "policy": WANTED.name,
        "action": "Update",
        "why": "Modified",
        "fields": ["spec.egress"],
        "manager": "kubectl-edit",
    }
    assert _logged(findings=(found,)) == []


@pytest.mark.parametrize(
    ("step", "event"),
    [
        (_create(), "policy not created"),
        (_update(), "policy not updated"),
        (_delete(), "policy not deleted"),
        (Wait(live=LIVE, isolation="team", why=Why.WANTED, wanted=True), "policy held by a finalizer"),
    ],
)
def test_a_failure_is_a_warning_with_its_reason(step: Step, event: str) -> None:
    """In the API server's words."""
    (line,) = _logged(_result(step, Result.FAILED, failure=FAILURE))
    assert (line["log_level"], line["event"], line["action"]) == ("warning", event, type(step).__name__)
    assert (line["isolation"], line["policy"]) == ("team", WANTED.name)
    assert (line["reason"], line["message"]) == ("Forbidden", "no")


def test_what_waits_for_a_failure_is_told_as_well() -> None:
    """A finding of Audit that could not be read is a failure, too."""
    lines = _logged(_result(_delete(), Result.HELD), findings=(_result(_update(), Result.FAILED, failure=FAILURE),))
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "policy kept until what failed before it succeeds"),
        ("warning", "policy not updated"),
    ]


def test_a_failure_that_stays_is_told_once() -> None:
    """It is tried again for hours; another one, or the same after a success, is news."""
    log, failed = OutcomeLog(), _result(_create(), Result.FAILED, failure=FAILURE)
    other = _result(_create(), Result.FAILED, failure=Failure(reason="Forbidden", message="still no"))
    assert len(_told(log, failed)) == 1
    assert _told(log, failed) == []
    assert len(_told(log, other)) == 1
    assert [line["event"] for line in _told(log, _result(_create()))] == ["policies written"]
    assert len(_told(log, failed)) == 1
    assert _told(log) == []
    assert log._failing == {}


def test_a_fight_is_told_when_it_begins_and_when_it_ends() -> None:
    """What waits because of it is no failure; other fights of the namespace are told apart."""
    log = OutcomeLog()
    held = _result(_update(), Result.HELD, failure=FAILURE, fight=FIGHT)
    (line,) = _told(log, held, fights=(FIGHT,))
    assert line == {
        "event": "fight: a policy is changed back as often as it is repaired; repairs of it back off",
        "log_level": "warning",
        "isolation": "team",
        "policy": WANTED.name,
        "rounds": 5,
        "next_try_after_seconds": 1.0,
        "manager": "field manager meddler",
    }
    assert _told(log, held, fights=(FIGHT,)) == []
    (line,) = _told(log)
    assert line == {"event": "fight ended", "log_level": "info", "isolation": "team", "policy": WANTED.name}
    assert _told(log) == []
    assert log._fighting == {}


_HOSTILE = 'x\x1b[2J\n{"level": "info"}\u202e' + "y" * 10_000


def test_words_of_others_are_one_line_of_bounded_length_and_no_commands_to_a_terminal() -> None:
    """A field manager's name, a webhook's message and a path in a spec are made up by tenants."""
    drift = Drift(fields=(f"spec.{_HOSTILE}",), manager=_HOSTILE)
    failure = Failure(reason=_HOSTILE, message=_HOSTILE)
    lines = _logged(
        _result(_update(), drift=drift),
        _result(_create(), Result.FAILED, failure=failure),
        fights=(Fight(namespace="payments", policy="p", isolation="team", rounds=5, pause=1, manager=_HOSTILE),),
    )
    texts = [
        each
        for line in lines
        for value in line.values()
        for each in (value if isinstance(value, list) else [str(value)])
    ]
    assert len(lines) == 3
    assert all(text.isprintable() and len(text) <= 1024 for text in texts)
    assert any(r"\x1b[2J" in text for text in texts)

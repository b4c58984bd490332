"""What is counted and timed from the start of the process on."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client import CollectorRegistry

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Delete, Update, Why
from namespace_isolation.report.metrics.history import History
from tests.support.objects import live_from, policy

WANTED = policy("team.default-deny-all")
KEPT = (("team", WANTED.name),)


def _made(why: Why = Why.WANTED, result: Result = Result.DONE) -> StepResult:
    return StepResult(step=Create(policy=WANTED, why=why), result=result)


def _bent(result: Result) -> StepResult:
    return StepResult(step=Update(policy=WANTED, live=live_from(WANTED), why=Why.MODIFIED), result=result)


def _taken(why: Why) -> StepResult:
    return StepResult(step=Delete(live=live_from(WANTED), isolation="team", why=why), result=Result.DONE)


class Counted:
    """A history with a clock, and what it says."""

    def __init__(self) -> None:
        """Begin."""
        self.now = 100.0
        self.history = History(lambda: self.now)
        self._registry = CollectorRegistry()
        self._registry.register(self.history)

    def reconciled(
        self, *results: StepResult, news: Iterable[StepResult] = (), kept: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Reconcile the namespace payments in 0.02 s."""
        self.history.reconciled(Outcome(namespace="payments", results=results, kept=kept), news=news, seconds=0.02)

    def value(self, name: str, **labels: str) -> float:
        """Give a sample, which must be there."""
        value = self._registry.get_sample_value(name, labels)
        assert value is not None, (name, labels)
        return value

    def times(self) -> tuple[float, float]:
        """Give how many namespaces were isolated, and the sum of the seconds."""
        name = "nsiso_time_to_isolation_seconds"
        return self.value(f"{name}_count"), round(self.value(f"{name}_sum"), 3)


def test_all_series_are_there_from_the_start() -> None:
    """The first drift of a kind is an increase that a rate can see."""
    counted = Counted()
    for kind in ("Modified", "Deleted", "Extra"):
        for action in ("Corrected", "Reported", "Failed"):
            assert counted.value("nsiso_drift_total", kind=kind, action=action) == 0
    for result in ("unchanged", "changed", "failed"):
        assert counted.value("nsiso_reconcile_duration_seconds_count", result=result) == 0
    assert counted.value("nsiso_status_writes_total") == 0
    assert counted.times() == (0, 0)


def test_no_time_of_creation_is_served() -> None:
    """The library would add a series to each of ours."""
    names = {sample.name for family in Counted().history.collect() for sample in family.samples}
    assert not any(name.endswith("_created") for name in names)


def test_drift_counts_by_kind_and_by_what_was_done() -> None:
    """Only what is news counts, whatever else the reconcile did."""
    counted = Counted()
    news = (_made(Why.DELETED), _bent(Result.DONE), _bent(Result.REPORTED), _bent(Result.FAILED), _taken(Why.EXTRA))
    counted.reconciled(_made(Why.DELETED), _made(Why.DELETED), news=news)
    found = {
        (kind, action): counted.value("nsiso_drift_total", kind=kind, action=action)
        for kind in ("Modified", "Deleted", "Extra")
        for action in ("Corrected", "Reported", "Failed")
    }
    assert {key: value for key, value in found.items() if value} == {
        ("Deleted", "Corrected"): 1,
        ("Modified", "Corrected"): 1,
        ("Modified", "Reported"): 1,
        ("Modified", "Failed"): 1,
        ("Extra", "Corrected"): 1,
    }


@pytest.mark.parametrize("why", [Why.TAKEN_OVER, Why.UNMANAGED, Why.WANTED])
def test_news_that_are_no_drift_are_not_counted_as_such(why: Why) -> None:
    """Nor a round of a fight in which nothing could be tried."""
    counted = Counted()
    fight = Fight(namespace="payments", policy=WANTED.name, isolation="team", rounds=5, pause=1, manager="x")
    held = StepResult(step=Create(policy=WANTED, why=Why.DELETED), result=Result.HELD, fight=fight)
    counted.reconciled(news=(_taken(why), held))
    assert counted.value("nsiso_drift_total", kind="Deleted", action="Failed") == 0


@pytest.mark.parametrize(
    ("results", "result"),
    [
        ((), "unchanged"),
        ((_made(result=Result.MOOT),), "unchanged"),
        ((_made(),), "changed"),
        ((_made(), _bent(Result.FAILED)), "failed"),
        ((_bent(Result.HELD),), "failed"),
    ],
)
def test_a_reconcile_is_timed_by_its_result(results: tuple[StepResult, ...], result: str) -> None:
    """In seconds."""
    counted = Counted()
    counted.reconciled(*results)
    name = "nsiso_reconcile_duration_seconds"
    assert counted.value(f"{name}_count", result=result) == 1
    assert counted.value(f"{name}_sum", result=result) == pytest.approx(0.02)
    assert counted.value(f"{name}_bucket", result=result, le="0.01") == 0
    assert counted.value(f"{name}_bucket", result=result, le="0.025") == 1


def test_a_reconcile_that_broke_is_timed_as_failed() -> None:
    """Whatever it was."""
    counted = Counted()
    counted.history.broke(3.0)
    assert counted.value("nsiso_reconcile_duration_seconds_sum", result="failed") == 3.0


def test_the_time_to_isolation_is_that_from_the_watch_event_to_the_last_policy() -> None:
    """Once for each namespace that came."""
    counted = Counted()
    counted.history.namespace_came("payments")
    counted.now += 0.25
    counted.reconciled(_made())
    counted.now += 5
    counted.reconciled(_made())
    assert counted.times() == (1, 0.25)


def test_a_try_that_fails_adds_to_the_time() -> None:
    """The namespace was open all the while."""
    counted = Counted()
    counted.history.namespace_came("payments")
    counted.reconciled(_made(), _bent(Result.FAILED))
    counted.now += 10
    counted.reconciled(kept=KEPT)
    assert counted.times() == (1, 10)


def test_a_namespace_that_nobody_isolates_when_it_comes_is_not_timed() -> None:
    """One that gets its label days later was not open for want of us."""
    counted = Counted()
    counted.history.namespace_came("payments")
    counted.reconciled()
    counted.now += 86400
    counted.reconciled(_made())
    assert counted.times() == (0, 0)
    assert counted.history._came == {}


def test_a_namespace_that_was_there_before_is_not_timed() -> None:
    """Nobody knows when it came."""
    counted = Counted()
    counted.reconciled(_made())
    assert counted.times() == (0, 0)


def test_a_namespace_that_was_made_anew_is_timed_from_its_own_beginning() -> None:
    """The old one of its name is forgotten."""
    counted = Counted()
    counted.history.namespace_came("payments")
    counted.now += 100
    counted.history.namespace_came("payments")
    counted.now += 1
    counted.reconciled(_made())
    assert counted.times() == (1, 1)


def test_status_writes_count() -> None:
    """One each."""
    counted = Counted()
    counted.history.status_written()
    counted.history.status_written()
    assert counted.value("nsiso_status_writes_total") == 2

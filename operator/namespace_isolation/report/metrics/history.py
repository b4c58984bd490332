"""What happened since this process started, counted and timed for /metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric

from namespace_isolation.model.outcome import Outcome, Result, StepResult
from namespace_isolation.model.plan import Create, Update, Why
from namespace_isolation.report.drift_log import ACTIONS, action_on

__all__ = ["History"]

_RECONCILE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ISOLATION_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class History:
    """Counters and histograms of one engine, in no registry of the process; all start at zero with every label."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start at zero; `clock` is monotonic, in seconds."""
        self._clock = clock
        self._came: dict[str, float] = {}
        self._drift = Counter(
            "nsiso_drift",
            "Drifts of managed policies that were noticed, by kind (Modified, Deleted, Extra) and by what was done: "
            "Corrected, Reported (the isolation is in Audit) or Failed. One that stays counts once, in a fight once a "
            "round.",
            ("kind", "action"),
            registry=None,
        )
        self._reconciles = Histogram(
            "nsiso_reconcile_duration_seconds",
            "Time that one look at one namespace took, writes included, by result: unchanged (nothing was to do), "
            "changed (something was written) or failed (something is left to do and will be tried again).",
            ("result",),
            buckets=_RECONCILE_SECONDS,
            registry=None,
        )
        self._isolated = Histogram(
            "nsiso_time_to_isolation_seconds",
            "Time from the arrival of the watch event of a namespace that came while the operator ran to its last "
            "policy. Not from its creationTimestamp, which has whole seconds only; what the event itself took is not "
            "in it. Only namespaces that an isolation enforces as soon as they come; tries that fail add to the time.",
            buckets=_ISOLATION_SECONDS,
            registry=None,
        )
        self._status_writes = Counter("nsiso_status_writes", "Writes of the status of an isolation.", registry=None)
        for why in (each for each in Why if each.is_drift):
            for action in ACTIONS:
                self._drift.labels(str(why), action)
        for result in ("unchanged", "changed", "failed"):
            self._reconciles.labels(result)

    def namespace_came(self, name: str) -> None:
        """Take the time at which a namespace was first seen by a watch."""
        self._came[name] = self._clock()

    def reconciled(self, outcome: Outcome, *, news: Iterable[StepResult], seconds: float) -> None:
        """Count one reconcile, what of it was drift, and whether it isolated a namespace that came."""
        changed = any(each.result is Result.DONE for each in outcome.results)
        result = "failed" if outcome.failed else "changed" if changed else "unchanged"
        self._reconciles.labels(result).observe(seconds)
        for each in news:
            action = action_on(each)
            if action is not None:
                self._drift.labels(str(each.step.why), action).inc()
        if outcome.failed:
            return
        came = self._came.pop(outcome.namespace, None)
        written = any(each.result is Result.DONE and isinstance(each.step, Create | Update) for each in outcome.results)
        if came is not None and (written or outcome.kept):
            self._isolated.observe(self._clock() - came)

    def broke(self, seconds: float) -> None:
        """Count a reconcile that ended in an error."""
        self._reconciles.labels("failed").observe(seconds)

    def status_written(self) -> None:
        """Count a status."""
        self._status_writes.inc()

    def collect(self) -> Iterator[Metric]:
        """Give the families, without the times of creation that the library adds: process_start_time_seconds tells."""
        for each in (self._drift, self._reconciles, self._isolated, self._status_writes):
            for family in each.collect():
                family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
                yield family

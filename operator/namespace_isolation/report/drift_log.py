"""What drifted in an isolation and what was done about it: a counter for ever, the last twenty in detail."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from namespace_isolation.model import limits
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.report.clock import timestamp

__all__ = ["DriftLog"]

Json = dict[str, Any]


class DriftLog:
    """The drift of one isolation; it goes on from the status of its resource, so a restart loses nothing."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        """Continue from the `drift` of a status; an empty one starts at zero."""
        drift = status.get("drift") or {}
        self.corrected: int = drift.get("corrected", 0)
        self.recent: deque[Json] = deque(drift.get("recent") or (), maxlen=limits.RECENT)

    def add(self, namespace: str, done: StepResult, now: datetime) -> None:
        """Note a drift that was repaired."""
        if done.result is not Result.DONE or not done.step.why.is_drift:
            return
        self.corrected += 1
        entry: Json = {
            "namespace": namespace,
            "policy": done.step.name,
            "kind": str(done.step.why),
            "action": "Corrected",
            "time": timestamp(now),
        }
        if done.drift is not None and done.drift.fields:
            entry["fields"] = list(done.drift.fields[: limits.RECENT])
        if done.drift is not None and done.drift.manager:
            entry["manager"] = done.drift.manager
        self.recent.appendleft(entry)

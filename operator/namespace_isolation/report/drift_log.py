"""What drifted in an isolation and what was done about it: a counter for ever, the last twenty in detail."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from namespace_isolation.model import limits
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import UNKNOWN, Why
from namespace_isolation.report.clock import timestamp

__all__ = ["ACTIONS", "DriftLog", "action_on"]

Json = dict[str, Any]

_CORRECTED: Final = "Corrected"
ACTIONS: Final = (_CORRECTED, "Reported", "Failed")
_ACTIONS: Final = {
    Result.DONE: _CORRECTED,
    Result.REPORTED: "Reported",
    Result.FAILED: "Failed",
    Result.HELD: "Failed",
}


class DriftLog:
    """The drift of one isolation; it goes on from the status of its resource, so a restart loses nothing."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        """Continue from the `drift` of a status; an empty one starts at zero."""
        drift = status.get("drift") or {}
        self.corrected: int = drift.get("corrected", 0)
        self.recent: list[Json] = list(drift.get("recent") or ())[: limits.RECENT]
        # What was told and is not mended, without its times: it is told again only when it is another drift.
        self._told: dict[str, dict[str, Json]] = {}
        for entry in reversed(self.recent):
            self._remember(entry)
        # There may be more of them than a status names: these were told as well, before a restart.
        self._unnamed = max(0, drift.get("outstanding", 0) - sum(len(told) for told in self._told.values()))

    @property
    def deleted(self) -> Iterator[tuple[str, str]]:
        """Name the policies, with their namespaces, that were told as deleted and not put back."""
        for namespace, told in self._told.items():
            for policy, entry in told.items():
                if entry["kind"] == Why.DELETED:
                    yield namespace, policy

    def add(self, namespace: str, done: StepResult, now: datetime, *, first_look: bool = False) -> bool:
        """Note a drift that was repaired, or one that was not and is news; tell whether it was noted.

        `first_look`: nobody has looked at the namespace since the start, so that it may have been told before.
        """
        action = action_on(done)
        if action is None:
            return False
        entry = _entry(namespace, done, action, now)
        known = self._told.get(namespace, {}).get(done.step.name)
        if known == _timeless(entry):
            return False
        if known is None and first_look and self._unnamed and entry["action"] != _CORRECTED:
            self._unnamed -= 1
            self._remember(entry)
            return False
        self.corrected += entry["action"] == _CORRECTED
        self._remember(entry)
        self.recent = [entry, *self.recent[: limits.RECENT - 1]]
        return True

    def forget(self, namespace: str, outstanding: Container[str] = ()) -> None:
        """Hear which drifts of a namespace are still there; the others would be news again."""
        told = self._told.get(namespace)
        if told is None:
            return
        left = {policy: entry for policy, entry in told.items() if policy in outstanding}
        if left:
            self._told[namespace] = left
        else:
            del self._told[namespace]

    def _remember(self, entry: Json) -> None:
        told = self._told.setdefault(entry["namespace"], {})
        if entry["action"] == _CORRECTED:
            told.pop(entry["policy"], None)
        else:
            told[entry["policy"]] = _timeless(entry)
        if not told:
            del self._told[entry["namespace"]]


def action_on(done: StepResult) -> str | None:
    """Tell what was done about a drift; None where it was none, or went away, or waits for the end of a fight."""
    if not done.step.why.is_drift or (done.result is Result.HELD and done.fight is not None):
        return None
    return _ACTIONS.get(done.result)


def _entry(namespace: str, done: StepResult, action: str, now: datetime) -> Json:
    entry: Json = {
        "namespace": namespace,
        "policy": done.step.name,
        "kind": str(done.step.why),
        "manager": UNKNOWN if done.drift is None else done.drift.manager,
        "action": action,
        "time": timestamp(now),
    }
    if done.drift is not None and done.drift.fields:
        entry["fields"] = list(done.drift.fields[: limits.RECENT])
    if done.drift is not None and done.drift.changed:
        entry["changed"] = done.drift.changed
    return entry


def _timeless(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in {"time", "changed"}}

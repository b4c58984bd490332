"""The log lines of an isolation's life: it came, was edited, is not accepted, became ready, fails, goes, is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog

from namespace_isolation.model.event import plain
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.conditions import FAILING, condition_of
from namespace_isolation.report.log import MESSAGE_BYTES

__all__ = ["IsolationLog"]

Json = Mapping[str, Any]

_FIRST: Final = 5
"""How many faults or notices a line names; the status has all."""


class IsolationLog:
    """Tells of isolations; `seconds` in a line count from their last change, or failure, until then."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with none; `clock` is monotonic, in seconds."""
        self._clock = clock
        self._since: dict[str, float] = {}
        self._log = structlog.get_logger()

    def came(self, isolation: Isolation, status: Json, *, at_start: bool) -> None:
        """Tell of one that was not known; those that are there at the start, and well, are only counted elsewhere."""
        if not at_start or condition_of(status, "Ready").get("status") != "True":
            self._since[isolation.name] = self._clock()
        if not at_start and not isolation.faults:
            self._log.info("isolation came", **_facts(isolation))
        self._tell_faults(isolation)

    def edited(self, old: Isolation, new: Isolation) -> None:
        """Tell of another spec, or of the beginning of the end."""
        self._since[new.name] = self._clock()
        if new.deleting and not old.deleting:
            policies = "stay, without owner" if new.retain else "go"
            self._log.info("isolation is being deleted", isolation=new.name, policies=policies)
        elif new.faults:
            self._tell_faults(new)
        elif new.generation != old.generation:
            self._log.info("isolation edited", **_facts(new))

    def turned(self, isolation: Isolation, before: Json, after: Json) -> None:
        """Tell what turned from one status to the next."""
        was, now = condition_of(before, "Ready"), condition_of(after, "Ready")
        if now.get("status") == "True":
            since = self._since.pop(isolation.name, None)
            if since is not None:  # else only a namespace came or went
                self._log.info(
                    "isolation ready",
                    isolation=isolation.name,
                    reason=now.get("reason"),
                    namespaces=after["namespaces"]["matched"],
                    policies=after["policies"]["inPlace"],
                    seconds=self._after(since),
                )
        elif now.get("reason") in FAILING and was.get("reason") != now["reason"]:
            self._since.setdefault(isolation.name, self._clock())
            message = plain(str(now.get("message")), MESSAGE_BYTES)
            self._log.warning("isolation not ready", isolation=isolation.name, reason=now["reason"], message=message)

    def gone(self, isolation: Isolation) -> None:
        """Tell of the end."""
        since = self._since.pop(isolation.name, None)
        took = {} if since is None or not isolation.deleting else {"seconds": self._after(since)}
        self._log.info("isolation gone", isolation=isolation.name, **took)

    def _tell_faults(self, isolation: Isolation) -> None:
        if isolation.faults:
            self._log.warning(
                "isolation not accepted: nothing is changed until it is mended",
                isolation=isolation.name,
                generation=isolation.generation,
                faults=_first(isolation.faults),
                more=max(0, len(isolation.faults) - _FIRST),
            )

    def _after(self, since: float) -> float:
        return round(self._clock() - since, 3)


def _facts(isolation: Isolation) -> dict[str, object]:
    facts: dict[str, object] = {"isolation": isolation.name, "generation": isolation.generation}
    if isolation.spec is not None:
        facts["mode"] = isolation.spec.mode
    if isolation.notices:
        facts["notices"] = _first(isolation.notices)
    return facts


def _first(faults: Iterable[Fault]) -> list[str]:
    return [plain(str(fault), MESSAGE_BYTES) for fault in faults][:_FIRST]

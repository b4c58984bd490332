"""The forms in which `nsiso diff` tells its changes: unified diff, names, JSON, or a table of counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from namespace_isolation.preview.change import Change
from namespace_isolation.preview.text import as_json, as_name
from namespace_isolation.preview.unified import Tally, unified

__all__ = ["OUTPUTS", "Report", "report_for"]

Json = dict[str, Any]
Write = Callable[[str], None]

OUTPUTS = ("diff", "json", "name", "summary")


class Report:
    """Takes changes one by one and counts them; a form of its own writes them as they come, or at the end."""

    def __init__(self, write: Write) -> None:
        """Write with `write`."""
        self.tally = Tally()
        self._write = write

    def take(self, change: Change) -> None:
        """Hear of a change."""
        self.tally.count(change)
        self._tell(change)

    def end(self) -> None:
        """Hear that there is no more."""

    def _tell(self, change: Change) -> None:
        pass


class _Unified(Report):
    def __init__(self, write: Write, *, colour: bool) -> None:
        super().__init__(write)
        self._colour = colour

    def _tell(self, change: Change) -> None:
        self._write(unified(change, colour=self._colour))


class _Names(Report):
    def _tell(self, change: Change) -> None:
        self._write(as_name(change.namespace, change.policy))


class _Records(Report):
    def __init__(self, write: Write) -> None:
        super().__init__(write)
        self._records: list[Json] = []

    def _tell(self, change: Change) -> None:
        self._records.append(
            {
                "namespace": change.namespace,
                "policy": change.policy,
                "isolation": change.isolation,
                "action": change.action,
                "why": change.why,
                "fields": list(change.fields),
            }
        )

    def end(self) -> None:
        self._write(as_json(self._records))


class _Summary(Report):
    def end(self) -> None:
        self._write(self.tally.table())


def report_for(output: str, write: Write, *, colour: bool) -> Report:
    """Choose the form for `-o`, one of OUTPUTS."""
    match output:
        case "json":
            return _Records(write)
        case "name":
            return _Names(write)
        case "summary":
            return _Summary(write)
        case _:
            return _Unified(write, colour=colour)

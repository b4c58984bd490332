"""Whether isolations have what follows behind the policies (their finalizer, a status that says Ready), or are gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from namespace_isolation.model.names import FINALIZER
from tests.bench.observer import Observer

__all__ = ["Follower", "Leaving", "Settling", "is_settled"]

Json = dict[str, Any]

_AT_ONCE: Final = 200
"""Events that are decoded in one go, in about 10 ms: the API server ends a watch that is not read for long."""


class Follower(Protocol):
    """What reads the events of isolations until it has seen enough."""

    def done(self) -> bool:
        """Read some of what came since the last call; whether that is all."""


class Settling:
    """Follows isolations until every one of them is settled; `at` is the moment of the last that was."""

    def __init__(self, observer: Observer, names: Iterable[str]) -> None:
        """Expect something of each of these."""
        self.at = 0.0
        self.statuses: list[float] = []
        """The moments at which a status of the present generation was seen, of whatever isolation."""
        self.pending = set(names)
        self._observer = observer

    def done(self) -> bool:
        """Read some of what came since the last call; whether all are settled."""
        for at, kind, document in self._observer.isolations(_AT_ONCE):
            name = document["metadata"]["name"]
            if kind == "MODIFIED" and is_current(document):
                self.statuses.append(at)
            if kind != "DELETED" and name in self.pending and is_settled(document):
                self.pending.discard(name)
                self.at = max(self.at, at)
        return not self.pending


class Leaving:
    """Follows isolations until every one of them is gone."""

    def __init__(self, observer: Observer, names: Iterable[str]) -> None:
        """Expect these to go."""
        self.pending = set(names)
        self._observer = observer

    def done(self) -> bool:
        """Read some of what came since the last call; whether all are gone."""
        events = self._observer.isolations(_AT_ONCE)
        self.pending -= {document["metadata"]["name"] for _, kind, document in events if kind == "DELETED"}
        return not self.pending


def is_settled(document: Json) -> bool:
    """Whether an isolation as served has our finalizer and a status of its generation that says Ready."""
    return (
        FINALIZER in (document["metadata"].get("finalizers") or ())
        and is_current(document)
        and any(each["type"] == "Ready" and each["status"] == "True" for each in document["status"]["conditions"])
    )


def is_current(document: Json) -> bool:
    """Whether the status of an isolation as served is of its present generation."""
    status = document.get("status") or {}
    return bool(status.get("observedGeneration") == document["metadata"]["generation"])

"""An Event before it is written: what happened to which object, in one sentence, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from namespace_isolation.model.text import printable

__all__ = ["NOTE_BYTES", "Event", "EventRecord", "Regarding", "Severity", "plain"]

Severity = Literal["Normal", "Warning"]

NOTE_BYTES: Final = 1024
"""What events.k8s.io/v1 allows."""
_CUT: Final = "…"
_DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Regarding:
    """The object that an event is about; `namespace` is None where it is cluster-scoped, `uid` where nobody knows it.

    `kubectl describe` finds an event by the uid, `kubectl events --for` by the name.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    uid: str | None = None

    @property
    def place(self) -> tuple[str, str, str | None, str]:
        """Name the object: the next one of that name is the same to who reads of repeats."""
        return self.api_version, self.kind, self.namespace, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an object: `reason` and `action` are words for machines, `note` is for people."""

    kind: Severity
    reason: str
    action: str
    note: str
    regarding: Regarding

    @property
    def namespace(self) -> str:
        """The namespace that it is written to: the API server takes those of cluster-scoped objects in default."""
        return self.regarding.namespace or _DEFAULT

    @property
    def key(self) -> tuple[object, ...]:
        """What two events have in common that are repeats of each other; a policy made anew has another uid."""
        return self.kind, self.reason, self.action, self.note, self.regarding.place


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """An event as it is written: the name of its object, how often it happened, when first and when last."""

    event: Event
    name: str
    count: int
    first: datetime
    last: datetime


def plain(text: str, limit: int) -> str:
    """Put text of others on one line of at most `limit` bytes, and escape what a terminal would act upon."""
    shown = printable(" ".join(text.split()))
    encoded = shown.encode()
    if len(encoded) <= limit:
        return shown
    return encoded[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT

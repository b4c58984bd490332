"""Which events wait to be written: repeats become series, and neither one object nor a flood takes all the room."""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from namespace_isolation.model.event import Event, EventRecord, Severity

__all__ = ["Backlog", "Series"]

_FINISHED: Final = 360.0
"""Seconds without a repeat after which an event is a new one; as Kubernetes' own event recorder has it."""
_MOST_KNOWN: Final = 4096
_MOST_WAITING: Final = 500
"""New events of one severity that may wait: at five a second the last one is told within two minutes."""
_MOST_ON_ONE_OBJECT: Final = 25
"""Different events on one object that may go on at a time."""
_LONGEST_PAUSE: Final = 60.0
_TRIES: Final = 4
_LONGEST_NAME: Final = 236
"""Of the object's name in the name of its event: with a dot and 16 digits the API's 253 characters."""


@dataclass(slots=True, kw_only=True, eq=False)
class Series:
    """One event and its repeats: how often it happened, and how much of that was written.

    `seen` and `due` are seconds of the clock: when it last happened, and when it may next be written; `pause` is how
    long the write after that waits.
    """

    event: Event
    name: str
    first: datetime
    last: datetime
    seen: float
    due: float
    count: int = 1
    told: int = 0
    pause: float = 1.0
    tries: int = 0

    @property
    def record(self) -> EventRecord:
        """The event as it stands now."""
        return EventRecord(event=self.event, name=self.name, count=self.count, first=self.first, last=self.last)


class Backlog:
    """Takes events, gives the series to write next, warnings first, and hears what came of it."""

    def __init__(self) -> None:
        """Start empty."""
        # The one that is longest quiet first: it is forgotten from that end.
        self._known: OrderedDict[tuple[object, ...], Series] = OrderedDict()
        self._waiting: dict[Severity, dict[tuple[object, ...], Series]] = {"Warning": {}, "Normal": {}}
        self._on: Counter[tuple[object, ...]] = Counter()

    def __len__(self) -> int:
        """Count the series of which something is to be written."""
        return sum(len(waiting) for waiting in self._waiting.values())

    def add(self, event: Event, now: float, moment: datetime) -> bool:
        """Take an event that happened at `moment`; False where there is no room for it."""
        self._forget_finished(now)
        waiting = self._waiting[event.kind]
        series = self._known.get(event.key)
        if series is not None:
            series.count += 1
            series.last, series.seen = moment, now
            self._known.move_to_end(event.key)
            waiting[event.key] = series
            return True
        if len(waiting) >= _MOST_WAITING or self._on[event.regarding.place] >= _MOST_ON_ONE_OBJECT:
            return False
        series = Series(event=event, name=_name_for(event), first=moment, last=moment, seen=now, due=now)
        self._known[event.key] = waiting[event.key] = series
        self._on[event.regarding.place] += 1
        return True

    def next(self, now: float) -> Series | None:
        """Give what is to be written now, if there is anything: warnings first, then what was never told."""
        for waiting in self._waiting.values():
            due = (series for series in waiting.values() if series.due <= now)
            first = min(due, key=lambda series: series.told > 0, default=None)
            if first is not None:
                return first
        return None

    def next_due(self) -> float | None:
        """Tell when something will be to write; None: nothing waits."""
        return min((series.due for series in self._all_waiting()), default=None)

    def hurry(self) -> None:
        """Make everything that waits due: there is no later."""
        for series in self._all_waiting():
            series.due = float("-inf")

    def written(self, series: Series, told: int, now: float) -> None:
        """Hear that so many occurrences are told; later repeats wait longer each time, up to a minute."""
        series.told, series.tries, series.due = told, 0, now + series.pause
        series.pause = min(series.pause * 2, _LONGEST_PAUSE)
        if series.count == told:
            self._waiting[series.event.kind].pop(series.event.key, None)

    def failed(self, series: Series, now: float) -> bool:
        """Hear that a write failed and might succeed later; False once it was tried often enough, and is given up."""
        series.tries += 1
        if series.tries >= _TRIES:
            self.give_up(series)
            return False
        series.due = now + 2.0**series.tries
        return True

    def give_up(self, series: Series) -> None:
        """Forget a series: if it happens again, it is a new one."""
        self._waiting[series.event.kind].pop(series.event.key, None)
        self._known.pop(series.event.key, None)
        self._leave(series)

    def _forget_finished(self, now: float) -> None:
        while self._known:
            key, series = next(iter(self._known.items()))
            waits = key in self._waiting[series.event.kind]
            if waits or (now < series.seen + _FINISHED and len(self._known) <= _MOST_KNOWN):
                return
            del self._known[key]
            self._leave(series)

    def _leave(self, series: Series) -> None:
        place = series.event.regarding.place
        self._on[place] -= 1
        if self._on[place] <= 0:
            del self._on[place]

    def _all_waiting(self) -> Iterator[Series]:
        for waiting in self._waiting.values():
            yield from waiting.values()


def _name_for(event: Event) -> str:
    """Name the object: after what it is about, and like no other."""
    return f"{event.regarding.name[:_LONGEST_NAME].rstrip('.-')}.{secrets.token_hex(8)}"

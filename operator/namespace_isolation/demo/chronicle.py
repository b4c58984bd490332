"""What happened, in order, and how to wait for more of it: with a deadline, and not at all once something broke."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from namespace_isolation.demo.unseen import Unseen

__all__ = ["PATIENCE", "Alarm", "Chronicle"]

PATIENCE: Final = 30.0
"""Seconds after which what was not seen counts as not happening, also on a slow machine."""

Entry = TypeVar("Entry")
Found = TypeVar("Found")


class Alarm:
    """What makes waiting pointless: the operator ended, or a watch broke. Only the first ring counts."""

    def __init__(self) -> None:
        """Be silent."""
        self.rung = asyncio.Event()
        self.reason = Unseen("")

    def ring(self, reason: Unseen) -> None:
        """Tell everybody who waits."""
        if not self.rung.is_set():
            self.reason = reason
            self.rung.set()


class Chronicle(Generic[Entry]):
    """Entries in the order in which they came. `str(entry)` is how a failure shows them."""

    def __init__(self, alarm: Alarm) -> None:
        """Start empty."""
        self._alarm = alarm
        self._entries: list[Entry] = []
        self._more = asyncio.Event()

    @property
    def position(self) -> int:
        """The end as of now: what is seen `since` it is newer."""
        return len(self._entries)

    @property
    def entries(self) -> Sequence[Entry]:
        """Everything so far."""
        return self._entries

    def add(self, entry: Entry) -> None:
        """Take what just happened."""
        self._entries.append(entry)
        self._more.set()

    async def see(
        self,
        expected: str,
        find: Callable[[Sequence[Entry]], Found | None],
        *,
        since: int = 0,
        within: float = PATIENCE,
    ) -> Found:
        """Wait until `find` answers something for the entries since a position; Unseen after `within` seconds."""
        search = asyncio.ensure_future(self._search(find, since))
        alarm = asyncio.ensure_future(self._alarm.rung.wait())
        try:
            await asyncio.wait({search, alarm}, timeout=within, return_when=asyncio.FIRST_COMPLETED)
            if search.done():
                return search.result()
            if alarm.done():
                raise self._alarm.reason
            raise Unseen(f"{expected}, within {within:.0f} s", [str(entry) for entry in self._entries[since:]])
        finally:
            search.cancel()
            alarm.cancel()

    async def _search(self, find: Callable[[Sequence[Entry]], Found | None], since: int) -> Found:
        while (found := find(self._entries[since:])) is None:
            self._more.clear()
            await self._more.wait()
        return found

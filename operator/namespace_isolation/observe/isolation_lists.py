"""Lists the isolations completely: Kopf's watch never says that its first list is complete, and may lose deletions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.observe.contact import Contact
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, IsolationStore

__all__ = ["IsolationLists"]

_NOT_FOUND: Final = 404
_PAUSE: Final = 2.0
_FAILURES_PER_LINE: Final = 150
"""Of a failure that lasts, one line in five minutes."""
_SECOND_LIST: Final = 10.0
"""Seconds after the first list. What goes after that list and before Kopf's own is told by neither of them."""


class IsolationLists:
    """Lists the isolations into their store: at start, soon again, and then now and then."""

    def __init__(self, client: Client, store: IsolationStore, *, clock: Callable[[], float], interval: float) -> None:
        """List every `interval` seconds; `clock` is monotonic, in seconds."""
        self.listed = asyncio.Event()
        self.contact = Contact(ISOLATIONS_PATH, clock)
        self._client = client
        self._store = store
        self._interval = interval
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """List until cancelled; what fails is tried again soon, and told now and then."""
        status, failures = None, 0
        while True:
            try:
                await self._list()
            except ApiError as error:
                failures = failures + 1 if error.status == status else 0
                status = error.status
                if failures % _FAILURES_PER_LINE == 0:
                    self._tell_why(error)
                if status == _NOT_FOUND:
                    self.contact.heard()  # it answers; a restart would not bring the CRD
                await asyncio.sleep(_PAUSE)
            else:
                status = None
                pause = self._interval if self.listed.is_set() else min(_SECOND_LIST, self._interval)
                self.listed.set()
                await asyncio.sleep(pause)

    async def again(self) -> None:
        """List the isolations before policies that were listed anew are compared with them.

        Kopf loses deletions when the history it watched is gone. Without this the policies of an isolation that is gone
        would be put back, against the garbage collector.
        """
        if self.listed.is_set():
            await self._list()

    async def _list(self) -> None:
        texts: list[msgspec.Raw] = []
        version = 0
        asked_at = self._store.seen_version
        async for page in self._client.pages(ISOLATIONS_PATH):
            texts += page.objects
            version = page.resource_version
        self.contact.listed()
        self._store.replaced(texts, version, asked_at=asked_at)

    def _tell_why(self, error: ApiError) -> None:
        if error.status == _NOT_FOUND:
            self._log.error("the CRD is missing: kubectl apply -k crds/", path=ISOLATIONS_PATH)
        else:
            self._log.warning("cannot list isolations", error=str(error))

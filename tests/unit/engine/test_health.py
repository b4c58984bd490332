"""The probes: ready while every collection is known and still heard of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from namespace_isolation.cluster import Client
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.health import serve_health
from namespace_isolation.engine.settings import Settings

Json = dict[str, Any]

WITHIN = 5.0


class Server:
    """An API server without any object, whose watches bring bookmarks when they are told to."""

    def __init__(self, *, silent: bool = False) -> None:
        """`silent`: not even a list is answered."""
        self.silent = silent
        self.bookmarks: dict[str, asyncio.Queue[Json]] = {}
        self.watched = asyncio.Event()

    async def pages(self, path: str) -> AsyncIterator[Json]:
        """Serve an empty list."""
        if self.silent:
            await asyncio.Event().wait()
        yield {"metadata": {"resourceVersion": "10"}, "items": [], "path": path}

    async def watch(self, path: str, **_: object) -> AsyncIterator[Json]:
        """Bring what is in the queue of this collection."""
        queue = self.bookmarks.setdefault(path, asyncio.Queue())
        if len(self.bookmarks) == len(("namespaces", "policies")):
            self.watched.set()
        while True:
            yield await queue.get()
            queue.task_done()

    async def bring_bookmark(self, collection: str) -> None:
        """Bring a bookmark of a collection and return once it was taken."""
        (queue,) = (queue for path, queue in self.bookmarks.items() if path.endswith(collection))
        queue.put_nowait({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "20"}}})
        await queue.join()


class Fixture:
    """An engine under way, its clock, and its probes."""

    def __init__(self, server: Server) -> None:
        """Start nothing yet."""
        self.now = 1000.0
        self.server = server
        self.engine = Engine(cast("Client", server), Settings(drain_timeout=1000), clock=lambda: self.now)
        self.port = unused_port()

    async def probe(self, path: str) -> tuple[int, str]:
        """Ask as the kubelet does."""
        url = f"http://127.0.0.1:{self.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.status, await response.text()


@pytest.fixture
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


@pytest.mark.usefixtures("_deadline")
async def test_a_collection_that_is_no_longer_heard_of_makes_the_operator_unready() -> None:
    """It is named; a bookmark of it is enough to be ready again; the process is alive all along."""
    seen = Fixture(Server())
    async with serve_health(seen.engine, host="127.0.0.1", port=seen.port):
        seen.engine.start()
        await seen.engine.found_isolations()
        await seen.server.watched.wait()
        assert await seen.probe("/readyz") == (200, "ok\n")
        seen.now += 329
        await seen.server.bring_bookmark("/namespaces")
        seen.now += 2
        status, text = await seen.probe("/readyz")
        assert status == 503
        assert "/networkpolicies" in text
        assert "/namespaces" not in text
        assert (await seen.probe("/healthz"))[0] == 200
        await seen.server.bring_bookmark("/networkpolicies")
        assert await seen.probe("/readyz") == (200, "ok\n")
        await seen.engine.drain()


@pytest.mark.usefixtures("_deadline")
async def test_before_the_caches_are_complete_the_operator_is_not_ready() -> None:
    """Nor is it dead."""
    seen = Fixture(Server(silent=True))
    async with serve_health(seen.engine, host="127.0.0.1", port=seen.port):
        assert (await seen.probe("/readyz"))[0] == 503
        assert (await seen.probe("/healthz"))[0] == 200

"""The one port: what /healthz and /readyz say of an engine under way, and that /metrics is served."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self, cast

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from namespace_isolation.cluster import ApiError, Client, ConnectionProblem
from namespace_isolation.cluster.gate import Gate
from namespace_isolation.cluster.served import Event, Page
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.http import serve_http
from namespace_isolation.engine.settings import Settings
from namespace_isolation.engine.sources import sources_of
from namespace_isolation.report.metrics.exposition import registry_of
from tests.support.lanes import OneLane
from tests.support.served import event_of, page_of

Json = dict[str, Any]

WITHIN = 5.0


class Server(OneLane):
    """An API server without any object, whose watches bring bookmarks when they are told to."""

    def __init__(self, *, silent: str = "nothing", missing: str = "nothing") -> None:
        """`silent`: not even a list of this collection is answered; `missing`: the API server does not know it."""
        self.silent, self.missing = silent, missing
        self.answers = Counter({("list", "200"): 3})
        self.gate = Gate(32)
        self.bookmarks: dict[str, asyncio.Queue[Event]] = {}
        self.watched = asyncio.Event()
        self.asked: Counter[str] = Counter()
        self.asked_for_missing = asyncio.Event()

    async def pages(self, path: str) -> AsyncIterator[Page]:
        """Serve an empty list."""
        if path.endswith(self.silent):
            await asyncio.Event().wait()
        if path.endswith(self.missing):
            self.asked_for_missing.set()
            raise ApiError(status=404, reason="NotFound", message="no such thing", request=f"GET {path}")
        yield page_of([], 10)

    async def watch(self, path: str, **_: object) -> AsyncIterator[Event]:
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
        queue.put_nowait(event_of("BOOKMARK", {"metadata": {"resourceVersion": "20"}}))
        await queue.join()


class Fixture:
    """An engine under way, its clock, and its port."""

    def __init__(self, server: Server) -> None:
        """Start nothing yet."""
        self.now = 1000.0
        self.server = server
        self.settings = Settings(
            drain_timeout=1000,
            health_host="127.0.0.1",
            health_port=unused_port(),
            contact_limit=330,
            relist_interval=1e6,
        )
        self.engine = Engine(cast("Client", server), self.settings, clock=lambda: self.now)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[Self]:
        """Serve while the context lasts, at most so long."""
        registry = registry_of(sources_of(self.engine, cast("Client", self.server)))
        async with asyncio.timeout(WITHIN), serve_http(self.engine, registry, self.settings):
            yield self

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Serve, with every cache complete and every watch begun."""
        async with self.served():
            self.engine.start()
            await self.engine.found_isolations()
            await self.server.watched.wait()
            yield self
            await self.engine.drain()

    async def get(self, path: str, **headers: str) -> tuple[int, str, str]:
        """Ask as the kubelet or Prometheus does, and give code, text and content type."""
        url = f"http://127.0.0.1:{self.settings.health_port}{path}"
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
            return response.status, await response.text(), response.headers["Content-Type"]

    async def probe(self, path: str) -> tuple[int, str]:
        """Ask as the kubelet does."""
        code, text, _ = await self.get(path)
        return code, text


async def test_an_operator_in_contact_is_alive_and_ready() -> None:
    """In one word; `?verbose` tells every check."""
    async with Fixture(Server()).running() as seen:
        assert await seen.probe("/healthz") == (200, "ok\n")
        assert await seen.probe("/readyz") == (200, "ok\n")
        seen.now += 12
        code, text = await seen.probe("/healthz?verbose")
        assert code == 200
        assert text.splitlines() == [
            "[+]engine ok",
            "[+]contact namespaces ok: heard of 12 s ago",
            "[+]contact networkpolicies ok: heard of 12 s ago",
            "[+]contact namespaceisolations ok: heard of 12 s ago",
            "healthz check passed",
        ]
        code, text = await seen.probe("/readyz?verbose")
        assert code == 200
        assert text.splitlines() == [
            "[+]cache namespaces ok",
            "[+]cache networkpolicies ok",
            "[+]cache namespaceisolations ok",
            "[+]not draining ok",
            "readyz check passed",
        ]


async def test_a_collection_that_is_no_longer_heard_of_makes_the_operator_unhealthy() -> None:
    """It is named; a bookmark of it is enough to be well again. What it knows, it goes on working with."""
    async with Fixture(Server()).running() as seen:
        seen.now += 329
        await seen.server.bring_bookmark("/namespaces")
        seen.engine.contacts[-1].listed()
        seen.now += 2
        status, text = await seen.probe("/healthz")
        assert status == 503
        assert "[-]contact networkpolicies failed: nothing heard for 331 s, more than 330 s" in text
        assert [line for line in text.splitlines() if line.startswith("[-]")] == [
            "[-]contact networkpolicies failed: nothing heard for 331 s, more than 330 s; the log says why"
        ]
        assert text.endswith("healthz check failed\n")
        assert await seen.probe("/readyz") == (200, "ok\n")
        await seen.server.bring_bookmark("/networkpolicies")
        assert await seen.probe("/healthz") == (200, "ok\n")


async def test_isolations_that_cannot_be_listed_for_long_make_the_operator_unhealthy() -> None:
    """Kopf's watch of them tells nothing; our own lists do."""
    async with Fixture(Server()).running() as seen:
        seen.now += 331
        for collection in ("/namespaces", "/networkpolicies"):
            await seen.server.bring_bookmark(collection)
        status, text = await seen.probe("/healthz")
        assert status == 503
        assert "[-]contact namespaceisolations" in text
        await seen.engine._isolation_lists._list()
        assert await seen.probe("/healthz") == (200, "ok\n")


async def test_before_the_caches_are_complete_the_operator_is_not_ready() -> None:
    """The collection that lacks is named. Nor is it dead, until that has lasted."""
    async with Fixture(Server(silent="networkpolicies")).served() as seen:
        seen.engine.start()
        await seen.engine.found_isolations()
        status, text = await seen.probe("/readyz")
        assert status == 503
        assert "[-]cache networkpolicies failed: not listed yet" in text
        assert "[+]cache namespaceisolations ok" in text
        assert (await seen.probe("/healthz"))[0] == 200
        seen.now += 331
        status, text = await seen.probe("/healthz")
        assert status == 503
        assert "[-]contact networkpolicies" in text
        await seen.engine.drain()


async def test_a_missing_definition_is_no_reason_for_a_restart() -> None:
    """The API server answers, and the log says what to do."""
    async with Fixture(Server(missing="namespaceisolations")).served() as seen:
        seen.now += 331
        seen.engine.start()
        await seen.server.asked_for_missing.wait()
        assert "[+]contact namespaceisolations" in (await seen.probe("/healthz?verbose"))[1]
        assert (await seen.probe("/readyz"))[0] == 503
        await seen.engine.drain()


async def test_an_operator_that_ends_is_not_ready() -> None:
    """It answers as long as it has work under way."""
    async with Fixture(Server()).running() as seen:
        await seen.engine.drain()
        status, text = await seen.probe("/readyz")
        assert status == 503
        assert "[-]not draining failed: the operator was asked to stop" in text
        assert (await seen.probe("/healthz"))[0] == 200


async def test_an_operator_that_gave_up_is_not_healthy() -> None:
    """What ended it is named, and its words, which may hold what is not for everybody, are left to the log."""
    async with Fixture(Server()).served() as seen:
        seen.engine.error = RuntimeError("a secret")
        status, text = await seen.probe("/healthz")
        assert status == 503
        assert "[-]engine failed: the operator had to give up: RuntimeError" in text
        assert "secret" not in text


async def test_metrics_are_served_on_the_same_port() -> None:
    """In the format that is asked for: Prometheus' own text, or OpenMetrics."""
    async with Fixture(Server()).running() as seen:
        code, text, kind = await seen.get("/metrics")
        assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        families = {family.name: family for family in parse(text)}
        assert {(each.labels["verb"], each.value) for each in families["nsiso_api_requests"].samples} == {("list", 3)}
        assert {each.labels["collection"]: each.value for each in families["nsiso_relists"].samples} == {
            "namespaces": 0,
            "networkpolicies": 0,
            "namespaceisolations": 0,
        }
        code, text, kind = await seen.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert (code, kind.split(";")[0]) == (200, "application/openmetrics-text")
        assert "nsiso_build" in {family.name for family in parse_openmetrics(text)}


async def test_a_list_that_was_asked_for_again_counts_as_a_relist() -> None:
    """The first one does not."""
    async with Fixture(Server()).running() as seen:
        await seen.engine._isolation_lists._list()
        families = {family.name: family for family in parse((await seen.get("/metrics"))[1])}
        relists = {each.labels["collection"]: each.value for each in families["nsiso_relists"].samples}
        assert relists["namespaceisolations"] == 1


async def test_nothing_else_is_served() -> None:
    """Neither another path nor a write."""
    async with Fixture(Server()).served() as seen:
        assert (await seen.probe("/"))[0] == 404
        url = f"http://127.0.0.1:{seen.settings.health_port}/metrics"
        async with aiohttp.ClientSession() as session, session.post(url) as response:
            assert response.status == 405


async def test_a_port_that_is_taken_is_named_with_the_option() -> None:
    """Two operators on one machine, say."""
    async with Fixture(Server()).served() as seen:
        with pytest.raises(ConnectionProblem, match=f"port {seen.settings.health_port}.*--health-port"):
            async with seen.served():
                raise AssertionError

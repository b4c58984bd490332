"""Telling events: at what rate, and what happens when the API server does not take them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.engine.announcer import Announcer
from namespace_isolation.model.event import Event, Regarding

Json = dict[str, Any]

WITHIN = 10.0
POLICY = Regarding(api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace="payments", name="deny")
EVENT = Event(kind="Normal", reason="DriftCorrected", action="Update", note="It was changed.", regarding=POLICY)


@pytest.fixture(autouse=True)
async def _deadline() -> AsyncIterator[None]:
    """Bound every wait of a test."""
    async with asyncio.timeout(WITHIN):
        yield


class Server:
    """Takes events, or answers with an error, and tells when it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        """Answer everything with `error`, if there is one."""
        self.error = error
        self.asked: list[tuple[float, str]] = []
        self.bodies: list[Json] = []
        self._news = asyncio.Condition()

    async def create(self, _: str, body: Json) -> Json:
        """Create an event."""
        return await self._answer("create", body)

    async def patch(self, _: str, body: Json) -> Json:
        """Patch a series."""
        return await self._answer("patch", body)

    async def _answer(self, verb: str, body: Json) -> Json:
        async with self._news:
            self.asked.append((time.monotonic(), verb))
            self.bodies.append(body)
            self._news.notify_all()
        if self.error is not None:
            raise self.error
        return body

    async def requests(self, count: int) -> list[str]:
        """Wait for so many requests and name what they asked."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.asked) >= count)
        return [verb for _, verb in self.asked]


@asynccontextmanager
async def _announcing(server: Server) -> AsyncIterator[Announcer]:
    announcer = Announcer(cast("Client", server), instance="operator-0")
    task = asyncio.ensure_future(announcer.run())
    yield announcer
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _other(number: int) -> Event:
    return replace(EVENT, regarding=replace(POLICY, name=f"deny-{number}"))


def _error(status: int, *, cause: str = "") -> ApiError:
    return ApiError(status=status, reason="No", message="no", request="", causes=(cause,) if cause else ())


async def test_an_event_is_told_at_once() -> None:
    """And counted."""
    server = Server()
    async with _announcing(server) as announcer:
        announcer.post(EVENT)
        assert await server.requests(1) == ["create"]
        await announcer.drain()
        assert (announcer.posted, announcer.dropped, announcer.failed, len(announcer)) == (1, 0, 0, 0)
    assert server.bodies[0]["reportingInstance"] == "operator-0"


async def test_no_second_has_more_than_five() -> None:
    """However many there are; the first five do not wait."""
    server = Server()
    async with _announcing(server) as announcer:
        for number in range(12):
            announcer.post(_other(number))
        await server.requests(12)
    times = [at for at, _ in server.asked]
    assert times[4] - times[0] < 0.9
    assert all(later - earlier >= 0.999 for earlier, later in zip(times, times[5:], strict=False))


async def test_repeats_are_one_event_and_a_patch() -> None:
    """A thousand of them."""
    server = Server()
    async with _announcing(server) as announcer:
        announcer.post(EVENT)
        await server.requests(1)
        for _ in range(999):
            announcer.post(EVENT)
        assert await server.requests(2) == ["create", "patch"]
        assert server.bodies[1]["series"]["count"] == 1000
        await announcer.drain()
    assert announcer.posted == 2


async def test_what_is_posted_before_it_runs_is_told() -> None:
    """Nothing is lost at the start."""
    server = Server()
    announcer = Announcer(cast("Client", server), instance="operator-0")
    announcer.post(EVENT)
    task = asyncio.ensure_future(announcer.run())
    await server.requests(1)
    task.cancel()


async def test_a_drain_tells_what_waits_for_its_turn() -> None:
    """The last count of a series is not lost; nothing that waits makes it return at once."""
    server = Server()
    async with _announcing(server) as announcer:
        await announcer.drain(WITHIN)
        for _ in range(2):
            announcer.post(EVENT)
            await server.requests(1)
        assert len(announcer) == 1
        await announcer.drain()
        assert len(announcer) == 0
    assert [body.get("series", {}).get("count") for body in server.bodies] == [None, 2]


async def test_a_drain_ends_in_time() -> None:
    """What is left is told in one line of the log."""
    async with _announcing(Server(_error(0))) as announcer:
        for number in range(20):
            announcer.post(_other(number))
        with capture_logs() as lines:
            await announcer.drain(0.1)
    assert [(line["event"], line["count"]) for line in lines] == [("events left untold", 20)]


async def test_a_namespace_that_ends_is_no_failure() -> None:
    """Not a line of the log."""
    server = Server(_error(403, cause="NamespaceTerminating"))
    with capture_logs() as lines:
        async with _announcing(server) as announcer:
            announcer.post(EVENT)
            await server.requests(1)
            await announcer.drain()
    assert (announcer.posted, announcer.dropped, announcer.failed, lines) == (0, 0, 0, [])


async def test_a_refusal_is_not_tried_again_and_complained_about_once() -> None:
    """The next event is told all the same."""
    server = Server(_error(403))
    with capture_logs() as lines:
        async with _announcing(server) as announcer:
            for number in range(3):
                announcer.post(_other(number))
            await server.requests(3)
            server.error = None
            announcer.post(_other(9))
            await announcer.drain(WITHIN)
    assert (announcer.posted, announcer.dropped, announcer.failed) == (1, 3, 3)
    assert [(line["event"], line["count"], line["log_level"]) for line in lines] == [("events dropped", 1, "warning")]


async def test_an_api_server_that_is_away_is_tried_again() -> None:
    """An event survives its restart."""
    server = Server(_error(0))
    async with _announcing(server) as announcer:
        announcer.post(EVENT)
        await server.requests(1)
        server.error = None
        assert await server.requests(2) == ["create", "create"]
        await announcer.drain()
        assert (announcer.posted, announcer.dropped, announcer.failed) == (1, 0, 1)


async def test_what_has_no_room_is_counted() -> None:
    """Posting never fails and never waits; that a flood is cut short is no fault."""
    announcer = Announcer(cast("Client", Server()), instance="operator-0")
    with capture_logs() as lines:
        for number in range(600):
            announcer.post(_other(number))
    assert (len(announcer), announcer.dropped) == (500, 100)
    assert [(line["event"], line["log_level"]) for line in lines] == [("events dropped", "info")]


async def test_a_fault_of_ours_in_one_event_stops_no_other() -> None:
    """It is told with its trace, and the event is dropped."""
    server = Server(RuntimeError("a bug"))
    with capture_logs() as lines:
        async with _announcing(server) as announcer:
            announcer.post(_other(1))
            await server.requests(1)
            server.error = None
            announcer.post(_other(2))
            await announcer.drain(WITHIN)
    assert (announcer.posted, announcer.dropped) == (1, 1)
    assert [line["event"] for line in lines] == ["internal error"]

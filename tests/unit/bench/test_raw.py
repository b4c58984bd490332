"""The raw client against a server of a few lines: what it sends, when it asks again, and what it gives up on."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bench.observer import Observer
from tests.bench.problem import BenchProblem
from tests.bench.raw import RawClient
from tests.bench.request import Request
from tests.bench.watches import watching

WITHIN = 5.0


class Api:
    """What the server was asked, and how it answers."""

    def __init__(self) -> None:
        """Answer well."""
        self.bodies: list[bytes] = []
        self.asked: Counter[str] = Counter()
        self.refusals = 0
        self.under_way = self.most_under_way = 0
        self.watch_ends = asyncio.Event()
        self.watched: list[str] = []

    async def create(self, request: web.Request) -> web.Response:
        """Take an object; refuse the first ones where it is told to."""
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        body = await request.read()
        await asyncio.sleep(0)
        self.under_way -= 1
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=429, headers={"Retry-After": "0"})
        self.bodies.append(body)
        return web.json_response({}, status=409 if body == b"conflict" else 201)

    async def things(self, request: web.Request) -> web.StreamResponse:
        """List in two pages, or watch: two events, the end when it is told to, and then an error."""
        if "watch" not in request.query:
            self.asked[request.query.get("limit", "none")] += 1
            token = "" if "continue" in request.query or "limit" not in request.query else ',"continue":"2"'
            text = '{"metadata":{"resourceVersion":"7"' + token + '},"items":[{"name":"x"}]}'
            return web.Response(text=text, content_type="application/json")
        self.watched.append(request.query["resourceVersion"])
        response = web.StreamResponse()
        await response.prepare(request)
        if len(self.watched) > 1:
            await response.write(b'{"type":"ERROR","object":{"message":"too old"}}\n')
            return response
        first, second = event(8), event(9)
        await response.write(first + b"\n" + second[:20])
        await response.write(second[20:] + b"\n")
        await self.watch_ends.wait()
        return response


@pytest.fixture
async def api() -> Api:
    """Give the server's mind."""
    return Api()


@pytest.fixture
async def client(api: Api) -> AsyncIterator[RawClient]:
    """Connect to a server that runs as long as the test, which must end in time."""
    application = web.Application()
    application.router.add_post("/things", api.create)
    application.router.add_get("/things", api.things)
    async with asyncio.timeout(WITHIN), TestServer(application) as server:
        address = str(server.make_url("")).rstrip("/")
        async with RawClient(address, ssl.create_default_context(), {}, in_flight=4) as client:
            yield client


def creations(count: int) -> list[Request]:
    """Make requests that differ."""
    return [Request("POST", "/things", str(number).encode()) for number in range(count)]


async def test_every_request_is_sent_once(client: RawClient, api: Api) -> None:
    """As many at a time as is said, and no more."""
    answers: list[None] = []
    volley = await client.send_all(creations(20), answered=lambda: answers.append(None))
    assert sorted(api.bodies) == sorted(str(number).encode() for number in range(20))
    assert (volley.count, volley.refused, len(answers)) == (20, 0, 20)
    assert 1 < api.most_under_way <= 4
    assert volley.seconds > 0


async def test_what_is_refused_is_sent_again(client: RawClient, api: Api) -> None:
    """When the server says, and it is counted: the reference must not look faster than it was."""
    api.refusals = 3
    volley = await client.send_all(creations(5))
    assert len(api.bodies) == 5
    assert volley.refused == 3


async def test_any_other_error_ends_it(client: RawClient) -> None:
    """Unless it is one that was expected."""
    with pytest.raises(ExceptionGroup) as caught:
        await client.send_all([Request("POST", "/things", b"conflict")])
    assert isinstance(caught.value.exceptions[0], BenchProblem)
    assert "POST /things was answered with 409" in str(caught.value.exceptions[0])
    assert (await client.send_all([Request("POST", "/things", b"conflict")], accept=(409,))).count == 1


async def test_pages_are_followed_to_the_end(client: RawClient, api: Api) -> None:
    """Or not asked for at all."""
    assert len([page async for page in client.pages("/things", page=500)]) == 2
    assert await client.items("/things") == [{"name": "x"}, {"name": "x"}]
    assert await client.list_bytes("/things", page=0) > 0
    assert api.asked == {"500": 4, "none": 1}


async def test_a_watch_that_ends_goes_on_behind_the_last_event(client: RawClient, api: Api) -> None:
    """Its lines come whole; and who waits for more hears where that is not possible."""
    lines: list[bytes] = []
    observer = Observer()
    async with watching(client, {"/things": lines.extend}, observer.broke):
        api.watch_ends.set()
        with pytest.raises(BenchProblem, match=r"the watch of /things failed: .*too old"):
            await observer.until(lambda: False, within=WITHIN, what="nothing")
    assert lines == [event(8), event(9)]
    assert api.watched == ["7", "9"]
    assert client.resumed == 1


def event(version: int) -> bytes:
    """Write an event whose object is of a version."""
    return b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"%d"}}}' % version

"""Requests to the API server are counted by verb and by the code of the answer, each try once."""

from __future__ import annotations

from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from namespace_isolation.cluster import ApiError, Client, Connection
from tests.support.loopback import Loopback, client_of

WITHIN = 5.0


async def _object(_: web.Request) -> web.Response:
    return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})


async def test_every_verb_counts_as_kubernetes_calls_it() -> None:
    """A list is no get, and an update no patch."""
    async with client_of(_object) as client:
        await client.get("/things/a")
        await client.create("/things", {})
        await client.replace("/things/a", {})
        await client.patch("/things/a", {})
        await client.delete("/things/a", uid="1")
        assert [page.documents() async for page in client.pages("/things")] == [[]]
        verbs = ("get", "create", "update", "patch", "delete", "list")
        assert client.answers == {(verb, "200"): 1 for verb in verbs}


async def test_a_refusal_counts_under_its_code_and_each_try_of_it() -> None:
    """A busy API server is asked again; credentials that are refused are loaded anew, once."""
    codes = iter((429, 401, 401))

    async def refuse(_: web.Request) -> web.Response:
        code = next(codes)
        return web.json_response({"code": code}, status=code, headers={"Retry-After": "0"})

    async with client_of(refuse) as client:
        with pytest.raises(ApiError):
            await client.get("/things/a")
        assert client.answers == {("get", "429"): 1, ("get", "401"): 1}


async def test_the_verb_of_a_message_is_the_method() -> None:
    """It reads as in the API server's own log."""

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({}, status=403)

    async with client_of(refuse) as client:
        with pytest.raises(ApiError, match=r"^PUT /things/a: 403"):
            await client.replace("/things/a", {})


async def test_a_request_without_answer_counts_as_such() -> None:
    """Nobody listens there."""
    connection = Loopback(f"http://127.0.0.1:{unused_port()}")
    async with Client(cast("Connection", connection)) as client:
        with pytest.raises(ApiError):
            await client.create("/things", {})
        with pytest.raises(ApiError):
            await anext(aiter(client.watch("/things", resource_version="1", seconds=1, silence=1)))
        assert client.answers == {("create", "none"): 1, ("watch", "none"): 1}


async def test_a_watch_counts_and_is_heard_of_when_it_begins() -> None:
    """On a quiet collection that is the only word for minutes."""
    heard: list[str] = []

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b'{"type": "BOOKMARK", "object": {}}\n')
        return response

    async with client_of(stream) as client:
        events = client.watch(
            "/things", resource_version="1", seconds=1, silence=WITHIN, heard=lambda: heard.append("accepted")
        )
        async for event in events:
            assert client.answers == {("watch", "200"): 1}
            heard.append(event.type)
    assert heard == ["accepted", "BOOKMARK"]


async def test_a_watch_that_is_refused_is_not_heard_of() -> None:
    """It counts under the code of the refusal."""

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"reason": "Forbidden"}, status=403)

    async with client_of(refuse) as client:
        events = client.watch("/things", resource_version="1", seconds=1, silence=WITHIN, heard=pytest.fail)
        with pytest.raises(ApiError):
            await anext(aiter(events))
        assert client.answers == {("watch", "403"): 1}

"""Lists come page by page, the next one while one is worked on."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from aiohttp import web

from namespace_isolation.cluster import ApiError
from tests.support.loopback import client_of

WITHIN = 5.0


class Pages:
    """A server of three pages; each request for a later one is noted when it comes."""

    def __init__(self, *, broken: bool = False, hangs: bool = False) -> None:
        """`broken`: the second page is no list; `hangs`: it never comes."""
        self.second_asked_for = asyncio.Event()
        self.limits: list[str] = []
        self._broken, self._hangs = broken, hangs

    async def answer(self, request: web.Request) -> web.Response:
        """Serve the page that is asked for."""
        number = int(request.query.get("continue", "0"))
        self.limits.append(request.query["limit"])
        if number == 1:
            self.second_asked_for.set()
            if self._hangs:
                await asyncio.Event().wait()
            if self._broken:
                return web.Response(text="[]")
        metadata = {"resourceVersion": "7", **({"continue": str(number + 1)} if number < 2 else {})}
        return web.json_response({"metadata": metadata, "items": [{"number": number}]})


async def test_all_pages_come_in_order_and_have_one_version() -> None:
    """With the token of the one before."""
    server = Pages()
    async with client_of(server.answer) as client:
        pages = [page async for page in client.pages("/things", limit=2)]
    assert [page.documents() for page in pages] == [[{"number": 0}], [{"number": 1}], [{"number": 2}]]
    assert {page.resource_version for page in pages} == {7}
    assert server.limits == ["2", "2", "2"]


async def test_the_next_page_is_asked_for_while_one_is_worked_on() -> None:
    """The API server works at the same time."""
    server = Pages()
    async with client_of(server.answer) as client, aclosing(client.pages("/things")) as pages:  # type: ignore[type-var]
        await anext(pages)
        async with asyncio.timeout(WITHIN):
            await server.second_asked_for.wait()


async def test_who_has_seen_enough_waits_for_nothing() -> None:
    """The page that was asked for already is let go."""
    server = Pages(hangs=True)
    async with (
        client_of(server.answer) as client,
        asyncio.timeout(WITHIN),
        aclosing(client.pages("/things")) as pages,  # type: ignore[type-var]
    ):
        await anext(pages)
        await server.second_asked_for.wait()


async def test_a_page_that_is_no_list_is_an_error() -> None:
    """With the request in its words; the pages before it were given."""
    async with client_of(Pages(broken=True).answer) as client, aclosing(client.pages("/things")) as pages:  # type: ignore[type-var]
        await anext(pages)
        with pytest.raises(ApiError, match=r"^GET /things: no answer, ValidationError"):
            await anext(pages)

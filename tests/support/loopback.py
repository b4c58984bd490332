"""A client of a web server in the test's own process, which answers as the test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestServer

from namespace_isolation.cluster import Client, Connection

__all__ = ["Answer", "Loopback", "client_of"]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Loopback:
    """A connection to a server of the test, whose credentials are always fresh."""

    def __init__(self, server: str) -> None:
        """Point to a server."""
        self.server = server

    async def authorization(self) -> dict[str, str]:
        """Need none."""
        return {}

    async def renew(self) -> None:
        """Load them again."""


@asynccontextmanager
async def client_of(answer: Answer, **options: Any) -> AsyncIterator[Client]:  # noqa: ANN401 - as Client takes them
    """Give a client of a server that answers everything in one way."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with Client(cast("Connection", Loopback(url)), **options) as client:
            yield client

"""A TCP proxy in front of the API server that can be cut, so that the operator loses the cluster and gets it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

__all__ = ["Proxy", "proxy_to"]

_CHUNK = 65_536


class Proxy:
    """Passes bytes on while it is up; while it is cut, every connection is closed."""

    def __init__(self, server: str) -> None:
        """Prepare for the URL of an API server."""
        target = urlsplit(server)
        self._host, self._port = target.hostname or "", target.port or 443
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._pipes: set[asyncio.Task[None]] = set()
        self.url = ""

    def cut(self) -> None:
        """Break every connection and accept no more."""
        self._cut = True
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        """Let connections through again."""
        self._cut = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        if self._cut:
            writer.transport.abort()
            return
        try:
            upstream = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, upstream[1]}
        pipes = (self._pipe(reader, upstream[1]), self._pipe(upstream[0], writer))
        tasks = {asyncio.ensure_future(pipe) for pipe in pipes}
        self._pipes |= tasks
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for each in (writer, upstream[1]):
            each.transport.abort()
            self._open.discard(each)
        await asyncio.wait(tasks)
        self._pipes -= tasks

    @staticmethod
    async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def proxy_to(server: str) -> AsyncIterator[Proxy]:
    """Listen on a free port of loopback while the context lasts; `url` is the way through the proxy."""
    proxy = Proxy(server)
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        proxy.cut()
        listener.close()

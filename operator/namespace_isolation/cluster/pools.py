"""The two pools of connections to one API server: for requests, bounded, and for watches."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

import aiohttp

__all__ = ["Pools"]

_LINE_LIMIT: Final = 16 * 1024 * 1024


class Pools:
    """Connections that are kept open; watches have their own, so that they never take a place from a request."""

    def __init__(self, tls: ssl.SSLContext | None, *, in_flight: int, user_agent: str) -> None:
        """Prepare for at most `in_flight` requests at once; nothing is opened yet."""
        self._tls = tls
        self._in_flight = in_flight
        self._user_agent = user_agent
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    @property
    def requests(self) -> aiohttp.ClientSession:
        """The pool of the requests; RuntimeError where it is not open."""
        return _opened(self._requests)

    @property
    def watches(self) -> aiohttp.ClientSession:
        """The pool of the watches; RuntimeError where it is not open."""
        return _opened(self._watches)

    def open(self) -> None:
        """Open both; connections are made on first use."""
        self._requests = self._session(limit=self._in_flight)
        self._watches = self._session(limit=0)

    async def close(self) -> None:
        """Close every connection."""
        for session in (self._requests, self._watches):
            if session is not None:
                await session.close()
        self._requests = self._watches = None

    def _session(self, *, limit: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=limit, ssl=self._tls or False, socket_factory=_kept_alive)
        return aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": self._user_agent, "Accept": "application/json"},
            read_bufsize=_LINE_LIMIT,
            skip_auto_headers={"Accept-Encoding"},
            auto_decompress=True,
        )


def _opened(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if session is None:
        message = "the client is used outside `async with`"
        raise RuntimeError(message)
    return session


def _kept_alive(address: tuple[Any, ...]) -> socket.socket:
    """Open a socket that notices within a minute that the other side is gone, however quiet the stream is."""
    family, kind, protocol, *_ = address
    opened = socket.socket(family=family, type=kind, proto=protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # not every system lets a program choose
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return opened

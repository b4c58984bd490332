"""A thin client of the API server: JSON in, JSON out, errors as ApiError; lists in pages and watches as streams."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from namespace_isolation.cluster.connection import Connection, ConnectionProblem
from namespace_isolation.cluster.errors import ApiError, error_from
from namespace_isolation.cluster.refusals import no_answer, no_credentials, refusal_of
from namespace_isolation.model.names import FIELD_MANAGER

__all__ = ["JSON_PATCH", "MERGE_PATCH", "NO_ANSWER", "Client", "Json"]

Json = dict[str, Any]

JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
NO_ANSWER: Final = "none"
"""The code of a request that was not answered: refused, cut, or timed out."""

_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "update": "PUT",
    "patch": "PATCH",
    "delete": "DELETE",
}
"""The HTTP method of every verb but watch, as Kubernetes names them."""
_PAGE: Final = 500
_TRIES_WHEN_BUSY: Final = 4
_LONGEST_WAIT: Final = 10.0
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_FIRST_ERROR: Final = 400
_LINE_LIMIT: Final = 16 * 1024 * 1024


class Client:
    """Requests to one API server over a bounded pool of connections.

    `in_flight` bounds the writes and reads under way at once; watches have a pool of their own, so that they
    never take a place from a write. `timeout` is in seconds, for one request.
    """

    def __init__(
        self, connection: Connection, *, in_flight: int = 32, timeout: float = 15.0, user_agent: str = "nsiso"
    ) -> None:
        """Prepare the client; connections are opened on first use."""
        self._connection = connection
        self._tls = connection.ssl_context() if connection.server.startswith("https") else None
        self._in_flight = in_flight
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._user_agent = user_agent
        self.answers: Counter[tuple[str, str]] = Counter()
        """How often which verb was answered with which HTTP code, or with NO_ANSWER; each try counts."""
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the two pools."""
        self._requests = self._session(limit=self._in_flight)
        self._watches = self._session(limit=0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        for session in (self._requests, self._watches):
            if session is not None:
                await session.close()
        self._requests = self._watches = None

    async def get(self, path: str, **params: str) -> Json:
        """Read one object."""
        return await self._send("get", path, params=params)

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """POST an object to its collection and return it as stored."""
        return await self._send("create", path, params={"fieldManager": FIELD_MANAGER}, body=body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """PUT an object (its metadata.resourceVersion guards it) and return it as stored."""
        return await self._send("update", path, params={"fieldManager": FIELD_MANAGER}, body=body)

    async def patch(self, path: str, body: object, *, content_type: str = MERGE_PATCH) -> Json:
        """PATCH an object and return it as stored."""
        params = {"fieldManager": FIELD_MANAGER}
        return await self._send("patch", path, params=params, body=body, content_type=content_type)

    async def delete(self, path: str, *, uid: str | None = None, resource_version: int | None = None) -> Json:
        """DELETE an object; with `uid` only if it is still that one, with `resource_version` only if unchanged."""
        version = None if resource_version is None else str(resource_version)
        conditions = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value is not None}
        return await self._send("delete", path, body={"preconditions": conditions} if conditions else None)

    async def pages(self, path: str, *, limit: int = _PAGE) -> AsyncIterator[Json]:
        """LIST a collection page by page; each page is the list object as served."""
        params = {"limit": str(limit)}
        while True:
            page = await self._send("list", path, params=params)
            yield page
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            params = {"limit": str(limit), "continue": token}

    async def watch(
        self, path: str, *, resource_version: str, seconds: int, silence: float, heard: Callable[[], None] | None = None
    ) -> AsyncIterator[Json]:
        """Stream the watch events behind `resource_version` until the server ends the stream.

        `seconds`: how long the server keeps the stream; `silence`: seconds without a byte (bookmarks come about
        once a minute) after which the connection counts as dead. `heard` is called when the server accepts the watch:
        on a quiet collection that is the only word for minutes. Raises ApiError, also for an ERROR event.
        """
        params = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=silence)
        request = f"WATCH {path}"
        try:
            stream = self._open(self._watches).get(
                self._connection.server + path,
                params=params,
                headers=await self._headers(request),
                ssl=self._tls or False,
                timeout=timeout,
            )
            async with await self._answered("watch", stream) as response:
                if response.status >= _FIRST_ERROR:
                    raise await refusal_of(response, request)
                if heard is not None:
                    heard()
                try:
                    async for line in response.content:
                        event: Json = json.loads(line)
                        if event["type"] == "ERROR":
                            status = event["object"]
                            raise error_from(status=int(status.get("code", 500)), body=status, request=request)
                        yield event
                finally:
                    # Who stops listening has nothing to wait for: a TLS goodbye would outlive the client.
                    if response.connection is not None and response.connection.transport is not None:
                        response.connection.transport.abort()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise no_answer(request, error) from error

    def _session(self, *, limit: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=limit, ssl=self._tls or False, socket_factory=_kept_alive)
        return aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": self._user_agent, "Accept": "application/json"},
            read_bufsize=_LINE_LIMIT,
            skip_auto_headers={"Accept-Encoding"},
            auto_decompress=True,
        )

    @staticmethod
    def _open(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
        if session is None:
            message = "the client is used outside `async with`"
            raise RuntimeError(message)
        return session

    async def _headers(self, request: str) -> dict[str, str]:
        try:
            return await self._connection.authorization()
        except ConnectionProblem as problem:
            raise no_credentials(request, problem) from problem

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> Json:
        """Send one request; a busy API server (429) is asked again when it says, a few times.

        Credentials that are no longer accepted (401) are loaded anew, once.
        """
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(1, _TRIES_WHEN_BUSY + 1):
            try:
                return await self._send_once(verb, path, params, data, content_type)
            except ApiError as error:
                if error.status == _UNAUTHORIZED and attempt == 1:
                    await self._renew(error)
                    continue
                if error.status != _TOO_MANY_REQUESTS or attempt == _TRIES_WHEN_BUSY:
                    raise
                wait = error.retry_after if error.retry_after is not None else 0.1 * 2**attempt
                await asyncio.sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError  # pragma: no cover - the loop returns or raises

    async def _renew(self, refusal: ApiError) -> None:
        """Load the credentials anew; where that fails now, the request failed, and a later one may not."""
        try:
            await self._connection.renew()
        except ConnectionProblem as problem:
            raise no_credentials(refusal.request, problem) from problem

    async def _send_once(
        self, verb: str, path: str, params: Mapping[str, str] | None, data: bytes | None, content_type: str
    ) -> Json:
        request = f"{_METHODS[verb]} {path}"
        headers = await self._headers(request)
        if data is not None:
            headers = {**headers, "Content-Type": content_type}
        try:
            exchange = self._open(self._requests).request(
                _METHODS[verb],
                self._connection.server + path,
                params=params,
                data=data,
                headers=headers,
                ssl=self._tls or False,
                timeout=self._timeout,
            )
            async with await self._answered(verb, exchange) as response:
                if response.status >= _FIRST_ERROR:
                    raise await refusal_of(response, request)
                answer: Json = json.loads(await response.read())
                return answer
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise no_answer(request, error) from error

    async def _answered(self, verb: str, exchange: Awaitable[aiohttp.ClientResponse]) -> aiohttp.ClientResponse:
        """Wait for the head of an answer, and count it, or that none came."""
        try:
            response = await exchange
        except (aiohttp.ClientError, TimeoutError):
            self.answers[verb, NO_ANSWER] += 1
            raise
        self.answers[verb, str(response.status)] += 1
        return response


def _kept_alive(address: tuple[Any, ...]) -> socket.socket:
    """Open a socket that notices within a minute that the other side is gone, however quiet the stream is."""
    family, kind, protocol, *_ = address
    opened = socket.socket(family=family, type=kind, proto=protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # not every system lets a program choose
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return opened

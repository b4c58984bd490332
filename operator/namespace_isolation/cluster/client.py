"""A thin client of the API server: JSON in, JSON out, errors as ApiError; lists in pages and watches as streams."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import aiohttp
import msgspec

from namespace_isolation.cluster.connection import Connection, ConnectionProblem
from namespace_isolation.cluster.errors import ApiError, error_from
from namespace_isolation.cluster.gate import Gate, Passage
from namespace_isolation.cluster.pools import Pools
from namespace_isolation.cluster.refusals import no_answer, no_credentials, refusal_of
from namespace_isolation.cluster.served import Event, Page, decoded, encoded
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.names import FIELD_MANAGER

__all__ = ["JSON_PATCH", "MERGE_PATCH", "NO_ANSWER", "Client", "Json"]

Json = dict[str, Any]
T = TypeVar("T")

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
_PAGE: Final = 1000
"""Objects a page. 40,000 policies take 2.1 s in pages of 500, 1.2 s in these, 1.4 s in pages of 2,000 (measured)."""
_PAGE_OBJECT: Final = msgspec.json.Decoder(Page).decode
_EVENT_OBJECT: Final = msgspec.json.Decoder(Event).decode
_TRIES_WHEN_BUSY: Final = 4
_LONGEST_WAIT: Final = 10.0
"""Seconds. What is to wait longer fails, so that the status says so, and is tried again from the queue."""
_WRITES: Final = frozenset({"create", "update", "patch", "delete"})
_FIRST_SERVER_ERROR: Final = 500
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_FIRST_ERROR: Final = 400


class Client:
    """Requests to one API server, in one lane, through a gate and pools that it shares with its other lanes (`on`).

    Whoever has only one kind of work needs no other lane than the first one, which is never held back for the others.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        in_flight: int = 32,
        writes_per_second: int | None = None,
        timeout: float = 15.0,
        user_agent: str = "nsiso",
    ) -> None:
        """Prepare the client; `timeout` is in seconds, for one request from when it may be sent.

        `in_flight` bounds the requests under way at once, `writes_per_second` those that change something (None: no
        bound); watches count in neither.
        """
        self._connection = connection
        self._tls = connection.ssl_context() if connection.server.startswith("https") else None
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self.answers: Counter[tuple[str, str]] = Counter()
        """How often which verb was answered with which HTTP code, or with NO_ANSWER; each try counts."""
        self.gate = Gate(in_flight, writes_per_second=writes_per_second)
        self._lane = Lane.URGENT
        self._pools = Pools(self._tls, in_flight=self.gate.most, user_agent=user_agent)

    def on(self, lane: Lane) -> Self:
        """Give the same client on a lane: same pools, same gate, same counters."""
        other = copy.copy(self)
        other._lane = lane  # noqa: SLF001 - it is one of us
        return other

    async def __aenter__(self) -> Self:
        """Open the pools, of every lane."""
        self._pools.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._pools.close()

    async def get(self, path: str, **params: str) -> Json:
        """Read one object."""
        return await self._object("get", path, params=params)

    async def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """POST an object to its collection and return it as stored."""
        return await self._object("create", path, params={"fieldManager": FIELD_MANAGER}, body=body)

    async def replace(self, path: str, body: Mapping[str, Any]) -> Json:
        """PUT an object (its metadata.resourceVersion guards it) and return it as stored."""
        return await self._object("update", path, params={"fieldManager": FIELD_MANAGER}, body=body)

    async def patch(self, path: str, body: object, *, content_type: str = MERGE_PATCH) -> Json:
        """PATCH an object and return it as stored."""
        params = {"fieldManager": FIELD_MANAGER}
        return await self._object("patch", path, params=params, body=body, content_type=content_type)

    async def delete(self, path: str, *, uid: str | None = None, resource_version: int | None = None) -> Json:
        """DELETE an object; with `uid` only if it is still that one, with `resource_version` only if unchanged."""
        version = None if resource_version is None else str(resource_version)
        conditions = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value is not None}
        return await self._object("delete", path, body={"preconditions": conditions} if conditions else None)

    async def pages(self, path: str, *, limit: int = _PAGE) -> AsyncIterator[Page]:
        """LIST a collection page by page; the next page is on its way while one is worked on."""
        params: dict[str, str] = {"limit": str(limit)}
        coming = asyncio.ensure_future(self._send("list", path, params=params))
        try:
            while True:
                page = _decoded_by(_PAGE_OBJECT, await coming, f"GET {path}")
                if page.token:
                    params = {"limit": str(limit), "continue": page.token}
                    coming = asyncio.ensure_future(self._send("list", path, params=params))
                yield page
                if not page.token:
                    return
        finally:
            await _dropped(coming)

    async def watch(
        self, path: str, *, resource_version: str, seconds: int, silence: float, heard: Callable[[], None] | None = None
    ) -> AsyncIterator[Event]:
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
            stream = self._pools.watches.get(
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
                        event = _EVENT_OBJECT(line)
                        if event.type == "ERROR":
                            status = event.document()
                            raise error_from(status=int(status.get("code", 500)), body=status, request=request)
                        yield event
                finally:
                    # Who stops listening has nothing to wait for: a TLS goodbye would outlive the client.
                    if response.connection is not None and response.connection.transport is not None:
                        response.connection.transport.abort()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise no_answer(request, error) from error

    async def _headers(self, request: str) -> dict[str, str]:
        try:
            return await self._connection.authorization()
        except ConnectionProblem as problem:
            raise no_credentials(request, problem) from problem

    async def _object(self, verb: str, path: str, **how: Any) -> Json:  # noqa: ANN401 - as _send takes it
        """Send one request and decode the object that answers it."""
        return _decoded_by(decoded, await self._send(verb, path, **how), f"{_METHODS[verb]} {path}")

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> bytes:
        """Send one request and give the text of the answer.

        A busy API server (429) is asked again when it says, a few times; the gate holds the others meanwhile.
        Credentials that are no longer accepted (401) are loaded anew, once.
        """
        data = None if body is None else encoded(body)
        for attempt in range(1, _TRIES_WHEN_BUSY + 1):
            passage = await self.gate.enter(self._lane, write=verb in _WRITES, again=attempt > 1)
            try:
                answer = await self._send_once(verb, path, params, data, content_type)
            except ApiError as error:
                self._tell_gate(passage, error, attempt)
                if error.status == _UNAUTHORIZED and attempt == 1:
                    await self._renew(error)
                    continue
                busy = error.status == _TOO_MANY_REQUESTS and _pause(error, attempt) <= _LONGEST_WAIT
                if not busy or attempt == _TRIES_WHEN_BUSY:
                    raise
            else:
                self.gate.answered()
                return answer
            finally:
                self.gate.leave(passage)
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _tell_gate(self, passage: Passage, error: ApiError, attempt: int) -> None:
        if error.status == _TOO_MANY_REQUESTS:
            self.gate.refused(passage, _pause(error, attempt))
        elif error.status >= _FIRST_SERVER_ERROR or error.timed_out:
            self.gate.overloaded(passage)

    async def _renew(self, refusal: ApiError) -> None:
        """Load the credentials anew; where that fails now, the request failed, and a later one may not."""
        try:
            await self._connection.renew()
        except ConnectionProblem as problem:
            raise no_credentials(refusal.request, problem) from problem

    async def _send_once(
        self, verb: str, path: str, params: Mapping[str, str] | None, data: bytes | None, content_type: str
    ) -> bytes:
        request = f"{_METHODS[verb]} {path}"
        headers = await self._headers(request)
        if data is not None:
            headers = {**headers, "Content-Type": content_type}
        try:
            exchange = self._pools.requests.request(
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
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
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


def _decoded_by(decode: Callable[[bytes], T], text: bytes, request: str) -> T:
    try:
        return decode(text)
    except ValueError as error:
        raise no_answer(request, error) from error


def _pause(refusal: ApiError, attempt: int) -> float:
    """Tell for how many seconds a busy API server is not to be asked."""
    return refusal.retry_after if refusal.retry_after is not None else 0.1 * 2**attempt


async def _dropped(task: asyncio.Future[bytes]) -> None:
    """Let go of a request that nobody waits for any more."""
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # if there was one, whoever waited for it has it; else Python would complain at the end

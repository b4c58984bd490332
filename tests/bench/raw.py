"""The raw client: as little between a list of requests and the API server as aiohttp allows.

It is the reference, so nothing of the operator's client is in it. Bodies and URLs are made before the clock starts,
answers are read and not decoded, and so many workers share one list of requests.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from namespace_isolation.cluster import Connection, connection_from
from tests.bench.lines import LineCutter
from tests.bench.problem import BenchProblem
from tests.bench.request import Request, Volley

__all__ = ["IN_FLIGHT", "RawClient", "cpu_seconds", "list_field", "raw_client", "version_of"]

IN_FLIGHT: Final = 32
"""How many requests the operator has under way at most."""

_TOO_MANY_REQUESTS: Final = 429
_FIRST_ERROR: Final = 400
_TIMEOUT: Final = 120.0
_BUFFER: Final = 4 * 1024 * 1024
_SHOWN: Final = 400
_ERROR: Final = b'{"type":"ERROR"'
_VERSION: Final = re.compile(rb'"resourceVersion":"(\d+)"')


class RawClient:
    """Requests over a pool of connections that stay open, and watches beside it."""

    def __init__(self, server: str, tls: ssl.SSLContext, headers: dict[str, str], in_flight: int = IN_FLIGHT) -> None:
        """Prepare the client; connections are opened on first use."""
        self.in_flight = in_flight
        self.resumed = 0
        """How often a watch was ended by the API server and went on."""
        self._server = server
        self._tls = tls
        self._headers = {"Accept": "application/json", "User-Agent": "nsiso-bench", **headers}
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the two pools."""
        self._requests = self._session(self.in_flight)
        self._watches = self._session(0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        for session in (self._requests, self._watches):
            if session is not None:
                await session.close()
        self._requests = self._watches = None

    async def send(self, request: Request, *, accept: Iterable[int] = ()) -> bytes:
        """Send one request and give the answer's body; BenchProblem for an error that `accept` does not name."""
        status, body, _ = await self._exchange(request, self._url(request))
        self._expect(request, status, body, frozenset(accept))
        return body

    async def send_json(self, request: Request, *, accept: Iterable[int] = ()) -> Any:  # noqa: ANN401 - JSON as served
        """Send one request and give the decoded answer."""
        return json.loads(await self.send(request, accept=accept))

    async def send_all(
        self,
        requests: Sequence[Request],
        *,
        in_flight: int | None = None,
        accept: Iterable[int] = (),
        answered: Callable[[], None] | None = None,
    ) -> Volley:
        """Send all requests with so many in flight; one that is refused with 429 is sent again when it may be.

        `answered` is called after each answer. Raises BenchProblem at the first error that `accept` does not name.
        """
        prepared = [(request, self._url(request)) for request in requests]
        rest = iter(prepared)
        accepted = frozenset(accept)
        refused = 0

        async def work() -> None:
            nonlocal refused
            for request, url in rest:
                status, body, after = await self._exchange(request, url)
                while status == _TOO_MANY_REQUESTS:
                    refused += 1
                    await asyncio.sleep(after)
                    status, body, after = await self._exchange(request, url)
                self._expect(request, status, body, accepted)
                if answered is not None:
                    answered()

        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(min(in_flight or self.in_flight, len(prepared))):
                group.create_task(work())
        return Volley(count=len(prepared), began=began, ended=time.monotonic(), refused=refused)

    async def list_bytes(self, path: str, *, page: int) -> int:
        """LIST a collection, in pages of so many or (0) at once; give the bytes read. Nothing is decoded."""
        return sum([len(body) async for body in self.pages(path, page=page)])

    async def pages(self, path: str, *, page: int) -> AsyncIterator[bytes]:
        """Give the pages of a LIST as served."""
        token = ""
        while True:
            query = (f"limit={page}" if page else "") + (f"&continue={token}" if token else "")
            body = await self.send(Request("GET", f"{path}?{query}" if query else path))
            yield body
            found = list_field("continue", body)
            if found is None:
                return
            token = found

    async def items(self, path: str, *, page: int = 500) -> list[dict[str, Any]]:
        """LIST a collection, decoded."""
        return [item async for body in self.pages(path, page=page) for item in json.loads(body)["items"]]

    async def version(self, path: str) -> str:
        """Ask for the version of a collection as it is now."""
        version = list_field("resourceVersion", await self.send(Request("GET", f"{path}?limit=1")))
        if version is None:
            raise BenchProblem(f"a LIST of {path} came without a version")
        return version

    async def watch(self, path: str, *, since: str, take: Callable[[list[bytes]], None], begun: asyncio.Event) -> None:
        """Give the lines of a watch to `take`, as many as came at once; set `begun` once the server accepts it.

        Runs until cancelled. Where the API server ends the watch, as one does that is too busy to serve it, the next
        one goes on behind the last event, and `resumed` counts it. Raises BenchProblem where that is refused.
        """
        while True:
            since = await self._stream(path, since, take, begun)
            self.resumed += 1

    async def _stream(self, path: str, since: str, take: Callable[[list[bytes]], None], begun: asyncio.Event) -> str:
        """Watch until the API server ends it; the version of the last event."""
        url = URL(f"{self._server}{path}?watch=1&allowWatchBookmarks=true&resourceVersion={since}", encoded=True)
        endless = aiohttp.ClientTimeout(total=None)
        cutter = LineCutter()
        async with _opened(self._watches).get(url, headers=self._headers, timeout=endless) as response:
            if response.status >= _FIRST_ERROR:
                raise BenchProblem(f"the watch of {path} was answered with {response.status}: {await response.text()}")
            begun.set()
            async for chunk in response.content.iter_any():
                if not (lines := cutter.cut(chunk)):
                    continue
                if lines[-1].startswith(_ERROR):
                    raise BenchProblem(f"the watch of {path} failed: {lines[-1].decode()}")
                take(lines)
                since = version_of(lines[-1]) or since
        return since

    async def _exchange(self, request: Request, url: URL) -> tuple[int, bytes, float]:
        """Send one request; the status, the body, and the seconds after which a refused one may be sent again."""
        headers = self._headers if request.body is None else {**self._headers, "Content-Type": request.content_type}
        try:
            async with _opened(self._requests).request(
                request.method, url, data=request.body, headers=headers
            ) as response:
                return response.status, await response.read(), float(response.headers.get("Retry-After", 1))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise BenchProblem(f"{request.method} {request.path}: {type(error).__name__} {error}") from error

    @staticmethod
    def _expect(request: Request, status: int, body: bytes, accepted: frozenset[int]) -> None:
        if status >= _FIRST_ERROR and status not in accepted:
            said = body[:_SHOWN].decode(errors="replace")
            raise BenchProblem(f"{request.method} {request.path} was answered with {status}: {said}")

    def _url(self, request: Request) -> URL:
        return URL(self._server + request.path, encoded=True)

    def _session(self, limit: int) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit, ssl=self._tls),
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
            skip_auto_headers={"Accept-Encoding"},
            read_bufsize=_BUFFER,
        )


async def raw_client(kubeconfig: Path, in_flight: int = IN_FLIGHT) -> RawClient:
    """Make the client of a kubeconfig's user."""
    connection: Connection = await connection_from(kubeconfig=kubeconfig)
    return RawClient(connection.server, connection.ssl_context(), await connection.authorization(), in_flight)


def cpu_seconds() -> float:
    """Tell the CPU time that this process has used, in user and kernel mode."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def list_field(name: str, body: bytes) -> str | None:
    """Find a field of a list's own metadata, which stands before the items or (custom resources) behind them."""
    pattern = re.compile(rf'"{name}":"([^"]+)"'.encode())
    found = pattern.search(body, 0, body.find(b'"items":')) or pattern.search(body, body.rfind(b"]"))
    return None if found is None else found.group(1).decode()


def version_of(event: bytes) -> str | None:
    """Find the version in a watch event: the first one is the object's own."""
    found = _VERSION.search(event)
    return None if found is None else found.group(1).decode()


def _opened(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if session is None:
        message = "the client is used outside `async with`"
        raise RuntimeError(message)
    return session

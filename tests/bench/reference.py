"""The reference as a process of its own: `python -m tests.bench.reference KUBECONFIG IN_FLIGHT`.

Orders come as JSON lines on standard input, and each is answered with one line on standard output. Times are taken from
the first request to the last answer; bodies and URLs are made before, and the same watches are open as the operator's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import uvloop

from tests.bench.raw import RawClient, cpu_seconds, raw_client
from tests.bench.request import Request
from tests.bench.watches import watching

__all__ = ["serve"]

_SEEN_WITHIN: Final = 30.0


class _Seen:
    """Counts the events of the watches, each of them decoded: a controller has to know what it has written."""

    def __init__(self) -> None:
        self.events = 0
        self._broken: BaseException | None = None
        self._news = asyncio.Event()

    def take(self, lines: list[bytes]) -> None:
        for line in lines:
            if json.loads(line)["type"] != "BOOKMARK":
                self.events += 1
        self._news.set()

    def broke(self, error: BaseException) -> None:
        self._broken = error
        self._news.set()

    async def until(self, events: int) -> None:
        async with asyncio.timeout(_SEEN_WITHIN):
            while self.events < events:
                if self._broken is not None:
                    raise self._broken
                self._news.clear()
                await self._news.wait()


async def serve(kubeconfig: Path, in_flight: int) -> None:
    """Answer orders until standard input ends."""
    async with await raw_client(kubeconfig, in_flight) as client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            order = json.loads(line)
            answer = await _ORDERS[order["do"]](client, order)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


async def _write(client: RawClient, order: dict[str, Any]) -> dict[str, Any]:
    """Send all requests of a file, with the watches open; the CPU time is up to the sight of the last write."""
    requests = _requests(Path(order["file"]))
    seen = _Seen()
    async with watching(client, dict.fromkeys(order["watch"], seen.take), seen.broke):
        cpu = cpu_seconds()
        volley = await client.send_all(requests)
        await seen.until(len(requests))
        cpu = cpu_seconds() - cpu
    return {
        "count": volley.count,
        "seconds": volley.seconds,
        "began": volley.began,
        "ended": volley.ended,
        "refused": volley.refused,
        "events": seen.events,
        "cpu": cpu,
    }


async def _list(client: RawClient, order: dict[str, Any]) -> dict[str, Any]:
    """LIST collections at the same time."""
    cpu, began = cpu_seconds(), time.monotonic()
    sizes = await asyncio.gather(*(client.list_bytes(path, page=order["page"]) for path in order["paths"]))
    return {"seconds": time.monotonic() - began, "cpu": cpu_seconds() - cpu, "bytes": sum(sizes)}


async def _latency(client: RawClient, order: dict[str, Any]) -> dict[str, Any]:
    """Send the requests of a file one after the other; how long each took, in seconds."""
    taken = []
    for request in _requests(Path(order["file"])):
        volley = await client.send_all([request], in_flight=1)
        taken.append(volley.seconds)
    return {"seconds": taken}


_ORDERS: Final = {"write": _write, "list": _list, "latency": _latency}


def _requests(file: Path) -> list[Request]:
    with file.open() as lines:
        return [_request(*json.loads(line)) for line in lines]


def _request(method: str, path: str, body: str | None) -> Request:
    return Request(method, path, None if body is None else body.encode())


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))  # the operator's event loop, so that nothing else differs

"""The bench's end of the reference process: orders out, answers in."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from namespace_isolation.sandbox.build import package_environment
from tests.bench.problem import BenchProblem
from tests.bench.raw import IN_FLIGHT
from tests.bench.request import Request

__all__ = ["PAGE", "WATCHED", "Listed", "Reference", "Written", "reference_process"]

PAGE: Final = 500
"""Objects in a page of the operator's lists."""
WATCHED: Final = (policies_path(), NAMESPACES_PATH, ISOLATIONS_PATH)
"""What the operator lists and watches."""

_ENDS_WITHIN: Final = 10.0
_ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """R1: what sending a list of requests took; times in seconds, `began` and `ended` on the machine's clock."""

    count: int
    seconds: float
    began: float
    ended: float
    refused: int
    events: int
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """R2: what listing everything took, in pages (`page` objects each) or at once (0)."""

    seconds: float
    cpu: float
    bytes: int
    page: int


class Reference:
    """The raw client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, directory: Path) -> None:
        """Take over a process that was just started; `directory` is for the orders' bodies."""
        self._process = process
        self._file = directory / "requests"

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def write(self, requests: Sequence[Request]) -> Written:
        """Send requests, all of them writes of policies, as fast as the API server takes them."""
        if not requests:
            raise BenchProblem("the reference was given nothing to write")
        self._keep(requests)
        return Written(**await self._order(do="write", file=str(self._file), watch=WATCHED))

    async def list_all(self) -> Listed:
        """List all that the operator lists, in pages and at once, and give the faster of the two."""
        listed = [Listed(**await self._order(do="list", paths=WATCHED, page=page), page=page) for page in (PAGE, 0)]
        return min(listed, key=lambda each: each.seconds)

    async def latencies(self, requests: Sequence[Request]) -> list[float]:
        """Send requests one after the other; the seconds of each."""
        self._keep(requests)
        seconds: list[float] = (await self._order(do="latency", file=str(self._file)))["seconds"]
        return seconds

    def _keep(self, requests: Sequence[Request]) -> None:
        with self._file.open("w") as file:
            for each in requests:
                body = None if each.body is None else each.body.decode()
                file.write(json.dumps([each.method, each.path, body]) + "\n")

    async def _order(self, **order: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        if not line:
            code = await self._process.wait()
            raise BenchProblem(f"the reference client ended with {code}; its words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def reference_process(kubeconfig: Path, in_flight: int = IN_FLIGHT) -> AsyncIterator[Reference]:
    """Run the reference as long as the context lasts; it ends with its standard input."""
    with tempfile.TemporaryDirectory(prefix="nsiso-bench-") as directory:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.reference", str(kubeconfig), str(in_flight)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=16 * 1024 * 1024,
            cwd=_ROOT,
            env=package_environment(),
        )
        try:
            yield Reference(process, Path(directory))
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()

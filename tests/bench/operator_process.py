"""The operator under measurement: its process, its memory, and what it says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import Final, TypeVar

import aiohttp
from typing_extensions import override

from tests.bench.metrics import Scrape, read_metrics
from tests.bench.problem import BenchProblem
from tests.bench.process import Memory, cpu_of, memory_of
from tests.support.operator import Operator

__all__ = ["MeasuredOperator"]

T = TypeVar("T")

_POLL: Final = 0.05
_POLL_SHARE: Final = 10
"""A scrape costs the operator time: the pause until the next one is so many times as long."""
_STOP_WITHIN: Final = 20.0
_ALIVE: Final = 0.5


class MeasuredOperator(Operator):
    """At most one operator process, started with its shipped rights."""

    started_at: float = 0.0
    """When the process was started, in monotonic seconds."""

    @property
    def pid(self) -> int:
        """The process's number."""
        if self._process is None:
            raise BenchProblem("the operator is not running")
        return self._process.pid

    @property
    def cpu(self) -> float:
        """CPU seconds since the start."""
        return cpu_of(self.pid)

    @property
    def memory(self) -> Memory:
        """Resident memory."""
        return memory_of(self.pid)

    def begin(self, *arguments: str) -> None:
        """Start the process and remember when."""
        self.started_at = time.monotonic()
        self.start(*arguments)

    async def outlives(self, work: Awaitable[T]) -> T:
        """Wait for something that the running operator brings about; BenchProblem where its process ends meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_ALIVE)
                if not task.done() and not self.running:
                    raise BenchProblem(f"the operator ended by itself\n{self.tail()}")
            return await task
        finally:
            task.cancel()

    async def scrape(self) -> Scrape:
        """Read /metrics."""
        url = f"http://127.0.0.1:{self.health_port}/metrics"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                return read_metrics(await response.text())
        except aiohttp.ClientError as error:
            raise BenchProblem(f"the operator does not serve /metrics: {error}\n{self.tail()}") from error

    async def rest(self, looks: int, *, within: float) -> Scrape:
        """Wait until at least so many namespaces were looked at and nothing waits; the last scrape."""
        await self._caches(within)
        scrape = Scrape()
        try:
            async with asyncio.timeout(within):
                while scrape.looks < looks or scrape.waiting:
                    await asyncio.sleep(_POLL)
                    began = time.monotonic()
                    scrape = await self.scrape()
                    if scrape.looks < looks or scrape.waiting:
                        await asyncio.sleep((time.monotonic() - began) * _POLL_SHARE)
        except TimeoutError:
            seen = f"{scrape.looks:.0f} of {looks} looks, {scrape.waiting:.0f} keys wait"
            raise BenchProblem(f"the operator did not come to rest within {within:.0f} s: {seen}") from None
        return scrape

    @override
    async def stop(self, within: float = _STOP_WITHIN) -> int:
        """Stop it in order; BenchProblem where it does not end well."""
        code = await super().stop(within)
        if code:
            raise BenchProblem(f"the operator ended with {code}\n{self.tail()}")
        return code

    async def _caches(self, within: float) -> None:
        try:
            await self.ready(within)
        except AssertionError as error:
            raise BenchProblem(f"the operator did not get ready: {error}") from error

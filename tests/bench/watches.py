"""Watches that last as long as a context; one that breaks ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from tests.bench.raw import RawClient

__all__ = ["watching"]


@asynccontextmanager
async def watching(
    client: RawClient,
    takers: Mapping[str, Callable[[list[bytes]], None]],
    broken: Callable[[BaseException], None],
) -> AsyncIterator[None]:
    """Watch collections from now on and give the lines of each to its taker; tell `broken` where one ends by itself."""
    tasks: list[asyncio.Task[None]] = []

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            broken(error)

    try:
        for path, take in takers.items():
            begun = asyncio.Event()
            since = await client.version(path)
            task = asyncio.create_task(client.watch(path, since=since, take=take, begun=begun))
            task.add_done_callback(ended)
            tasks.append(task)
            waiter = asyncio.create_task(begun.wait())
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
            waiter.cancel()
            if task.done():
                await task
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

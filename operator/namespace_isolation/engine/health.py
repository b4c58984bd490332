"""/healthz and /readyz: alive while the event loop answers, ready while every cache is complete and kept up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from namespace_isolation.cluster import ConnectionProblem
from namespace_isolation.engine.engine import Engine

__all__ = ["serve_health"]

_LONGEST_SILENCE: Final = 330.0
"""Seconds without a word on a collection. A watch on which nothing happens may bring no bookmark (measured on 1.36:
none for 163 s), but it ends after 290 s at the latest, and that, or the next one's beginning, is a word."""


@asynccontextmanager
async def serve_health(engine: Engine, *, host: str, port: int) -> AsyncIterator[None]:
    """Answer the kubelet's probes while the context lasts; raises ConnectionProblem where the port is taken."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(status=200 if engine.error is None else 500, text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        if not engine.synced:
            return web.Response(status=503, text="the caches are not complete yet\n")
        silent = engine.silent_for_longer_than(_LONGEST_SILENCE)
        if silent:
            text = f"nothing heard for {_LONGEST_SILENCE:.0f} s of {', '.join(silent)}; see the log for the reason\n"
            return web.Response(status=503, text=text)
        return web.Response(text="ok\n")

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host or None, port).start()
        except OSError as error:
            message = f"cannot listen on port {port}: {error.strerror}; choose another with --health-port"
            raise ConnectionProblem(message) from error
        yield
    finally:
        await runner.cleanup()

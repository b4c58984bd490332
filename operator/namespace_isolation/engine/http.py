"""The operator's one port: /healthz and /readyz for the kubelet, /metrics for Prometheus; read only, in plain text."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from namespace_isolation.cluster import ConnectionProblem
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.health import Check, alive, ready, told
from namespace_isolation.engine.settings import Settings

__all__ = ["serve_http"]


@asynccontextmanager
async def serve_http(engine: Engine, registry: CollectorRegistry, settings: Settings) -> AsyncIterator[None]:
    """Answer while the context lasts, also while the engine drains; raises ConnectionProblem where a port is taken."""

    async def healthz(request: web.Request) -> web.Response:
        return _probe("healthz", alive(engine, limit=settings.contact_limit), request)

    async def readyz(request: web.Request) -> web.Response:
        return _probe("readyz", ready(engine), request)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    app = web.Application()
    for path, handler in (("/healthz", healthz), ("/readyz", readyz), ("/metrics", metrics)):
        app.router.add_get(path, handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.health_host or None, settings.health_port).start()
        except OSError as error:
            port = settings.health_port
            message = f"cannot listen on port {port}: {error.strerror}; choose another with --health-port"
            raise ConnectionProblem(message) from error
        yield
    finally:
        await runner.cleanup()


def _probe(name: str, checks: Iterable[Check], request: web.Request) -> web.Response:
    passed, text = told(name, checks, verbose="verbose" in request.query)
    return web.Response(status=200 if passed else 503, text=text)

"""The composition root: one process, one client, one engine, and Kopf around it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, cast

import kopf
import structlog

from namespace_isolation import __version__
from namespace_isolation.cluster import Client, Connection, connection_from
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.http import serve_http
from namespace_isolation.engine.settings import Settings
from namespace_isolation.engine.sources import sources_of
from namespace_isolation.observe.handlers import watch_isolations
from namespace_isolation.report.metrics.exposition import registry_of

__all__ = ["run_operator"]


async def run_operator(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; raises what ended the engine, ConnectionProblem where there is no cluster."""
    connection = await connection_from(kubeconfig=settings.kubeconfig, context=settings.context)
    log = structlog.get_logger()
    log.info("starting", version=__version__, server=connection.server, credentials=connection.source)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            Client(
                connection,
                in_flight=settings.in_flight,
                writes_per_second=settings.max_writes_per_second,
                timeout=settings.request_timeout,
                user_agent=f"nsiso/{__version__}",
            )
        )
        engine = Engine(client, settings)
        if settings.health_port is not None:
            metrics = registry_of(sources_of(engine, client))
            await stack.enter_async_context(serve_http(engine, metrics, settings))
        registry = kopf.OperatorRegistry()
        _wire(registry, engine, connection)
        await kopf.operator(
            registry=registry,
            settings=_kopf_settings(),
            standalone=True,
            clusterwide=True,
            stop_flag=engine.ended,
            identity=cast("Any", f"nsiso-{os.getpid()}"),  # else Kopf asks for a user name, which a pod need not have
        )
    if engine.error is not None:
        raise engine.error


def _wire(registry: kopf.OperatorRegistry, engine: Engine, connection: Connection) -> None:
    """Start the engine with Kopf and drain it before Kopf ends; an own registry has no login of its own."""

    @kopf.on.startup(registry=registry, id="engine")
    async def started(**_: Any) -> None:  # noqa: ANN401 - Kopf hands over much more
        engine.start()
        try:
            # Kopf gives up on an API server that is not there yet, and on a CRD that is not: it starts when both are.
            await engine.found_isolations()
        except asyncio.CancelledError:
            await engine.drain()  # Kopf skips its cleanup where the start was interrupted
            raise

    @kopf.on.cleanup(registry=registry, id="engine")
    async def stopping(**_: Any) -> None:  # noqa: ANN401 - Kopf hands over much more
        await engine.drain()

    @kopf.on.login(registry=registry, id="connection")
    async def login(**_: Any) -> kopf.ConnectionInfo:  # noqa: ANN401 - Kopf hands over much more
        return await _kopf_connection(connection)

    watch_isolations(registry, engine.world.isolations)


async def _kopf_connection(connection: Connection) -> kopf.ConnectionInfo:
    """Give Kopf the same way to the cluster; it asks again when the API server no longer knows its token."""
    configuration = connection.configuration
    scheme, _, token = (await connection.authorization()).get("Authorization", "").partition(" ")
    return kopf.ConnectionInfo(
        server=connection.server,
        ca_path=configuration.ssl_ca_cert,
        ca_data=None if configuration.ssl_ca_cert else configuration.ca_cert_data,
        insecure=not configuration.verify_ssl,
        scheme=scheme or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )


class _Patience:
    """Pauses in seconds between Kopf's tries: without an end, because Kopf ends the process after the last one."""

    def __iter__(self) -> Iterator[float]:
        return itertools.chain((1, 1, 2, 3, 5), itertools.repeat(10))


class _NothingToCompare(kopf.DiffBaseStorage):
    """Keeps Kopf from copying every object to find out what changed in it: it has no handler that asks for that."""

    def build(self, *, body: kopf.Body, extra_fields: object = None) -> kopf.BodyEssence:  # noqa: ARG002 - Kopf's form
        """Find nothing in an object."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002 - Kopf's form
        """Remember nothing of it."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Write nothing into it."""


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    # Nobody's finalizer: Kopf would patch an object that carries the one it takes for its own.
    settings.persistence.finalizer = "nsiso.dev/not-used-by-kopf"
    settings.persistence.diffbase_storage = _NothingToCompare()
    settings.posting.enabled = False
    # What one object's worker holds, the whole object above all, is held until it was idle for so long.
    settings.queueing.idle_timeout = 0.2
    settings.watching.chunk_size = 500
    settings.networking.error_backoffs = _Patience()
    settings.watching.server_timeout = 290
    settings.watching.client_timeout = 300
    settings.watching.connect_timeout = 10
    settings.process.ultimate_exiting_timeout = 10
    return settings

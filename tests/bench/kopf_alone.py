"""Kopf with nothing to do: `python -m tests.bench.kopf_alone KUBECONFIG COUNT`.

Runs Kopf with the operator's settings and a handler that only counts, until so many isolations were seen, and writes
the CPU seconds that took as JSON to standard output: `imports` before it starts, `events` from then on.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import kopf

from namespace_isolation.cluster import connection_from
from namespace_isolation.engine import operator as composition
from namespace_isolation.model import names
from tests.bench.raw import cpu_seconds

__all__ = ["watch_until"]


async def watch_until(kubeconfig: Path, count: int) -> dict[str, float]:
    """Let Kopf watch until it has seen so many isolations; the CPU seconds."""
    connection = await connection_from(kubeconfig=kubeconfig)
    registry, enough, seen = kopf.OperatorRegistry(), asyncio.Event(), set[str]()
    imports = cpu_seconds()
    events = 0.0

    @kopf.on.login(registry=registry, id="connection")
    async def login(**_: Any) -> kopf.ConnectionInfo:  # noqa: ANN401 - Kopf hands over much more
        return await composition._kopf_connection(connection)

    @kopf.on.event(names.GROUP, names.VERSION, names.PLURAL, registry=registry)
    async def look(name: str, **_: Any) -> None:  # noqa: ANN401 - Kopf hands over much more
        nonlocal events
        seen.add(name)
        if len(seen) == count:
            events = cpu_seconds() - imports
            enough.set()

    await kopf.operator(
        registry=registry,
        settings=composition._kopf_settings(),
        standalone=True,
        clusterwide=True,
        stop_flag=enough,
        identity="nsiso-bench",  # type: ignore[arg-type]  # a name of its own type, which nothing gives out
    )
    return {"imports": imports, "events": events}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(watch_until(Path(sys.argv[1]), int(sys.argv[2])))) + "\n")

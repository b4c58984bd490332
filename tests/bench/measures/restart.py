"""A restart on a converged cluster: until ready and every namespace looked at. Against R2, a bare LIST of the same."""

from __future__ import annotations

import time

from tests.bench.arena import WITHIN, Arena
from tests.bench.figures import Figure, Result
from tests.bench.kopf_process import KopfAlone, kopf_alone
from tests.bench.reference_process import Listed

__all__ = ["measure_restart"]


async def measure_restart(arena: Arena) -> Result:
    """Stop the operator, list everything with the raw client, start the operator again."""
    operator, observer = arena.operator, arena.observer
    looks = await arena.namespaces()
    await operator.stop()
    with arena.progress.step("the reference lists everything"):
        listed = await arena.reference.list_all()
    with arena.progress.step("Kopf alone sees the isolations"):
        kopf = await kopf_alone(operator.kubeconfig, len(arena.wanted))
    with arena.progress.step("the operator starts on a converged cluster"):
        observer.forget()
        operator.begin()
        scrape = await operator.rest(looks, within=WITHIN)
        seconds, cpu = time.monotonic() - operator.started_at, operator.cpu
    writes = max(scrape.writes, len(observer.policies))
    return Result(
        measure="restart",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=_figures(seconds, cpu, writes, listed, kopf),
        details={
            "list_page": listed.page,
            "list_bytes": listed.bytes,
            "requests": dict(scrape.requests),
            "kopf_imports": kopf.imports,
        },
    )


def _figures(seconds: float, cpu: float, writes: int, listed: Listed, kopf: KopfAlone) -> tuple[Figure, ...]:
    return (
        Figure(
            name="restart.wall",
            title="restart: until every namespace was looked at",
            unit="s",
            value=seconds,
            reference=listed.seconds,
            against="R2",
        ),
        Figure(
            name="restart.cpu", title="restart: CPU until then", unit="s", value=cpu, reference=listed.cpu, against="R2"
        ),
        Figure(
            name="restart.kopf",
            title="restart: CPU of Kopf alone for the same isolations",
            unit="s",
            value=kopf.events,
        ),
        Figure(name="restart.writes", title="restart: writes", unit="", value=writes),
    )

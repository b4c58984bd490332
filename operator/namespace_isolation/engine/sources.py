"""Where /metrics reads in a running engine; nothing is kept here."""

from __future__ import annotations

import platform
from importlib.metadata import version

from namespace_isolation import __version__
from namespace_isolation.cluster import Client
from namespace_isolation.engine.engine import Engine
from namespace_isolation.model.lane import Lane
from namespace_isolation.report.metrics.census import Census, take_census
from namespace_isolation.report.metrics.exposition import Flow, Sources

__all__ = ["sources_of"]


def sources_of(engine: Engine, client: Client) -> Sources:
    """Point to the state of an engine and of its client."""

    def census() -> Census:
        return take_census(
            engine.world.isolations.by_name.values(),
            members=engine.world.members,
            standings=engine.board.standings,
            status=engine.world.isolations.status_of,
        )

    return Sources(
        census=census,
        history=engine.history,
        answers=lambda: client.answers,
        flow=lambda: Flow(
            under_way={_told(lane): count for lane, count in client.gate.under_way.items()},
            waited={_told(lane): seconds for lane, seconds in client.gate.waited.items()},
            limit=client.gate.limit,
        ),
        relists=lambda: {each.collection: max(0, each.lists - 1) for each in engine.contacts},
        queues=lambda: {name: len(queue) for name, queue in engine.queues.items()},
        events=lambda: {"posted": engine.announcer.posted, "dropped": engine.announcer.dropped},
        leads=lambda: True,  # there is one replica
        build={"version": __version__, "python": platform.python_version(), "kopf": version("kopf")},
    )


def _told(lane: Lane) -> str:
    return lane.name.lower()

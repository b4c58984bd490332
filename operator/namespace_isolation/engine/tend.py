"""The story of one isolation: its finalizer, its status, and its end once its policies are gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from namespace_isolation.apply.isolations import read, set_finalizer, write_status
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.report.board import Board
from namespace_isolation.report.status import is_complete, status_of

__all__ = ["tend"]

Json = Mapping[str, Any]
Published = Callable[[Isolation, Json, Json], None]
"""Takes an isolation, the status that it had, and the one that was written."""

_NOT_FOUND = 404
_ANOTHER = frozenset({409, 422})
"""The isolation changed meanwhile, or another one bears its name."""


async def tend(
    name: str,
    *,
    world: World,
    board: Board,
    client: Client,
    now: Callable[[], datetime],
    published: Published,
) -> None:
    """Bring one isolation's finalizer or status up to date; raise ApiError where that has to be tried again.

    `published` is called for a status that was written, before the answer to it is news.
    """
    isolation = world.isolations.by_name.get(name)
    if isolation is None:
        return
    try:
        if world.finalizer_is_due(isolation):
            # The answer is news of this isolation: its status follows.
            written = await set_finalizer(client, isolation, present=not isolation.deleting)
            _take_in(written, world)
        else:
            await _publish(isolation, world, board, client, now(), published)
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return  # deleted meanwhile; the watch will say so
        if error.status in _ANOTHER:
            world.isolations.changed(await read(client, name))
        raise


def _take_in(written: dict[str, Any], world: World) -> None:
    """Take in the answer; one that is being deleted and has no finalizer left is gone with it.

    Kopf need not tell of that: it may have begun to watch only afterwards.
    """
    metadata = written["metadata"]
    if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
        world.isolations.removed(metadata["name"], metadata["uid"], int(metadata["resourceVersion"]))
    else:
        world.isolations.changed(written)


async def _publish(
    isolation: Isolation,
    world: World,
    board: Board,
    client: Client,
    now: datetime,
    published: Published,
) -> None:
    """Write the status where it differs from the one in the cluster."""
    name = isolation.name
    if isolation.deleting and FINALIZER not in isolation.finalizers:
        return
    members, standings = world.members(name), board.standings(name)
    previous = world.isolations.status_of(name)
    seen_before = previous.get("observedGeneration") == isolation.generation
    complete = is_complete(isolation, members, standings) and board.looked_at(world.leftovers(isolation))
    if seen_before and not board.wrote(name) and not complete:
        return  # after a restart: what is in the status is the better knowledge until all was looked at
    status = status_of(
        isolation, members=members, standings=standings, drift=board.drift(name), previous=previous, now=now
    )
    if previous == status:
        return
    written = await write_status(client, isolation, status)
    published(isolation, previous, status)
    world.isolations.changed(written)

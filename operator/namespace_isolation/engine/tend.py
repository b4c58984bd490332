"""The story of one isolation: its finalizer, its status, and its end once its policies are gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from namespace_isolation.apply.isolations import read, set_finalizer, write_status
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.report.board import Board
from namespace_isolation.report.status import is_complete, status_of

__all__ = ["tend"]

_NOT_FOUND = 404
_ANOTHER = frozenset({409, 422})
"""The isolation changed meanwhile, or another one bears its name."""


async def tend(name: str, *, world: World, board: Board, client: Client, now: Callable[[], datetime]) -> bool:
    """Bring one isolation's finalizer or status up to date and tell whether the status was written.

    Raises ApiError where that has to be tried again.
    """
    isolation = world.isolations.by_name.get(name)
    if isolation is None:
        return False
    try:
        if world.finalizer_is_due(isolation):
            # The answer is news of this isolation: its status follows.
            written = await set_finalizer(client, isolation, present=not isolation.deleting)
            world.isolations.changed(written)
            return False
        return await _publish(isolation, world, board, client, now())
    except ApiError as error:
        if error.status == _NOT_FOUND:
            return False  # deleted meanwhile; the watch will say so
        if error.status in _ANOTHER:
            world.isolations.changed(await read(client, name))
        raise


async def _publish(isolation: Isolation, world: World, board: Board, client: Client, now: datetime) -> bool:
    """Write the status where it differs from the one in the cluster."""
    name = isolation.name
    if isolation.deleting and FINALIZER not in isolation.finalizers:
        return False
    members, standings = world.members(name), board.standings(name)
    previous = world.isolations.status_of(name)
    seen_before = previous.get("observedGeneration") == isolation.generation
    if seen_before and not board.wrote(name) and not is_complete(isolation, members, standings):
        return False  # after a restart: what is in the status is the better knowledge until all was looked at
    status = status_of(
        isolation, members=members, standings=standings, drift=board.drift(name), previous=previous, now=now
    )
    if all(previous.get(key) == value for key, value in status.items()):
        return False
    world.isolations.changed(await write_status(client, isolation, status))
    return True

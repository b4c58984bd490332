"""Namespaces that are to come: what their isolations need is there before, and all of it goes afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.arena import Arena
from tests.bench.shapes import Place

__all__ = ["expecting"]


@asynccontextmanager
async def expecting(arena: Arena, prefix: str, count: int) -> AsyncIterator[list[Place]]:
    """Give places whose namespaces the context may create; isolations of their own exist and have been looked at."""
    places = arena.shape.places(prefix, count)
    standing = {document["metadata"]["name"] for document in arena.shape.isolations(arena.places)}
    documents = arena.shape.isolations(places)
    own = [each for each in documents if each["metadata"]["name"] not in standing]
    names = [each["metadata"]["name"] for each in own]
    before = arena.wanted
    if own:
        arena.observer.forget()
        await arena.populate([], own)
        await arena.settled(names)
    yield places
    await arena.remove(places)
    if own:
        await arena.withdraw(names)
    arena.wanted = before

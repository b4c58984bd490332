"""How long one write takes: creates by the raw client in between the probes, so that both are disturbed alike."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from namespace_isolation.observe.served_policy import policies_path
from tests.bench.arena import Arena
from tests.bench.request import Request
from tests.bench.shapes import Place
from tests.bench.wanted import deletions

__all__ = ["Writes", "writing"]

_PLACE: Final = Place(name="latency", isolations=())


class Writes:
    """The seconds of each write so far; `one` makes another."""

    def __init__(self, arena: Arena) -> None:
        """Write nothing yet."""
        self.seconds: list[float] = []
        self._arena = arena

    @property
    def names(self) -> list[str]:
        """Name what was created."""
        return [_name(number) for number in range(len(self.seconds))]

    async def one(self) -> None:
        """Have the reference create one policy where no isolation is."""
        request = Request("POST", policies_path(_PLACE.name), _body(_name(len(self.seconds))))
        self.seconds += await self._arena.reference.latencies([request])


@asynccontextmanager
async def writing(arena: Arena) -> AsyncIterator[Writes]:
    """Make room for single writes, and take them away again."""
    await arena.populate([_PLACE], [])
    writes = Writes(arena)
    yield writes
    await arena.admin.send_all(deletions((_PLACE.name, name) for name in writes.names))
    await arena.remove([_PLACE])


def _name(number: int) -> str:
    return f"sample-{number}"


def _body(name: str) -> bytes:
    """Write a policy of nobody, about as large as ours."""
    peer = {"podSelector": {"matchLabels": {"app": "web"}}}
    spec = {
        "podSelector": {"matchLabels": {"app": "api"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [peer], "ports": [{"protocol": "TCP", "port": 8080}]}],
    }
    return json.dumps({"metadata": {"name": name, "annotations": {"about": "x" * 200}}, "spec": spec}).encode()

"""An edit of one allow entry: only the policies of that entry are written. Against R1 replacing the very same ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from namespace_isolation.model.policy import Policy
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from tests.bench.arena import WITHIN, Arena
from tests.bench.figures import Figure, Result
from tests.bench.request import Request
from tests.bench.shapes import ENTRY, Place
from tests.bench.wanted import Wanted, policies_of, rendered, replacement

__all__ = ["changed", "edited", "measure_edit", "status_rate"]

Json = dict[str, Any]

_MERGE: Final = "application/merge-patch+json"
_FIRST_PORT, _SECOND_PORT = 9090, 9091


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edited:
    """What the operator did: seconds between the first and the last changed policy, other writes, status moments."""

    seconds: float
    others: int
    statuses: Sequence[float]


async def measure_edit(arena: Arena) -> Result:
    """Change the port of the entry in every isolation that has one, twice.

    The reference goes first: while no operator runs, it replaces the policies of the entry by what the edited
    isolations render to, so that the operator finds nothing to do afterwards. Then the port is changed again.
    """
    names = [each["metadata"]["name"] for each in arena.shape.isolations(arena.places) if "allow" in each["spec"]]
    await arena.operator.stop()
    # Rendered beforehand: while it takes seconds for many isolations, nobody would read the watches.
    documents = await arena.admin.items(ISOLATIONS_PATH)
    first, second = (rendered(edited(each, port) for each in documents) for port in (_FIRST_PORT, _SECOND_PORT))
    reference = await _reference(arena, names, first)
    arena.observer.forget()
    await arena.restart()
    await arena.settled(names)
    done = await _operator(arena, names, second)
    figures = [
        Figure(
            name="edit.policies",
            title="edit of one entry: first policy to last",
            unit="s",
            value=done.seconds,
            reference=reference,
            against="R1",
        ),
        Figure(name="edit.unchanged", title="edit of one entry: writes of other policies", unit="", value=done.others),
    ]
    if len(names) == 1:
        rate = status_rate(done.statuses)
        figures.append(Figure(name="edit.statuses", title="edit of one entry: status writes", unit="/s", value=rate))
    return Result(
        measure="edit",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=tuple(figures),
        details={"statuses": len(done.statuses)},
    )


def status_rate(moments: Sequence[float]) -> float:
    """Tell how many writes a second there are from the first to the last, in hundredths; 0 where there is only one."""
    if len(moments) < 2:
        return 0.0
    return round((len(moments) - 1) / (max(moments) - min(moments)), 2)


async def _reference(arena: Arena, names: Sequence[str], wanted: Wanted) -> float:
    """Edit the isolations while no operator runs, and have the reference replace the policies; its seconds."""
    keys = changed(arena.places, arena.wanted, wanted)
    await _edit(arena, names, _FIRST_PORT)
    with arena.progress.step(f"the reference replaces {len(keys)} policies"):
        arena.observer.forget()
        await arena.reference.write([replacement(namespace, policy) for namespace, policy in keys])
        await arena.seen(len(keys), "MODIFIED")
    arena.wanted = wanted
    first, last = arena.observer.span("MODIFIED")
    return last - first


async def _operator(arena: Arena, names: Sequence[str], wanted: Wanted) -> _Edited:
    observer, operator = arena.observer, arena.operator
    keys = changed(arena.places, arena.wanted, wanted)
    looks = int((await operator.scrape()).looks)
    with arena.progress.step(f"the operator replaces {len(keys)} policies"):
        observer.forget()
        await _edit(arena, names, _SECOND_PORT)
        await arena.seen(len(keys), "MODIFIED")
        settling = await arena.settled(names)
        await operator.rest(looks + len(arena.places), within=WITHIN)
    arena.wanted = wanted
    first, last = observer.span("MODIFIED")
    return _Edited(seconds=last - first, others=len(observer.policies) - len(keys), statuses=settling.statuses)


async def _edit(arena: Arena, names: Sequence[str], port: int) -> None:
    patch = json.dumps({"spec": {"allow": [_entry(port)]}}).encode()
    await arena.admin.send_all([Request("PATCH", isolation_path(name), patch, _MERGE) for name in names])


def edited(document: Json, port: int) -> Json:
    """Give an isolation as it will be served after the edit."""
    spec = document["spec"]
    return {**document, "spec": {**spec, "allow": [_entry(port)]} if "allow" in spec else spec}


def _entry(port: int) -> Json:
    return {**ENTRY, "ports": [{"port": port}]}


def changed(places: Iterable[Place], now: Wanted, then: Wanted) -> list[tuple[str, Policy]]:
    """Give the policies that are to be other ones than now, each with its namespace."""
    old = {policy.name: policy.digest for policies in now.values() for policy in policies}
    return [
        (place.name, policy)
        for place in places
        for policy in policies_of(place, then)
        if old[policy.name] != policy.digest
    ]

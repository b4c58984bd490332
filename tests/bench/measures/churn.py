"""Memory over minutes in which namespaces come and go, policies drift and isolations are edited."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from random import Random
from statistics import median
from typing import Final

from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.served_policy import policies_path, read_policy
from tests.bench.arena import WITHIN, Arena
from tests.bench.expected import expecting
from tests.bench.figures import Figure, Result
from tests.bench.probes import drifts
from tests.bench.problem import BenchProblem
from tests.bench.request import Request
from tests.bench.shapes import ENTRY, Place
from tests.bench.wanted import namespace_creations, policies_of, removals, rendered

__all__ = ["growth_of_memory", "measure_churn"]

_WARM_UP: Final = 0.2
"""The share of the time after which memory is to stay as it is."""
_WINDOW: Final = 0.1
"""The share of the time over whose samples the median is taken."""
_SAMPLES: Final = 100
_GUESTS: Final = 100
"""Names of namespaces that come and go; half of them are there at a time."""
_PAUSE: Final = 0.02
"""Seconds between two drifts, and between two guests."""
_EDIT_PAUSE: Final = 5.0
_CALM: Final = 60.0
"""Seconds in which a policy is disturbed once at most: more often would become a fight."""
_ENDLESS: Final = 1_000_000
_MERGE: Final = "application/merge-patch+json"


async def measure_churn(arena: Arena, seconds: float) -> Result:
    """Disturb the cluster for so long, and compare the memory after a warm-up with that at the end.

    At the end every policy must be as it is wanted, or there was no point in measuring; BenchProblem else.
    """
    samples: list[tuple[float, float]] = []
    before = arena.operator.cpu
    async with expecting(arena, "guest", _GUESTS) as places:
        with arena.progress.step(f"{seconds:.0f} s of churn"):
            churn = _Churn(arena, time.monotonic() + seconds)
            async with asyncio.TaskGroup() as group:
                group.create_task(churn.guests(places))
                group.create_task(churn.drift())
                group.create_task(churn.edit())
                group.create_task(churn.sample(samples))
            await arena.operator.rest(0, within=WITHIN)
    await _expect_all_in_place(arena)
    return Result(
        measure="churn",
        shape=arena.shape.letter,
        namespaces=len(arena.places),
        figures=(
            Figure(
                name="churn.growth",
                title=f"churn of {seconds:.0f} s: growth of memory",
                unit="%",
                value=growth_of_memory(samples),
            ),
            Figure(name="churn.memory", title="churn: memory at its end", unit="MiB", value=samples[-1][1]),
        ),
        details={**churn.done, "cpu": arena.operator.cpu - before, "memory": samples},
    )


def growth_of_memory(samples: list[tuple[float, float]]) -> float:
    """Tell by how many percent memory grew from the end of the warm-up to the end, each the median of a window."""
    first, last = samples[0][0], samples[-1][0]
    length = last - first

    def middle(share: float) -> float:
        end = first + share * length
        return median(memory for at, memory in samples if end - _WINDOW * length <= at <= end)

    return 100 * (middle(1.0) / middle(_WARM_UP) - 1)


class _Churn:
    """The actors; each goes on until the time is over."""

    def __init__(self, arena: Arena, ends_at: float) -> None:
        """Count what is done."""
        self.done = {"guests": 0, "drifts": 0, "edits": 0}
        self._arena = arena
        self._ends_at = ends_at
        self._random = Random(0)  # noqa: S311 - the same course in every run

    def _goes_on(self) -> bool:
        return time.monotonic() < self._ends_at

    async def guests(self, places: list[Place]) -> None:
        """Create and delete namespaces, the oldest first."""
        absent, present = deque(places), deque[Place]()
        while self._goes_on():
            if len(present) < len(places) // 2:
                present.append(absent.popleft())
                # One that is still being deleted may be in its own way.
                await self._arena.admin.send(namespace_creations(present)[-1], accept=(409,))
            else:
                absent.append(present.popleft())
                for request in removals(absent[-1]):
                    await self._arena.admin.send(request, accept=(404, 409))
            self.done["guests"] += 1
            await asyncio.sleep(_PAUSE)

    async def drift(self) -> None:
        """Disturb one policy after the other, and begin anew when each had its turn."""
        while self._goes_on():
            began = time.monotonic()
            for each in drifts(self._arena.places, self._arena.wanted, _ENDLESS, self._random):
                if not self._goes_on():
                    return
                await self._arena.admin.send(each.request, accept=(404,))
                self.done["drifts"] += 1
                await asyncio.sleep(_PAUSE)
            await asyncio.sleep(max(0.0, min(began + _CALM, self._ends_at) - time.monotonic()))

    async def edit(self) -> None:
        """Change the port of one isolation after the other."""
        isolations = self._arena.shape.isolations(self._arena.places)
        names = [each["metadata"]["name"] for each in isolations if "allow" in each["spec"]]
        while self._goes_on():
            port = 9000 + self.done["edits"] % 1000
            patch = json.dumps({"spec": {"allow": [{**ENTRY, "ports": [{"port": port}]}]}}).encode()
            name = self._random.choice(names)
            await self._arena.admin.send(Request("PATCH", isolation_path(name), patch, _MERGE))
            self.done["edits"] += 1
            await asyncio.sleep(max(0.0, min(_EDIT_PAUSE, self._ends_at - time.monotonic())))

    async def sample(self, samples: list[tuple[float, float]]) -> None:
        """Read the memory a hundred times, and tell how far it is."""
        pause = (self._ends_at - time.monotonic()) / _SAMPLES
        while self._goes_on():
            samples.append((time.monotonic(), self._arena.operator.memory.now))
            self._arena.progress.at(f"{self._ends_at - time.monotonic():.0f} s left, {self.done}")
            self._arena.observer.forget()
            await asyncio.sleep(pause)


async def _expect_all_in_place(arena: Arena) -> None:
    """Wait until every policy of the places is as the isolations want it now."""
    wanted = rendered(await arena.admin.items(ISOLATIONS_PATH))
    arena.wanted = wanted
    ends_at = time.monotonic() + WITHIN
    with arena.progress.step("every policy is compared with what is wanted"):
        while True:
            live = {
                (each.namespace, each.name): each for each in map(read_policy, await arena.admin.items(policies_path()))
            }
            missing = [
                f"{place.name}/{policy.name}"
                for place in arena.places
                for policy in policies_of(place, wanted)
                if (found := live.get((place.name, policy.name))) is None or not found.matches(policy)
            ]
            if not missing:
                return
            if time.monotonic() > ends_at:
                raise BenchProblem(f"after the churn {len(missing)} policies are not as wanted, such as {missing[0]}")
            await asyncio.sleep(1.0)

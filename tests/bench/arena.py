"""Where one measurement takes place: a fresh control plane, the operator, the reference and the observer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.sandbox import Progress as SandboxProgress
from namespace_isolation.sandbox import Sandbox
from tests.bench.observer import Observer, observing
from tests.bench.operator_process import MeasuredOperator
from tests.bench.progress import Progress
from tests.bench.raw import RawClient, raw_client
from tests.bench.reference_process import Reference, reference_process
from tests.bench.request import Request
from tests.bench.settled import Follower, Leaving, Settling
from tests.bench.shapes import POLICIES_EACH, Place, Shape
from tests.bench.wanted import Wanted, deletions, isolation_creations, namespace_creations, removals, rendered
from tests.support.cluster import sandbox_cluster
from tests.support.operator import install, operator_kubeconfig

__all__ = ["WITHIN", "Arena", "arena"]

Json = dict[str, Any]

WITHIN: Final = 900.0
"""Seconds that any step may take; generous, because a busy machine is no fault."""


@dataclass(slots=True, kw_only=True)
class Arena:
    """Everything that a measure needs; `admin` is the administrator's raw client, in this process."""

    shape: Shape
    places: list[Place]
    """The namespaces of the shape that exist."""
    sandbox: Sandbox
    admin: RawClient
    reference: Reference
    observer: Observer
    operator: MeasuredOperator
    progress: Progress
    wanted: Wanted = field(default_factory=dict)
    """What the isolations render to."""

    @property
    def policies(self) -> int:
        """How many policies the shape has."""
        return POLICIES_EACH * len(self.places)

    @property
    def pids(self) -> list[int]:
        """The processes that take part, but this one."""
        operator = [self.operator.pid] if self.operator.running else []
        return [*self.sandbox.pids.values(), self.reference.pid, *operator]

    async def populate(self, places: Sequence[Place], isolations: Sequence[Json]) -> None:
        """Create namespaces and isolations, many at a time."""
        requests = namespace_creations(places) + isolation_creations(isolations)
        with self.progress.step(f"creating {len(places)} namespaces and {len(isolations)} isolations"):
            count = self.progress.counter(len(requests), "created")
            await self.admin.send_all(requests, answered=count)
        if isolations:
            self.wanted = rendered(await self.admin.items(ISOLATIONS_PATH))

    async def kubernetes(self) -> str:
        """Ask for the version of the API server."""
        return str((await self.admin.send_json(Request("GET", "/version")))["gitVersion"])

    async def namespaces(self) -> int:
        """Count the namespaces of the cluster."""
        return len(await self.admin.items(NAMESPACES_PATH))

    async def converge(self) -> None:
        """Start the operator and wait until everything is in place and nothing is left to do."""
        with self.progress.step(f"the operator writes {self.policies} policies"):
            self.observer.forget()
            self.operator.begin()
            await self.seen(self.policies)
            await self.settled(self.wanted)
            await self.operator.rest(await self.namespaces(), within=WITHIN)

    async def restart(self) -> None:
        """Start the operator on a cluster that has converged, and wait until it has looked at everything."""
        with self.progress.step("the operator starts again"):
            self.operator.begin()
            await self.operator.rest(await self.namespaces(), within=WITHIN)

    async def seen(self, count: int, kind: str = "ADDED", group: str | None = None) -> None:
        """Wait until so many policies' events of a kind were seen since the observer was told to forget.

        `group`: only those in namespaces whose name is this before the number.
        """

        def enough() -> bool:
            seen = self.observer.kinds[kind] if group is None else self.observer.groups[group, kind]
            self.progress.at(f"{seen}/{count} policies")
            return seen >= count

        await self.until(enough, f"{count} policies {kind}")

    async def settled(self, isolations: Iterable[str]) -> Settling:
        """Wait until isolations have their finalizer and a status of their generation that says Ready."""
        settling = Settling(self.observer, isolations)
        await self._follow(settling, "every isolation with its finalizer and status")
        return settling

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for what the observer sees; where the operator runs, it must go on running."""
        waiting = self.observer.until(holds, within=WITHIN, what=what)
        await (self.operator.outlives(waiting) if self.operator.running else waiting)

    async def _follow(self, follower: Follower, what: str) -> None:
        """Wait until what follows the isolations has seen what it waits for, a few events at a time."""
        while not follower.done():
            if self.observer.unread:
                await asyncio.sleep(0)
            else:
                await self.until(lambda: self.observer.unread, what)

    async def delete(self, keys: Sequence[tuple[str, str]]) -> None:
        """Delete policies, many at a time, and see them go."""
        with self.progress.step(f"deleting {len(keys)} policies"):
            self.observer.forget()
            count = self.progress.counter(len(keys), "deleted")
            await self.admin.send_all(deletions(keys), answered=count)
            await self.seen(len(keys), "DELETED")

    async def withdraw(self, isolations: Sequence[str]) -> None:
        """Delete isolations and wait until the operator has let them go."""
        with self.progress.step(f"deleting {len(isolations)} isolations"):
            leaving = Leaving(self.observer, isolations)
            await self.admin.send_all([Request("DELETE", isolation_path(name)) for name in isolations])
            await self._follow(leaving, "every deleted isolation gone")

    async def remove(self, places: Sequence[Place]) -> None:
        """Delete namespaces with their policies, many at a time."""
        with self.progress.step(f"deleting {len(places)} namespaces"):
            # One that never came, or that the controller was faster to remove, is missing (404); one that both of us
            # are at makes a conflict (409), and is the controller's then.
            for requests in zip(*map(removals, places), strict=True):
                await self.admin.send_all(requests, accept=(404, 409))


@asynccontextmanager
async def arena(shape: Shape, count: int, progress: Progress, directory: Path) -> AsyncIterator[Arena]:
    """Start a control plane with the shape's namespaces and isolations; the operator is not running yet."""
    async with AsyncExitStack() as stack:
        with progress.step("starting a control plane"):
            sandbox = await asyncio.to_thread(Sandbox.start, progress=SandboxProgress())
            stack.push(sandbox)
            cluster = sandbox_cluster(sandbox)
            await asyncio.to_thread(install, cluster)
            kubeconfig = operator_kubeconfig(cluster, directory / f"{sandbox.pids['supervisor']}.kubeconfig")
            admin = await stack.enter_async_context(await raw_client(sandbox.kubeconfig))
            operator = MeasuredOperator(kubeconfig)
            stack.callback(operator.kill)
            stage = Arena(
                shape=shape,
                places=shape.places("team", count),
                sandbox=sandbox,
                admin=admin,
                reference=await stack.enter_async_context(reference_process(kubeconfig)),
                observer=await stack.enter_async_context(observing(admin)),
                operator=operator,
                progress=progress,
            )
        await stage.populate(stage.places, shape.isolations(stage.places))
        yield stage

"""The running operator: watches fill the world, news become keys, workers reconcile namespaces and tend isolations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import structlog

from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.engine.queue import WorkQueue
from namespace_isolation.engine.reconcile import reconcile
from namespace_isolation.engine.settings import Settings
from namespace_isolation.engine.tend import tend
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import PROTECTED_NAMESPACES
from namespace_isolation.model.outcome import Failure
from namespace_isolation.observe.isolations import ISOLATIONS_PATH
from namespace_isolation.observe.listwatch import ListWatch
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.policies import policies_path
from namespace_isolation.report.board import Board
from namespace_isolation.report.log import log_outcome

__all__ = ["Engine"]

_TENDERS = 8
_NOT_FOUND = 404
_PAUSE = 2.0


class Engine:
    """All of the operator but Kopf: started once, drained once. `ended` is set after that, or when it cannot go on."""

    def __init__(self, client: Client, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Wire the parts; nothing runs yet. `clock`, in seconds, times the contact of the watches."""
        self.ended = asyncio.Event()
        self.error: BaseException | None = None
        self._client = client
        self._settings = settings
        self._log = structlog.get_logger()
        self._namespaces = WorkQueue()
        self._isolations = WorkQueue()
        self._published: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._renderings = Renderings()
        self._isolations_listed = asyncio.Event()
        self._board = Board(now=_now, on_news=self._tend_soon)
        self.world = World(
            protected=PROTECTED_NAMESPACES | {settings.operator_namespace},
            look_at=self._namespaces.add,
            tend_to=self._tend_soon,
            came=self._isolation_came,
            went=self._isolation_went,
            left=self._board.leave,
        )
        self._writer = PolicyWriter(client, self.world.policies)
        follow = partial(ListWatch, clock=clock, before_list=self._list_isolations_again)
        self._watches = (
            follow(client, NAMESPACES_PATH, self.world.namespaces),
            follow(client, policies_path(), self.world.policies),
        )

    @property
    def synced(self) -> bool:
        """Whether every cache is complete, so that decisions are taken."""
        return self._isolations_listed.is_set() and all(watch.synced.is_set() for watch in self._watches)

    def silent_for_longer_than(self, seconds: float) -> tuple[str, ...]:
        """Name the collections of which nothing was heard for so long: what is known of them may be out of date."""
        return tuple(watch.path for watch in self._watches if watch.silence() > seconds)

    def start(self) -> None:
        """Start watching, and working once every cache is complete."""
        for watch in self._watches:
            self._spawn(watch.run())
        self._spawn(self._follow_isolations())
        self._spawn(self._work())

    async def found_isolations(self) -> None:
        """Wait until the API server answers and knows the CRD."""
        await self._isolations_listed.wait()

    async def drain(self) -> None:
        """Take no new work, let what is under way end (within the drain timeout), and stop watching."""
        self._namespaces.close(finish=False)
        await self._drained(self._namespaces)
        # What was repaired is counted in the status: it is written before we go.
        # Before the caches are complete nobody works: nothing was repaired, and nobody would take a key.
        self._isolations.close(finish=self.synced)
        await self._drained(self._isolations)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self.ended.set()
        self._log.info("stopped")

    async def _drained(self, queue: WorkQueue) -> None:
        try:
            async with asyncio.timeout(self._settings.drain_timeout / 2):
                await queue.drained()
        except TimeoutError:
            self._log.warning("gave up waiting for work under way", keys=len(queue))

    def _spawn(self, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.ensure_future(self._guarded(work)))

    async def _guarded(self, work: Awaitable[None]) -> None:
        """Run one of the parts that must never end; if it does, the whole operator ends and says why."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.error = error
            self.ended.set()
            raise

    async def _follow_isolations(self) -> None:
        """List the isolations at start and now and then: Kopf never says that its list is complete."""
        while True:
            try:
                await self._list_isolations()
            except ApiError as error:
                if error.status == _NOT_FOUND:
                    self._log.error("the CRD is missing: kubectl apply -k crds/", path=ISOLATIONS_PATH)
                else:
                    self._log.warning("cannot list isolations", error=str(error))
                await asyncio.sleep(_PAUSE)
            else:
                self._isolations_listed.set()
                await asyncio.sleep(self._settings.relist_interval)

    async def _list_isolations(self) -> None:
        documents = []
        version = "0"
        asked_at = self.world.isolations.seen_version
        async for page in self._client.pages(ISOLATIONS_PATH):
            documents += page["items"]
            version = page["metadata"]["resourceVersion"]
        self.world.isolations.replaced(documents, int(version), asked_at=asked_at)

    async def _list_isolations_again(self) -> None:
        """List the isolations before policies that were listed anew are compared with them.

        Kopf loses deletions when the history it watched is gone. Without this the policies of an isolation that is gone
        would be put back, against the garbage collector.
        """
        if self._isolations_listed.is_set():
            await self._list_isolations()

    async def _work(self) -> None:
        """Start the workers once nothing is missing from the picture: nothing is deleted for want of knowledge."""
        started = time.monotonic()
        await self._isolations_listed.wait()
        for watch in self._watches:
            await watch.synced.wait()
        self._log.info(
            "caches complete",
            namespaces=len(self.world.namespaces.by_name),
            isolations=len(self.world.isolations.by_name),
            seconds=round(time.monotonic() - started, 3),
        )
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.workers):
                group.create_task(self._worker(self._namespaces, self._reconcile))
            for _ in range(_TENDERS):
                group.create_task(self._worker(self._isolations, self._tend))

    async def _worker(self, queue: WorkQueue, work: Callable[[str], Awaitable[bool]]) -> None:
        """Take keys until the queue closes; what fails comes back after a pause and holds up nobody."""
        while (key := await queue.get()) is not None:
            try:
                ended_well = await work(key)
            except ApiError as error:
                pause = queue.retry(key)
                self._log.warning("will try again", key=key, error=str(error), seconds=round(pause, 2))
            except Exception:  # noqa: BLE001
                # A fault of ours in one namespace must not stop the others; it is told with its whole trace.
                pause = queue.retry(key)
                self._log.exception("internal error", key=key, seconds=round(pause, 2))
            else:
                if ended_well:
                    queue.succeeded(key)
                else:
                    queue.retry(key)
            finally:
                queue.done(key)

    async def _reconcile(self, namespace: str) -> bool:
        started = time.monotonic()
        lost, foreign = self.world.policies.lost_in(namespace), self.world.policies.foreign_in(namespace)
        try:
            outcome = await reconcile(
                namespace,
                observe=self.world.view,
                decide=partial(decide, renderings=self._renderings),
                writer=self._writer,
                board=self._board,
            )
        except Exception as error:
            # Whatever it was, no status may go on saying that all is well there.
            self._board.record_trouble(self.world.view(namespace), _failure_of(error))
            raise
        kept = {name for _, name in outcome.kept}
        self.world.policies.accept(live for live in foreign if live.name in kept)
        if not outcome.failed:
            self.world.policies.found(namespace, lost)
        if outcome.bridged:
            self._namespaces.add(namespace)
        log_outcome(outcome, seconds=time.monotonic() - started)
        return not outcome.failed

    async def _tend(self, isolation: str) -> bool:
        published = await tend(isolation, world=self.world, board=self._board, client=self._client, now=_now)
        if published:
            self._published[isolation] = time.monotonic()
        return True

    def _isolation_came(self, isolation: Isolation) -> None:
        self._board.open(isolation, self.world.isolations.status_of(isolation.name))

    def _isolation_went(self, isolation: Isolation) -> None:
        self._board.close(isolation.name)
        self._renderings.forget(isolation.name)
        self._published.pop(isolation.name, None)

    def _tend_soon(self, isolation: str) -> None:
        """Ask for an isolation to be tended: soon after the first news, and at most once in the interval.

        What decides whether policies go in a safe order, our finalizer, does not wait.
        """
        known = self.world.isolations.by_name.get(isolation)
        if known is not None and self.world.finalizer_is_due(known):
            self._isolations.add(isolation)
            return
        last = self._published.get(isolation, float("-inf"))
        wait = last + self._settings.status_interval - time.monotonic()
        self._isolations.add_after(isolation, max(wait, self._settings.status_delay))


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ApiError):
        return error.failure
    return Failure(reason="InternalError", message=f"{type(error).__name__}; the operator's log has the whole trace")


def _now() -> datetime:
    return datetime.now(UTC)

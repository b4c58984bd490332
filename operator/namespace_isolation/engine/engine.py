"""The running operator: watches fill the world, news become keys, workers reconcile namespaces and tend isolations."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from namespace_isolation.apply.fights import Fights
from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.apply.rehearse import Evidence
from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.engine.announcer import Announcer
from namespace_isolation.engine.queue import WorkQueue
from namespace_isolation.engine.reconcile import reconcile
from namespace_isolation.engine.settings import Settings
from namespace_isolation.engine.tend import tend
from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.names import protected_namespaces
from namespace_isolation.model.outcome import Failure
from namespace_isolation.observe.contact import Contact
from namespace_isolation.observe.isolation_lists import IsolationLists
from namespace_isolation.observe.listwatch import ListWatch
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from namespace_isolation.report.board import Board
from namespace_isolation.report.events import events_of, events_of_status
from namespace_isolation.report.isolation_log import IsolationLog
from namespace_isolation.report.log import OutcomeLog
from namespace_isolation.report.metrics.history import History

__all__ = ["Engine"]

_Work = Callable[[str, Lane], Awaitable[bool]]
"""Works on a key taken in a lane, and tells whether it ended well."""

_TENDERS = 24
"""How many isolations are tended at once; the gate decides when their requests go."""
_RESERVED_WORKERS = 8
"""More workers for drifts and new namespaces alone: bulk work that waits at the gate never has them all."""
_RESERVED_TENDERS = 2
"""More tenders for the ends of isolations alone, for which somebody waits."""


class Engine:
    """All of the operator but Kopf: started once, drained once. `ended` is set after that, or when it cannot go on."""

    def __init__(self, client: Client, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Wire the parts; nothing runs yet. `clock`, in seconds, times the contact of the watches."""
        self.ended = asyncio.Event()
        self.error: BaseException | None = None
        self.draining = False
        self._settings = settings
        self._clock = clock
        self._log = structlog.get_logger()
        self._namespaces = WorkQueue()
        self._isolations = WorkQueue()
        self._published: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._renderings = Renderings()
        self._board = Board(now=_now, on_news=self._tend_soon)
        self.history = History(clock)
        self._outcome_log, self._isolation_log = OutcomeLog(), IsolationLog(clock)
        self.world = World(
            protected=protected_namespaces(settings.operator_namespace),
            look_at=self._namespaces.add,
            tend_to=self._tend_soon,
            came=self._isolation_came,
            went=self._isolation_went,
            left=self._board.leave,
            arrived=self.history.namespace_came,
            edited=self._isolation_log.edited,
            concerned=self._board.concerned,
        )
        self._clients = {lane: client.on(lane) for lane in Lane}
        self._writers = {lane: PolicyWriter(each, self.world.policies) for lane, each in self._clients.items()}
        self._fights, self._evidence = Fights(clock), Evidence()
        self.announcer = Announcer(self._clients[Lane.LATER], instance=socket.gethostname())
        self._isolation_lists = IsolationLists(
            client, self.world.isolations, clock=clock, interval=settings.relist_interval
        )
        follow = partial(ListWatch, clock=clock, before_list=self._isolation_lists.again)
        self._watches = (
            follow(client, NAMESPACES_PATH, self.world.namespaces),
            follow(client, policies_path(), self.world.policies),
        )

    @property
    def synced(self) -> bool:
        """Whether every cache is complete, so that decisions are taken."""
        return self._isolation_lists.listed.is_set() and all(watch.synced.is_set() for watch in self._watches)

    @property
    def board(self) -> Board:
        """Where every namespace stands."""
        return self._board

    @property
    def queues(self) -> Mapping[str, WorkQueue]:
        """What is to do, by the kind of key."""
        return {"isolations": self._isolations, "namespaces": self._namespaces}

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The contact with every collection that decisions rest on."""
        return (*(watch.contact for watch in self._watches), self._isolation_lists.contact)

    def start(self) -> None:
        """Start watching, and working once every cache is complete."""
        for watch in self._watches:
            self._spawn(watch.run())
        self._spawn(self._isolation_lists.run())
        self._spawn(self.announcer.run())
        self._spawn(self._work())

    async def found_isolations(self) -> None:
        """Wait until the API server answers and knows the CRD."""
        await self._isolation_lists.listed.wait()

    async def drain(self) -> None:
        """Take no new work, let what is under way end (within the drain timeout), and stop watching."""
        self.draining = True
        self._namespaces.close(finish=False)
        await self._drained(self._namespaces)
        # What was repaired is counted in the status: it is written before we go.
        # Before the caches are complete nobody works: nothing was repaired, and nobody would take a key.
        self._isolations.close(finish=self.synced)
        await self._drained(self._isolations)
        await self.announcer.drain()
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

    async def _work(self) -> None:
        """Start the workers once nothing is missing from the picture: nothing is deleted for want of knowledge."""
        started = time.monotonic()
        await self._isolation_lists.listed.wait()
        for watch in self._watches:
            await watch.synced.wait()
        self._log.info(
            "caches complete",
            namespaces=len(self.world.namespaces.by_name),
            isolations=len(self.world.isolations.by_name),
            seconds=round(time.monotonic() - started, 3),
        )
        self.world.complete()
        async with asyncio.TaskGroup() as group:
            staff = {Lane.LATER: self._settings.workers, Lane.URGENT: _RESERVED_WORKERS}
            group.create_task(self._staff("namespace", self._namespaces, self._reconcile, staff))
            staff = {Lane.LATER: _TENDERS, Lane.BULK: _RESERVED_TENDERS}
            group.create_task(self._staff("isolation", self._isolations, self._tend, staff))

    async def _staff(self, kind: str, queue: WorkQueue, work: _Work, staff: Mapping[Lane, int]) -> None:
        """Let so many workers take keys of each lane and of those before it, until the queue closes."""
        async with asyncio.TaskGroup() as group:
            for up_to, count in staff.items():
                for _ in range(count):
                    group.create_task(self._worker(kind, queue, work, up_to))

    async def _worker(self, kind: str, queue: WorkQueue, work: _Work, up_to: Lane) -> None:
        """Take keys until the queue closes; what fails comes back after a pause and holds up nobody."""
        while (job := await queue.get(up_to)) is not None:
            key, lane = job
            try:
                if await work(key, lane):
                    queue.succeeded(key)
                else:
                    queue.retry(key, lane)
            except ApiError as error:
                pause = queue.retry(key, lane)
                self._log.warning("will try again", **{kind: key}, error=str(error), seconds=round(pause, 2))
            except Exception:  # noqa: BLE001
                # A fault of ours in one namespace must not stop the others; it is told with its whole trace.
                pause = queue.retry(key, lane)
                self._log.exception("internal error", **{kind: key}, seconds=round(pause, 2))
            finally:
                queue.done(key)

    async def _reconcile(self, namespace: str, lane: Lane) -> bool:
        started, began = time.monotonic(), self._clock()
        lost, foreign = self.world.policies.losses_in(namespace), self.world.policies.foreign_in(namespace)
        try:
            done = await reconcile(
                namespace,
                observe=self.world.view,
                decide=partial(decide, renderings=self._renderings),
                writer=self._writers[lane],
                fights=self._fights,
                evidence=self._evidence,
                board=self._board,
            )
        except Exception as error:
            # Whatever it was, no status may go on saying that all is well there.
            self._board.record_trouble(self.world.view(namespace), _failure_of(error))
            self.history.broke(time.monotonic() - started)
            raise
        for event in events_of(namespace, done.news, self.world.policies.live_in(namespace)):
            self.announcer.post(event)
        outcome = done.outcome
        kept = {name for _, name in (*outcome.kept, *done.rehearsal.kept)}
        self.world.policies.accept(live for live in foreign if live.name in kept)
        # What is missing stays lost: it was seen to go, and is not put back.
        dealt_with = {name: number for name, number in lost.items() if name not in done.missing}
        self.world.policies.found(namespace, dealt_with)
        if outcome.bridged:
            self._namespaces.add(namespace, lane)
        if done.fights:
            self._namespaces.add_after(namespace, self._fights.due_in(namespace, since=began) or 0.0, lane)
        seconds = time.monotonic() - started
        self.history.reconciled(outcome, news=done.news, seconds=seconds)
        self._outcome_log.tell(
            outcome,
            findings=done.rehearsal.findings,
            news=done.news,
            fights=done.fights,
            seconds=seconds,
        )
        return not outcome.to_retry and not any(each.undone for each in done.rehearsal.findings)

    async def _tend(self, isolation: str, lane: Lane) -> bool:
        if self._is_too_soon(isolation):
            return True
        await tend(
            isolation,
            world=self.world,
            board=self._board,
            client=self._clients[lane],
            now=_now,
            published=self._status_written,
        )
        return True

    def _status_written(self, isolation: Isolation, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self._published[isolation.name] = time.monotonic()
        self.history.status_written()
        self._isolation_log.turned(isolation, before, after)
        for event in events_of_status(isolation, before, after):
            self.announcer.post(event)

    def _isolation_came(self, isolation: Isolation) -> None:
        status = self.world.isolations.status_of(isolation.name)
        self._board.open(isolation, status)
        for namespace, policy in self._board.drift(isolation.name).deleted:
            self.world.policies.lose(namespace, policy)
        self._isolation_log.came(isolation, status, at_start=not self.synced)

    def _isolation_went(self, isolation: Isolation) -> None:
        self._board.close(isolation.name)
        self._isolation_log.gone(isolation)
        self._renderings.forget(isolation.name)
        self._published.pop(isolation.name, None)

    def _tend_soon(self, isolation: str) -> None:
        """Ask for an isolation to be tended: soon after the first news, and at most once in the interval.

        What decides whether policies go in a safe order, our finalizer, does not wait for that. It is set behind the
        policies of a mass convergence, but taken away among them: `kubectl delete` waits for it, and it comes due only
        when the policies are gone, so that it overtakes nothing.
        """
        known = self.world.isolations.by_name.get(isolation)
        if known is not None and self.world.finalizer_is_due(known):
            self._isolations.add(isolation, Lane.BULK if known.deleting else Lane.LATER)
            return
        pause = max(self._interval_left(isolation), self._settings.status_delay)
        self._isolations.add_after(isolation, pause, Lane.LATER)

    def _is_too_soon(self, isolation: str) -> bool:
        """Put off what came due while the last status was on its way; on our way out nothing is put off."""
        left, known = self._interval_left(isolation), self.world.isolations.by_name.get(isolation)
        if left <= 0 or self.draining or known is None or self.world.finalizer_is_due(known):
            return False
        self._isolations.add_after(isolation, left, Lane.LATER)
        return True

    def _interval_left(self, isolation: str) -> float:
        """Tell for how many seconds no other status of an isolation may be written."""
        last = self._published.get(isolation, float("-inf"))
        return last + self._settings.status_interval - time.monotonic()


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ApiError):
        return error.failure
    return Failure(reason="InternalError", message=f"{type(error).__name__}; the operator's log has the whole trace")


def _now() -> datetime:
    return datetime.now(UTC)

"""Which lane a piece of news leads to: for namespaces as the world tells them, for isolations as the engine does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from namespace_isolation.apply.policies import PolicyWriter
from namespace_isolation.cluster import Client
from namespace_isolation.engine import engine as module
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.queue import Job
from namespace_isolation.engine.reconcile import Reconciled
from namespace_isolation.engine.settings import Settings
from namespace_isolation.engine.world import World
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.model.outcome import Outcome, Rehearsal
from tests.support.fake_cluster import FakeCluster
from tests.support.objects import PROTECTED, isolation_document, policy, stored

Json = dict[str, Any]

URGENT, BULK, LATER = Lane
WITHIN = 5.0
_SPEC: Json = {"namespaces": {"names": ["payments*"]}}
_NAME = "team.default-deny-all"


class Seen:
    """A world that heard of an isolation and a namespace, and where it asks to look."""

    def __init__(self, *, complete: bool = True) -> None:
        """`complete`: every cache was listed."""
        self.looked: list[tuple[str, Lane]] = []
        self.cluster = FakeCluster()
        self.world = World(
            protected=PROTECTED,
            look_at=lambda namespace, lane: self.looked.append((namespace, lane)),
            tend_to=lambda _: None,
            came=lambda _: None,
            went=lambda _: None,
            left=lambda *_: None,
        )
        self.cluster.set_namespace("payments", {})
        self.cluster.set_isolation("team", _SPEC)
        self.cluster.put("policies", f"payments/{_NAME}", stored(policy(_NAME).manifest("payments")))
        if complete:
            self.cluster.list_for(self.world)
            self.cluster.deliver_all(self.world)
            self.looked.clear()

    def hear(self) -> set[tuple[str, Lane]]:
        """Let the news arrive, and tell where they ask to look."""
        self.cluster.deliver_all(self.world)
        return set(self.looked)


def test_the_first_look_at_everything_is_bulk() -> None:
    """In whatever order it is heard of: nothing of it is news."""
    seen = Seen(complete=False)
    assert seen.hear() == {("payments", BULK)}
    seen.world.complete()
    assert set(seen.looked) == {("payments", BULK)}


def test_a_namespace_that_comes_or_changes_is_urgent() -> None:
    """Pods may run in it already."""
    seen = Seen()
    seen.cluster.set_namespace("payments-eu", {})
    seen.cluster.set_namespace("payments", {"tier": "gold"})
    assert seen.hear() == {("payments-eu", URGENT), ("payments", URGENT)}


def test_what_somebody_does_to_a_policy_is_urgent() -> None:
    """It may be open."""
    seen = Seen()
    seen.cluster.remove("policies", f"payments/{_NAME}")
    assert seen.hear() == {("payments", URGENT)}


def test_what_a_broken_watch_missed_is_urgent_as_well() -> None:
    """A drift is no smaller because it was seen late."""
    seen = Seen()
    seen.cluster.remove("policies", f"payments/{_NAME}")
    seen.cluster.break_watch("policies")
    assert seen.hear() == {("payments", URGENT)}


@pytest.mark.parametrize("what", ["comes", "changes", "goes"])
def test_what_an_isolation_asks_for_is_bulk(what: str) -> None:
    """It may be ten thousand namespaces."""
    seen = Seen()
    if what == "comes":
        seen.cluster.set_isolation("other", _SPEC)
    elif what == "changes":
        seen.cluster.set_isolation("team", {**_SPEC, "defaultDeny": ["Ingress"]})
    else:
        seen.cluster.end_isolation("team")
    assert seen.hear() == {("payments", BULK)}


class Fixture:
    """An engine that nobody started, and what its queue of isolations holds."""

    def __init__(self) -> None:
        """Hear of nothing yet."""
        self.cluster = FakeCluster()
        self.engine = Engine(cast("Client", self.cluster), Settings(health_port=None, status_delay=0.0))

    async def due(self) -> Job:
        """Give the isolation that is to be tended first."""
        async with asyncio.timeout(WITHIN):
            job = await self.engine.queues["isolations"].get()
        assert job is not None
        return job


async def test_our_finalizer_is_set_behind_the_policies() -> None:
    """They isolate; it only decides in what order they would go."""
    seen = Fixture()
    seen.engine.world.isolations.changed(isolation_document("team", _SPEC))
    assert await seen.due() == Job("team", LATER)


async def test_our_finalizer_goes_among_the_policies() -> None:
    """Somebody waits for that; it is due only once the policies are gone."""
    seen = Fixture()
    document = isolation_document("team", _SPEC, finalizers=[FINALIZER], deletionTimestamp="2026-01-01T00:00:00Z")
    seen.engine.world.isolations.changed(document)
    assert await seen.due() == Job("team", BULK)


async def test_a_status_may_be_later() -> None:
    """It tells of work that is done."""
    seen = Fixture()
    seen.engine.world.isolations.changed(isolation_document("team", _SPEC, finalizers=[FINALIZER]))
    assert await seen.due() == Job("team", LATER)


@pytest.mark.parametrize("lane", [URGENT, BULK])
async def test_a_namespace_is_written_to_on_the_lane_in_which_it_was_taken(
    monkeypatch: pytest.MonkeyPatch, lane: Lane
) -> None:
    """And what is still to do there keeps it."""
    used: list[PolicyWriter] = []

    async def reconcile(namespace: str, *, writer: PolicyWriter, **_: object) -> Reconciled:
        used.append(writer)
        return Reconciled(
            outcome=Outcome(namespace=namespace, results=(), kept=()), rehearsal=Rehearsal(), fights=(), news=()
        )

    monkeypatch.setattr(module, "reconcile", reconcile)
    engine = Fixture().engine
    await engine._reconcile("payments", lane)
    assert used == [engine._writers[lane]]


class Slow(FakeCluster):
    """A cluster with an isolation of many namespaces, whose API server does not answer writes of bulk work."""

    def __init__(self, lane: Lane = URGENT) -> None:
        """Be the client of a lane."""
        super().__init__()
        self.lane = lane
        self.lanes: dict[Lane, Slow] = {}
        self.written: asyncio.Queue[str] = asyncio.Queue()

    def on(self, lane: Lane) -> Slow:
        """Give the client of a lane, of the same cluster."""
        other = self.lanes.setdefault(lane, Slow(lane))
        other.objects, other.events, other.written = self.objects, self.events, self.written
        return other

    async def create(self, path: str, body: Json) -> Json:
        """Create a policy, unless it is bulk."""
        if self.lane is BULK:
            await asyncio.Event().wait()
        document = await super().create(path, body)
        self.written.put_nowait(path)
        return document


@pytest.fixture
async def running(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Engine, Slow]]:
    """Give an engine of two workers, all of which are busy with bulk work that does not go on."""
    cluster = Slow()
    engine = Engine(cast("Client", cluster), Settings(health_port=None, workers=2, drain_timeout=0.1))

    async def synced(*_: object) -> None:
        return None

    for index in range(10):
        cluster.set_namespace(f"payments-{index}", {})
    cluster.set_isolation("team", _SPEC)
    cluster.list_for(engine.world)
    cluster.deliver_all(engine.world)
    monkeypatch.setattr(engine._isolation_lists.listed, "wait", synced)
    for watch in engine._watches:
        monkeypatch.setattr(watch.synced, "wait", synced)
    work = asyncio.create_task(engine._work())
    yield engine, cluster
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_bulk_that_stands_still_holds_up_no_new_namespace(running: tuple[Engine, Slow]) -> None:
    """A few workers are kept for what is urgent, with a client of their own lane."""
    engine, cluster = running
    cluster.set_namespace("payments-new", {})
    cluster.deliver_all(engine.world)
    async with asyncio.timeout(WITHIN):
        written = {await cluster.written.get() for _ in range(2)}
    assert all("/payments-new/" in path for path in written)

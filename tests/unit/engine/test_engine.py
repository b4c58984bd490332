"""The engine: a namespace that cannot be reconciled at all is a problem that the status tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.cluster.served import Page, encoded
from namespace_isolation.engine import engine as module
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.reconcile import Reconciled
from namespace_isolation.engine.settings import Settings
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.outcome import Outcome, Rehearsal
from tests.support.fake_cluster import FakeCluster
from tests.support.lanes import OneLane
from tests.support.objects import isolation_document, namespace_document, policy, stored
from tests.support.served import page_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(RuntimeError("secret of a tenant"), "InternalError", id="a fault of ours"),
        pytest.param(ApiError(status=500, reason="Broken", message="no", request="GET /"), "Broken", id="a refusal"),
    ],
)
async def test_what_ends_a_reconcile_is_told_in_the_standing(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    """Nobody knows what is in place then, so nothing may go on saying that all is well."""

    async def broken(*_: object, **__: Any) -> None:  # noqa: ANN401 - whatever it is called with
        raise error

    monkeypatch.setattr(module, "reconcile", broken)
    engine = Engine(cast("Client", FakeCluster()), Settings(health_port=None))
    engine.world.isolations.changed(isolation_document("team", {"namespaces": {"names": ["payments"]}}))
    namespaces = engine.world.namespaces
    namespaces.changed(namespaces.read(encoded(namespace_document("payments", {}))))
    with pytest.raises(type(error)):
        await engine._reconcile("payments", Lane.BULK)
    standing = engine._board.standings("team")["payments"]
    assert [failure.reason for failure in standing.failures] == [reason]
    assert not standing.in_sync
    assert "tenant" not in standing.failures[0].message
    assert engine._board.wrote("team")


class Cut(OneLane):
    """An API server of which no answer comes."""

    def __init__(self) -> None:
        """Wait to be asked."""
        self.asked = asyncio.Event()

    async def pages(self, _: str) -> AsyncIterator[None]:
        """Wait for ever."""
        self.asked.set()
        await asyncio.Event().wait()
        yield


async def test_a_drain_before_the_caches_are_complete_waits_for_nobody() -> None:
    """No worker has started: a key that waits already would never be taken."""
    server = Cut()
    engine = Engine(cast("Client", server), Settings(health_port=None, drain_timeout=1000))
    engine.start()
    engine.world.isolations.changed(isolation_document())
    assert len(engine._isolations) == 1  # its finalizer is due
    async with asyncio.timeout(5):
        await server.asked.wait()
        await engine.drain()
    assert engine.ended.is_set()


async def test_what_is_found_in_order_is_nobodys_change_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that was kept stops being foreign; one that was not kept stays so."""

    async def half_kept(namespace: str, **_: Any) -> Reconciled:  # noqa: ANN401 - whatever it is called with
        outcome = Outcome(namespace=namespace, results=(), kept=(("team", "team.default-deny-all"),))
        return Reconciled(outcome=outcome, rehearsal=Rehearsal(), fights=(), news=())

    monkeypatch.setattr(module, "reconcile", half_kept)
    engine = Engine(cast("Client", FakeCluster()), Settings(health_port=None))
    policies = engine.world.policies
    policies.replaced([], 1)
    for name in ("team.default-deny-all", "team.allow-dns-egress"):
        policies.changed(policies.read(encoded(stored(policy(name).manifest("payments"), version=2))))
    await engine._reconcile("payments", Lane.BULK)
    assert [live.name for live in policies.foreign_in("payments")] == ["team.allow-dns-egress"]


class Restored(OneLane):
    """An API server whose history went back: its list is older than what was seen before."""

    async def pages(self, _: str) -> AsyncIterator[Page]:
        """Serve an isolation as it was once."""
        yield page_of([isolation_document(resourceVersion="50")], 60)


async def test_a_list_of_isolations_from_an_older_history_counts() -> None:
    """The engine tells the store what was seen when it asked for the list."""
    engine = Engine(cast("Client", Restored()), Settings(health_port=None))
    isolations = engine.world.isolations
    isolations.changed(isolation_document(resourceVersion="100"))
    await engine._isolation_lists._list()
    assert isolations.by_name["team"].resource_version == 50

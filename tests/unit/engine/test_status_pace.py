"""How often a status is written: soon after news, at most once in the interval, and at once on the way out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from namespace_isolation.cluster import Client
from namespace_isolation.engine import engine as module
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.settings import Settings
from namespace_isolation.model.lane import Lane
from tests.support.fake_cluster import FakeCluster
from tests.support.fighting import Clock

Json = dict[str, Any]

_SPEC: Json = {"namespaces": {"names": ["payments"]}}
_STATUS = "/apis/nsiso.dev/v1alpha1/namespaceisolations/team/status"


class Fixture:
    """An engine that nobody started, whose status interval is ten seconds, with an isolation that has its finalizer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let it hear of an isolation in Audit, which needs no finalizer."""
        self.clock = Clock()
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=self.clock))
        self.cluster = FakeCluster()
        settings = Settings(health_port=None, status_interval=10.0, status_delay=0.25)
        self.engine = Engine(cast("Client", self.cluster), settings, clock=self.clock)
        self.appointments: list[float] = []
        monkeypatch.setattr(
            self.engine.queues["isolations"], "add_after", lambda _, seconds, __: self.appointments.append(seconds)
        )
        self.cluster.list_for(self.engine.world)
        self.edit()

    def edit(self, **spec: object) -> None:
        """Change the isolation, which is news of its status."""
        self.cluster.set_isolation("team", {**_SPEC, "mode": "Audit", **spec})
        self.cluster.deliver_all(self.engine.world)

    async def tend(self) -> int:
        """Tend the isolation, and count its statuses that were written so far."""
        assert await self.engine._tend("team", Lane.LATER)
        return self.cluster.patches.count(_STATUS)


async def test_a_first_status_waits_only_for_more_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a second."""
    seen = Fixture(monkeypatch)
    assert set(seen.appointments) == {0.25}
    assert await seen.tend() == 1


async def test_news_right_after_a_status_wait_for_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then they are written."""
    seen = Fixture(monkeypatch)
    await seen.tend()
    seen.clock.now += 4.0
    seen.appointments.clear()
    seen.edit(defaultDeny=["Ingress"])
    assert set(seen.appointments) == {6.0}
    seen.clock.now += 6.0
    assert await seen.tend() == 2


async def test_an_appointment_that_was_made_while_a_status_was_on_its_way_is_put_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knew yet that it would be written."""
    seen = Fixture(monkeypatch)
    await seen.tend()
    seen.clock.now += 0.25
    seen.edit(defaultDeny=["Ingress"])
    seen.appointments.clear()
    assert await seen.tend() == 1
    assert seen.appointments == [9.75]
    seen.clock.now += 9.75
    assert await seen.tend() == 2


async def test_on_the_way_out_nothing_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was repaired is counted in the status, and nobody would come back."""
    seen = Fixture(monkeypatch)
    await seen.tend()
    seen.edit(defaultDeny=["Ingress"])
    seen.engine.draining = True
    assert await seen.tend() == 2


async def test_a_finalizer_is_not_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides whether policies go in a safe order."""
    seen = Fixture(monkeypatch)
    await seen.tend()
    seen.edit(mode="Enforce")
    await seen.tend()
    assert "finalizers" in seen.cluster.objects["isolations"]["team"]["metadata"]


async def test_an_isolation_that_is_gone_is_not_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to come back for."""
    seen = Fixture(monkeypatch)
    await seen.tend()
    seen.cluster.remove("isolations", "team")
    seen.cluster.deliver_all(seen.engine.world)
    seen.appointments.clear()
    assert await seen.tend() == 1
    assert seen.appointments == []

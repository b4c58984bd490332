"""The end of an isolation: once its last finalizer is off, nothing is done for it, whether or not a watch tells."""

from __future__ import annotations

from typing import Any, cast

import pytest

from namespace_isolation.cluster import Client
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.settings import Settings
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.names import FINALIZER
from tests.support.fake_cluster import FakeCluster
from tests.support.objects import isolation_document

Json = dict[str, Any]

_SPEC: Json = {"namespaces": {"names": ["payments"]}}
_RETAIN: Json = {**_SPEC, "deletionPolicy": "Retain"}
_AUDIT: Json = {**_SPEC, "mode": "Audit"}


class Fixture:
    """An engine that starts while an isolation is being deleted, and to which no watch tells anything."""

    def __init__(self, spec: Json, *finalizers: str) -> None:
        """Let it list what there is."""
        self.cluster = FakeCluster()
        self.cluster.set_namespace("payments", {})
        self.cluster.put("isolations", "team", isolation_document("team", spec, finalizers=list(finalizers)))
        self.cluster.end_isolation("team")
        self.engine = Engine(cast("Client", self.cluster), Settings(health_port=None))
        self.cluster.list_for(self.engine.world)


@pytest.mark.parametrize("spec", [_SPEC, _RETAIN, _AUDIT], ids=["Delete", "Retain", "Audit"])
async def test_an_isolation_whose_last_finalizer_goes_is_gone(spec: Json) -> None:
    """It governs nothing any more, least of all namespaces that come later."""
    seen = Fixture(spec, FINALIZER)
    await seen.engine._tend("team", Lane.LATER)
    assert seen.cluster.objects["isolations"] == {}
    assert seen.engine.world.isolations.by_name == {}
    assert seen.engine.world.view("payments").governing == ()
    await seen.engine._reconcile("payments", Lane.BULK)
    assert seen.cluster.writes == 0


async def test_an_isolation_that_another_finalizer_holds_stays_known() -> None:
    """It goes when that one does; the watch will tell."""
    seen = Fixture(_RETAIN, FINALIZER, "example.com/hold")
    await seen.engine._tend("team", Lane.LATER)
    assert seen.cluster.objects["isolations"]["team"]["metadata"]["finalizers"] == ["example.com/hold"]
    assert "team" in seen.engine.world.isolations.by_name


async def test_late_news_of_an_isolation_that_is_gone_bring_nothing_back() -> None:
    """A watch that begins behind may tell how it was."""
    seen = Fixture(_RETAIN, FINALIZER)
    before = seen.cluster.objects["isolations"]["team"]
    await seen.engine._tend("team", Lane.LATER)
    seen.engine.world.isolations.changed(before)
    seen.cluster.deliver_all(seen.engine.world)
    assert seen.engine.world.isolations.by_name == {}

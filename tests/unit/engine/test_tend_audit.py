"""The status of an isolation that turns to Audit and back: written where it differs, and never else."""

from __future__ import annotations

from typing import Any, cast

from namespace_isolation.cluster import Client
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.settings import Settings
from namespace_isolation.model.lane import Lane
from namespace_isolation.model.names import FINALIZER
from tests.support.fake_cluster import FakeCluster

Json = dict[str, Any]

DENY = "payments/team.default-deny-all"
_SPEC: Json = {"namespaces": {"names": ["payments"]}}
AUDIT: Json = {**_SPEC, "mode": "Audit"}
ENFORCE: Json = {**_SPEC, "mode": "Enforce"}


class Fixture:
    """An engine that nobody started, before a cluster in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        """Let it list what is there."""
        self.cluster = cluster
        self.engine = Engine(cast("Client", cluster), Settings(health_port=None, status_interval=0.0))
        cluster.list_for(self.engine.world)

    async def work(self, spec: Json | None = None) -> None:
        """Set the isolation, reconcile its namespace, and tend it until nothing is written any more."""
        if spec is not None:
            self.cluster.set_isolation("team", spec)
        written = -1
        while written < len(self.cluster.patches):
            written = len(self.cluster.patches)
            self.cluster.deliver_all(self.engine.world)
            await self.engine._reconcile("payments", Lane.BULK)
            await self.engine._tend("team", Lane.LATER)

    @property
    def document(self) -> Json:
        """The isolation as it is in the cluster."""
        return self.cluster.objects["isolations"]["team"]

    @property
    def status(self) -> Json:
        """Its status."""
        status: Json = self.document["status"]
        return status


def _cluster() -> FakeCluster:
    cluster = FakeCluster()
    cluster.set_namespace("payments", {})
    return cluster


async def test_audit_turns_to_enforce_and_back() -> None:
    """The section is there while Audit is, with the numbers of what Enforce does next; nothing is written for it."""
    seen = Fixture(_cluster())
    await seen.work(AUDIT)
    assert seen.status["audit"]["create"] == 2
    assert seen.cluster.writes == 0
    await seen.work(ENFORCE)
    assert "audit" not in seen.status
    assert seen.status["policies"]["summary"] == "2/2"
    assert seen.cluster.writes == 2
    await seen.work(AUDIT)
    assert seen.status["audit"] == {"create": 0, "update": 0, "delete": 0, "first": []}
    assert seen.status["policies"]["summary"] == "2/2"
    assert seen.cluster.writes == 2


async def test_a_status_without_news_is_not_written() -> None:
    """Neither now nor by an operator that starts afterwards."""
    cluster = _cluster()
    seen = Fixture(cluster)
    await seen.work(ENFORCE)
    await seen.work(AUDIT)
    document = cluster.objects["policies"][DENY]
    cluster.put("policies", DENY, {**document, "spec": {**document["spec"], "egress": [{}]}})
    await seen.work()
    assert seen.status["drift"]["outstanding"] == 1
    before = seen.document
    written = len(cluster.patches)
    await seen.work()
    await Fixture(cluster).work()
    assert len(cluster.patches) == written
    assert seen.document == before


async def test_what_has_only_ever_been_in_audit_gets_no_finalizer() -> None:
    """It may go at once; Enforce sets it before anything else."""
    seen = Fixture(_cluster())
    await seen.work(AUDIT)
    assert FINALIZER not in seen.document["metadata"].get("finalizers", [])
    await seen.work(ENFORCE)
    assert FINALIZER in seen.document["metadata"]["finalizers"]
    await seen.work(AUDIT)
    assert FINALIZER in seen.document["metadata"]["finalizers"]


async def test_an_isolation_in_audit_that_goes_takes_along_what_enforce_left() -> None:
    """Then its finalizer goes, and it goes with it."""
    seen = Fixture(_cluster())
    await seen.work(ENFORCE)
    await seen.work(AUDIT)
    seen.cluster.end_isolation("team")
    await seen.work()
    assert seen.cluster.objects["policies"] == {}
    assert seen.cluster.objects["isolations"] == {}


async def test_a_policy_that_claims_two_isolations_holds_up_no_status() -> None:
    """By its labels it is one's, by its name the other's: who looked at it knows enough."""
    cluster = _cluster()
    cluster.set_namespace("other", {})
    cluster.set_isolation("b", AUDIT)
    labels = {"app.kubernetes.io/managed-by": "nsiso", "nsiso.dev/isolation": "b"}
    metadata = {"namespace": "other", "name": "team.default-deny-all", "labels": labels}
    cluster.put("policies", "other/team.default-deny-all", {"metadata": metadata, "spec": {"podSelector": {}}})
    seen = Fixture(cluster)
    await seen.engine._reconcile("other", Lane.BULK)
    await seen.work(ENFORCE)
    await seen.work(AUDIT)
    document = cluster.objects["policies"][DENY]
    cluster.put("policies", DENY, {**document, "spec": {**document["spec"], "egress": [{}]}})
    await seen.work()
    assert seen.status["drift"]["outstanding"] == 1
    again = Fixture(cluster)
    await again.engine._reconcile("other", Lane.BULK)
    cluster.remove("policies", DENY)
    await again.work()
    assert again.status["policies"]["inPlace"] == 1

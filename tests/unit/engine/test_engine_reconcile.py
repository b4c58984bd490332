"""What the engine makes of a reconcile: appointments for fights, what stays lost, what is tried again."""

from __future__ import annotations

from typing import Any, cast

import pytest

from namespace_isolation.cluster import ApiError, Client
from namespace_isolation.engine.engine import Engine
from namespace_isolation.engine.settings import Settings
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.lane import Lane
from tests.support.fake_cluster import FakeCluster
from tests.support.fighting import Clock

Json = dict[str, Any]

DENY = "team.default-deny-all"
KEY = f"payments/{DENY}"
_TEAM: Json = {"namespaces": {"names": ["payments"]}}
AUDIT: Json = {**_TEAM, "mode": "Audit"}
ENFORCE: Json = {**_TEAM, "mode": "Enforce"}


class Fixture:
    """An engine that nobody started, before a cluster in memory with an isolation of one namespace."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, spec: Json = ENFORCE) -> None:
        """Let it hear of everything, and note its appointments."""
        self.cluster = FakeCluster()
        self.clock = Clock()
        self.engine = Engine(cast("Client", self.cluster), Settings(health_port=None), clock=self.clock)
        self.appointments: list[float] = []
        monkeypatch.setattr(
            self.engine.queues["namespaces"], "add_after", lambda _, seconds, __: self.appointments.append(seconds)
        )
        world = self.engine.world
        for store in (world.namespaces, world.policies, world.isolations):
            store.replaced([], 1)
        self.cluster.set_namespace("payments", {})
        self.cluster.set_isolation("team", spec)

    async def reconcile(self) -> bool:
        """Reconcile the namespace as it is known, and tell whether all is well."""
        self.cluster.deliver_all(self.engine.world)
        return await self.engine._reconcile("payments", Lane.BULK)

    async def provoke(self, times: int = 1, *, name: str = DENY, after: float = 0.1) -> bool:
        """Delete a policy and have it repaired, again and again."""
        well = True
        for _ in range(times):
            self.clock.now += after
            self.cluster.remove("policies", f"payments/{name}")
            well = await self.reconcile()
        return well

    @property
    def lost(self) -> frozenset[str]:
        """What was seen to go."""
        return self.engine.world.policies.lost_in("payments")


async def test_a_fight_makes_its_own_appointment_and_is_not_tried_again_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of the pause, and when peace may have come; not with the pauses of what fails."""
    seen = Fixture(monkeypatch)
    assert await seen.reconcile()
    assert await seen.provoke(4)
    assert seen.appointments == []
    assert await seen.provoke()
    assert seen.appointments == [pytest.approx(1.0)]
    assert await seen.provoke(after=0.3)
    assert KEY not in seen.cluster.objects["policies"]
    assert seen.appointments[1:] == [pytest.approx(0.7)]
    seen.clock.now += 0.7
    assert await seen.reconcile()
    assert KEY in seen.cluster.objects["policies"]
    assert seen.appointments[2:] == [pytest.approx(2.0)]
    seen.clock.now += 2.0
    assert await seen.reconcile()
    assert seen.appointments[3:] == [pytest.approx(60.0)]
    seen.clock.now += 60.0
    assert await seen.reconcile()
    assert len(seen.appointments) == 4
    assert seen.engine.board.standings("team")["payments"].in_sync


async def test_a_fight_that_falls_due_while_its_repair_is_held_is_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event loop may keep appointments a moment too early."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    await seen.provoke(5)
    seen.cluster.remove("policies", KEY)
    seen.clock.now += 0.9999
    fought_in = seen.engine._fights.fought_in

    def asked_a_moment_later(namespace: str) -> tuple[Fight, ...]:
        seen.clock.now += 0.001
        return fought_in(namespace)

    monkeypatch.setattr(seen.engine._fights, "fought_in", asked_a_moment_later)
    await seen.reconcile()
    assert KEY not in seen.cluster.objects["policies"]
    assert seen.appointments[1:] == [0.0]


async def test_a_fight_is_told_until_peace_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the standing, also while the policy is in place."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    await seen.provoke(5)
    standing = seen.engine.board.standings("team")["payments"]
    assert [failure.reason for failure in standing.failures] == ["Fight"]
    assert standing.desired == standing.in_place
    assert seen.engine.board.drift("team").corrected == 5


async def test_what_was_repaired_is_not_lost_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next time it is missing is another loss."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    seen.cluster.remove("policies", KEY)
    seen.cluster.deliver_all(seen.engine.world)
    assert seen.lost == {DENY}
    await seen.reconcile()
    assert seen.lost == set()


async def test_what_audit_does_not_put_back_stays_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is looked at, it is told as deleted; Enforce then repairs it, and somebody else may, too."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    document = seen.cluster.objects["policies"][KEY]
    seen.cluster.set_isolation("team", AUDIT)
    await seen.provoke()
    await seen.reconcile()
    assert seen.lost == {DENY}
    drift = seen.engine.board.drift("team")
    assert [(entry["kind"], entry["action"]) for entry in drift.recent] == [("Deleted", "Reported")]
    assert seen.engine.board.standings("team")["payments"].outstanding == 1
    seen.cluster.put("policies", KEY, document)
    await seen.reconcile()
    assert seen.lost == set()
    assert seen.engine.board.standings("team")["payments"].in_sync
    await seen.provoke()
    seen.cluster.set_isolation("team", ENFORCE)
    await seen.reconcile()
    assert seen.lost == set()
    assert drift.corrected == 1


async def test_what_audit_left_undone_is_not_lost_once_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit takes it off the list."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    seen.cluster.set_isolation("team", AUDIT)
    await seen.provoke()
    seen.cluster.set_isolation("team", {**AUDIT, "defaultDeny": ["Ingress"]})
    await seen.reconcile()
    assert seen.lost == set()


async def test_audit_writes_nothing_and_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it finds is no failure, and needs no other try."""
    seen = Fixture(monkeypatch, AUDIT)
    assert await seen.reconcile()
    assert seen.cluster.writes == 0
    assert seen.appointments == []
    pending = seen.engine.board.standings("team")["payments"].pending
    assert pending is not None
    assert pending.create == 2


async def test_evidence_that_cannot_be_read_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it can: Audit is not ready before."""
    seen = Fixture(monkeypatch)
    await seen.reconcile()
    seen.cluster.set_isolation("team", AUDIT)
    document = seen.cluster.objects["policies"][KEY]
    seen.cluster.put("policies", KEY, {**document, "spec": {**document["spec"], "egress": [{}]}})

    async def broken(path: str) -> Json:
        raise ApiError(status=500, reason="Broken", message="no", request=path)

    with monkeypatch.context() as patched:
        patched.setattr(seen.cluster, "get", broken)
        assert not await seen.reconcile()
    assert seen.engine.board.standings("team")["payments"].failing
    assert await seen.reconcile()
    assert not seen.engine.board.standings("team")["payments"].failing


def _with_port(port: int) -> Json:
    return {**_TEAM, "allow": [{"name": "x", "to": [{"podSelector": {}}], "ports": [{"port": port}]}]}


async def test_an_edit_of_the_resource_ends_the_wait_of_a_fight(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wanted anew is tried at once."""
    seen = Fixture(monkeypatch, _with_port(80))
    name = "team.allow-x-ingress"
    await seen.reconcile()
    await seen.provoke(6, name=name)
    assert f"payments/{name}" not in seen.cluster.objects["policies"]
    seen.cluster.set_isolation("team", _with_port(90))
    assert await seen.reconcile()
    assert f"payments/{name}" in seen.cluster.objects["policies"]

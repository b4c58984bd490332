"""What has to be read before updates are ordered: only specs that were not served lately."""

from __future__ import annotations

from typing import Any

from namespace_isolation.apply.look_closer import look_closer
from namespace_isolation.compare.compare import compare
from namespace_isolation.desire.render import render
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.plan import Plan
from namespace_isolation.observe import served_policy
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import isolation, stored, view

Json = dict[str, Any]


def _entry(name: str, team: str) -> Json:
    """Let a team in to the pods of the API."""
    source = {"namespaceSelector": {"matchLabels": {"team": team}}}
    return {"name": name, "from": [source], "to": [{"podSelector": {"matchLabels": {"app": "api"}}}]}


def _team(*teams: str, generation: int) -> Isolation:
    allow = [_entry(name, team) for name, team in zip(("one", "two"), teams, strict=True)]
    return isolation("team", allow=allow, generation=generation)


class Cluster:
    """The policies of an isolation as they are, and who read which."""

    def __init__(self, team: Isolation) -> None:
        """Put what the isolation wants in place."""
        self.documents = {each.name: stored(each.manifest("payments")) for each in render(team).policies}
        self.read_names: list[str] = []

    async def read(self, namespace: str, name: str) -> Json | None:
        """Give a policy as served."""
        assert namespace == "payments"
        self.read_names.append(name)
        return self.documents.get(name)

    def plan(self, wanted: Isolation) -> Plan:
        """Plan the way to what another generation wants."""
        desired = {each.name: each for each in render(wanted).policies}
        return compare(desired, view(wanted, live=[read_policy(each) for each in self.documents.values()]))


_BEFORE = _team("web", "mobile", generation=1)
_SWAPPED = _team("mobile", "web", generation=2)


async def test_specs_that_were_served_lately_are_not_read_again() -> None:
    """One edit changes the same specs in every namespace."""
    cluster = Cluster(_BEFORE)
    plan = await look_closer(cluster.plan(_SWAPPED), cluster)
    assert cluster.read_names == []
    assert any("allow-bridge" in step.name for step in plan.steps())  # two entries that swap need one


async def test_specs_that_are_not_known_any_more_are_read() -> None:
    """The order comes out the same."""
    cluster = Cluster(_BEFORE)
    plan = cluster.plan(_SWAPPED)
    known = await look_closer(plan, cluster)
    served_policy._SPECS.clear()
    assert await look_closer(plan, cluster) == known
    assert sorted(cluster.read_names) == sorted(plan.own_changes())


async def test_one_change_alone_is_not_looked_at() -> None:
    """Nothing depends on it."""
    cluster = Cluster(_BEFORE)
    plan = cluster.plan(_team("web", "other", generation=2))
    assert await look_closer(plan, cluster) is plan


async def test_what_is_gone_by_now_is_left_out_of_the_order() -> None:
    """The watch will tell of it."""
    cluster = Cluster(_BEFORE)
    plan = cluster.plan(_SWAPPED)
    served_policy._SPECS.clear()
    cluster.documents.clear()
    assert await look_closer(plan, cluster) == plan

"""Policies that the garbage collector has made orphans: `kubectl delete --cascade=orphan` asked for them to stay."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.engine.world import World
from namespace_isolation.model.isolation import Stance
from namespace_isolation.model.names import FINALIZER
from tests.support.fake_cluster import FakeCluster
from tests.support.objects import PROTECTED, isolation_document, policy, stored

Json = dict[str, Any]

_KEY = "payments/team.default-deny-all"


class Fixture:
    """A cluster with an isolation that is being deleted, and a policy of it."""

    def __init__(
        self, *, owned: bool = True, left: bool = True, observed: int = 1, finalizers: tuple[str, ...] = (FINALIZER,)
    ) -> None:
        """`owned`: whether the policy still bears its ownerReference; `left`: whether there is a policy at all.

        `observed`: the generation that the status is about; the isolation itself is of the first.
        """
        self.cluster = FakeCluster()
        self.world = World(
            protected=PROTECTED,
            look_at=lambda *_: None,
            tend_to=lambda _: None,
            came=lambda _: None,
            went=lambda _: None,
            left=lambda _, __: None,
        )
        self.cluster.set_namespace("payments", {})
        document = isolation_document(finalizers=list(finalizers))
        self.cluster.put("isolations", "team", {**document, "status": {"observedGeneration": observed}})
        if left:
            self.cluster.put("policies", _KEY, self._policy(owned=owned))

    def _policy(self, *, owned: bool) -> Json:
        document = stored(policy("team.default-deny-all", owner=owned).manifest("payments"))
        if owned:
            uid = self.cluster.objects["isolations"]["team"]["metadata"]["uid"]
            document["metadata"]["ownerReferences"][0]["uid"] = uid
        return document

    def stance(self) -> Stance:
        """Tell what the isolation asks for."""
        return self.world.isolations.by_name["team"].stance


# sentence: the cluster at the start of an operator, and what the isolation that is being deleted asks for
_STARTS: dict[str, tuple[Fixture, Stance]] = {
    "a policy is owned": (Fixture(), Stance.LEAVING),
    "no policy is owned any more": (Fixture(owned=False), Stance.WANTED),
    "no policy is left": (Fixture(left=False), Stance.LEAVING),
    "it was edited as well, perhaps from Retain": (Fixture(owned=False, observed=0), Stance.LEAVING),
    "nobody ever looked at it": (Fixture(owned=False, observed=-1), Stance.LEAVING),
    "the garbage collector is still at it": (Fixture(finalizers=(FINALIZER, "orphan")), Stance.WANTED),
}


@pytest.mark.parametrize(("seen", "stance"), _STARTS.values(), ids=_STARTS.keys())
def test_what_an_operator_that_starts_makes_of_it(seen: Fixture, stance: Stance) -> None:
    """The marker may be gone from the resource already; the ownerReferences tell."""
    seen.cluster.end_isolation("team")
    seen.cluster.list_for(seen.world)
    assert seen.stance() is stance


def test_nothing_is_decided_before_every_cache_is_complete() -> None:
    """The policies may only not have come yet."""
    seen = Fixture(owned=False)
    seen.cluster.end_isolation("team")
    seen.cluster.deliver_all(seen.world)
    assert seen.stance() is Stance.LEAVING
    seen.world.complete()
    assert seen.stance() is Stance.WANTED


def test_an_isolation_that_takes_its_policies_away_goes_on_to_the_last() -> None:
    """That fewer and fewer are owned is our own work, or somebody's who is in a hurry."""
    seen = Fixture()
    seen.cluster.list_for(seen.world)
    seen.cluster.end_isolation("team")
    seen.cluster.deliver_all(seen.world)
    document = seen.cluster.objects["policies"][_KEY]
    metadata = {key: value for key, value in document["metadata"].items() if key != "ownerReferences"}
    seen.cluster.put("policies", _KEY, {**document, "metadata": metadata})
    seen.cluster.deliver_all(seen.world)
    assert seen.stance() is Stance.LEAVING


def test_an_orphan_stays_one_whatever_else_is_heard_of_its_isolation() -> None:
    """Later news do not bear the marker either; a successor of the name is another one."""
    seen = Fixture(owned=False)
    seen.cluster.end_isolation("team")
    seen.cluster.list_for(seen.world)
    document = seen.cluster.objects["isolations"]["team"]
    seen.cluster.put("isolations", "team", {**document, "status": {"observedGeneration": 1}})
    seen.cluster.deliver_all(seen.world)
    assert seen.stance() is Stance.WANTED
    seen.cluster.remove("isolations", "team")
    seen.cluster.remove("policies", _KEY)
    seen.cluster.deliver_all(seen.world)
    seen.cluster.set_isolation("team", {"namespaces": {"names": ["payments"]}})
    seen.cluster.end_isolation("team")
    seen.cluster.deliver_all(seen.world)
    assert seen.stance() is Stance.LEAVING

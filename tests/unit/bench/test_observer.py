"""What the observer takes from a watch, and how it is waited for."""

from __future__ import annotations

import asyncio
import json

import pytest

from namespace_isolation.model.names import FINALIZER
from tests.bench.observer import Observer
from tests.bench.problem import BenchProblem
from tests.bench.settled import Leaving, Settling


def policy(kind: str, namespace: str, name: str = "deny") -> bytes:
    """Write an event as the API server does: without blanks, name and namespace first."""
    metadata = {"name": name, "namespace": namespace, "uid": "u", "resourceVersion": "7"}
    document = {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "metadata": metadata, "spec": {}}
    return json.dumps({"type": kind, "object": document}, separators=(",", ":")).encode()


def isolation(kind: str, name: str, *, generation: int = 1, observed: int = 1, ready: str = "True") -> bytes:
    """Write an event of an isolation."""
    status = {"observedGeneration": observed, "conditions": [{"type": "Ready", "status": ready}]}
    metadata = {"name": name, "generation": generation, "finalizers": [FINALIZER]}
    return json.dumps({"type": kind, "object": {"metadata": metadata, "status": status}}).encode()


BOOKMARK = b'{"type":"BOOKMARK","object":{"kind":"NetworkPolicy"}}'


def test_events_are_counted_by_kind_and_group() -> None:
    """A group is what namespaces are called before their number; bookmarks are no events."""
    observer = Observer()
    observer.take_policies([policy("ADDED", "team-a-00001"), policy("ADDED", "other-00001"), BOOKMARK])
    observer.take_policies([policy("DELETED", "other-00001")])
    assert observer.kinds == {"ADDED": 2, "DELETED": 1}
    assert observer.groups["team-a", "ADDED"] == 1
    assert observer.groups["other", "DELETED"] == 1
    assert observer.policies[0].document["metadata"]["name"] == "deny"
    observer.forget()
    assert not observer.policies
    assert not observer.kinds
    assert not observer.groups


def test_the_span_is_from_the_first_to_the_last() -> None:
    """Of the kind that was asked for."""
    observer = Observer()
    with pytest.raises(BenchProblem, match="no policy was ADDED"):
        observer.span("ADDED")
    for kind in ("DELETED", "ADDED", "ADDED", "DELETED"):
        observer.take_policies([policy(kind, "team-1")])
    assert observer.span("ADDED") == (observer.policies[1].at, observer.policies[2].at)


def test_an_event_that_cannot_be_read_is_a_problem() -> None:
    """To pass over it would make a measurement wait for ever."""
    with pytest.raises(BenchProblem, match="cannot be read"):
        Observer().take_policies([b'{"type":"ERROR","object":{"kind":"Status","code":410}}'])


def test_events_of_one_policy_and_one_namespace_can_be_collected() -> None:
    """As long as the context lasts, and no others."""
    observer = Observer()
    with observer.of_policy("team-1", "deny") as one, observer.in_namespace("team-1") as all_there:
        observer.take_policies([policy("ADDED", "team-1"), policy("ADDED", "team-1", "dns"), policy("ADDED", "team-2")])
    observer.take_policies([policy("DELETED", "team-1")])
    assert [(each.kind, each.name) for each in one] == [("ADDED", "deny")]
    assert [each.name for each in all_there] == ["deny", "dns"]


async def test_a_wait_ends_with_the_news() -> None:
    """Or at once, where it holds already."""
    observer = Observer()
    waiting = asyncio.ensure_future(observer.until(lambda: observer.kinds["ADDED"] == 2, within=5, what="two"))
    observer.take_policies([policy("ADDED", "team-1")])
    await asyncio.wait({waiting}, timeout=0.01)
    assert not waiting.done()
    observer.take_policies([policy("ADDED", "team-2")])
    await waiting
    await observer.until(lambda: True, within=0, what="nothing")


async def test_a_wait_ends_at_its_deadline() -> None:
    """What was waited for is said, and what came instead."""
    observer = Observer()
    observer.take_policies([policy("DELETED", "team-1")])
    with pytest.raises(BenchProblem, match=r"two policies: not within 0 s.*DELETED"):
        await observer.until(lambda: False, within=0.01, what="two policies")


def test_isolations_settle_one_by_one() -> None:
    """A status of an older generation, or one that is not Ready, does not count; its moment is the last one's."""
    observer = Observer()
    settling = Settling(observer, ["one", "two"])
    observer.take_isolations([isolation("MODIFIED", "one"), isolation("MODIFIED", "two", generation=2)])
    assert not settling.done()
    assert settling.pending == {"two"}
    observer.take_isolations([isolation("MODIFIED", "two", generation=2, observed=2, ready="False")])
    assert not settling.done()
    observer.take_isolations([isolation("MODIFIED", "two", generation=2, observed=2)])
    assert settling.done()
    assert settling.at == max(settling.statuses)
    assert len(settling.statuses) == 3


def test_isolations_leave_when_they_are_deleted() -> None:
    """To be marked as deleted is not enough."""
    observer = Observer()
    leaving = Leaving(observer, ["one"])
    observer.take_isolations([isolation("MODIFIED", "one"), isolation("DELETED", "another")])
    assert not leaving.done()
    observer.take_isolations([isolation("DELETED", "one")])
    assert leaving.done()

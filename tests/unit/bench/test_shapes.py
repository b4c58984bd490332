"""The shapes, and what their isolations render to."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from namespace_isolation.model.selection import selects
from namespace_isolation.observe.isolations import read_isolation
from tests.bench.measures.edit import changed, edited
from tests.bench.probes import Disturbance, drifts
from tests.bench.shapes import POLICIES_EACH, SHAPES, Shape, plain
from tests.bench.wanted import creations, deletions, keys_of, policies_of, removals, rendered, replacement

Json = dict[str, Any]


def stored(document: Json, number: int) -> Json:
    """Give an isolation as the API server would serve it."""
    facts = {"uid": f"uid-{number}", "generation": 1, "resourceVersion": "1"}
    return {**document, "metadata": {**document["metadata"], **facts}}


def served(shape: Shape, count: int) -> list[Json]:
    """Give the isolations of a shape as served."""
    return [stored(each, number) for number, each in enumerate(shape.isolations(shape.places("team", count)))]


def seeded() -> Random:
    """Give the same chance every time."""
    return Random(1)  # noqa: S311 - nothing secret


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_namespace_gets_four_policies(shape: Shape) -> None:
    """Denial, DNS and both sides of one flow, whichever isolations they come from."""
    places, wanted = shape.places("team", 60), rendered(served(shape, 60))
    for place in places:
        names = sorted(policy.name.partition(".")[2] for policy in policies_of(place, wanted))
        assert names == [
            "allow-dns-egress",
            "allow-web-to-api-egress",
            "allow-web-to-api-ingress",
            "default-deny-all",
        ]
    assert len(creations(places, wanted)) == POLICIES_EACH * len(places)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_place_names_the_isolations_that_select_it(shape: Shape) -> None:
    """The bench knows beforehand what the operator will find out."""
    isolations = [read_isolation(document) for document in served(shape, 60)]
    for place in shape.places("team", 60):
        found = {
            each.name
            for each in isolations
            if each.spec is not None
            and selects(each.spec.namespaces, name=place.name, labels=place.labels, protected=frozenset())
        }
        assert found == set(place.isolations)


def test_fifty_isolations_overlap_evenly() -> None:
    """In shape C none of them stands aside, and none has much more than its share."""
    counts = Counter(name for place in SHAPES["C"].places("team", 1000) for name in place.isolations)
    assert len(counts) == 50
    assert set(counts.values()) == {40}


def test_plain_places_are_selected_by_nobody() -> None:
    """The reference writes the policies of these isolations where the operator would not."""
    shape = SHAPES["A"]
    others = plain(shape.places("team", 3))
    assert [place.labels for place in others] == [{}, {}, {}]
    wanted = rendered(served(shape, 3))
    assert [name for name, _ in keys_of(others, wanted)][::4] == ["plain-00000", "plain-00001", "plain-00002"]


def test_the_reference_sends_what_the_operator_would() -> None:
    """Labels, annotations and ownerReference included, and under the same field manager."""
    shape = SHAPES["B"]
    wanted = rendered(served(shape, 1))
    (place,) = shape.places("team", 1)
    for request, policy in zip(creations([place], wanted), policies_of(place, wanted), strict=True):
        assert request.path.endswith("/namespaces/team-00000/networkpolicies?fieldManager=nsiso")
        assert request.body is not None
        assert b'"uid":"uid-0"' in request.body
        assert policy.hash.encode() in request.body
        assert replacement(place.name, policy).body == request.body
    assert {request.method for request in deletions(keys_of([place], wanted))} == {"DELETE"}
    assert [request.path.rpartition("/")[2] for request in removals(place)] == [
        "team-00000",
        "networkpolicies",
        "finalize",
    ]


def test_drifts_are_half_deletions_and_half_openings() -> None:
    """No policy twice, as many as there are at most, and the same choice every time."""
    shape = SHAPES["A"]
    places, wanted = shape.places("team", 10), rendered(served(shape, 10))
    chosen = drifts(places, wanted, 30, seeded())
    assert Counter(each.how for each in chosen) == {Disturbance.DELETED: 15, Disturbance.OPENED: 15}
    assert len({(each.namespace, each.policy.name) for each in chosen}) == 30
    assert chosen == drifts(places, wanted, 30, seeded())
    assert len(drifts(places, wanted, 1000, seeded())) == 40


def test_a_drift_is_somebody_elses_write() -> None:
    """An opened policy lets everything in and out, whatever it said before."""
    shape = SHAPES["A"]
    deleted, opened = drifts(shape.places("team", 1), rendered(served(shape, 1)), 2, seeded())
    assert deleted.request.method == "DELETE"
    assert opened.request.path.endswith("?fieldManager=kubectl-edit")
    assert opened.request.body is not None
    assert json.loads(opened.request.body)["spec"]["ingress"] == [{}]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_edit_of_the_entry_changes_its_two_policies(shape: Shape) -> None:
    """The others stay as they are, in every namespace."""
    places, documents = shape.places("team", 60), served(shape, 60)
    now, then = rendered(documents), rendered(edited(document, 9090) for document in documents)
    found = changed(places, now, then)
    assert {name for name, _ in found} == {place.name for place in places}
    assert len(found) == 2 * len(places)
    assert {policy.name.rpartition("-")[2] for _, policy in found} == {"ingress", "egress"}
    assert all("web-to-api" in policy.name for _, policy in found)
    assert changed(places, now, now) == []

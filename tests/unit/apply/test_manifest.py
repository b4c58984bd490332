"""The body of a repair: our part is as it should be, everybody else's part survives."""

from __future__ import annotations

import copy
from typing import Any

from namespace_isolation.apply.manifest import released, repaired
from namespace_isolation.compare.drift import drift_of
from namespace_isolation.observe.served_policy import read_policy
from tests.support.objects import policy, stored

Json = dict[str, Any]

WANTED = policy("team.default-deny-all")
_POD = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}


def _bent() -> Json:
    """Give our policy after somebody opened it and put things of his own into it."""
    document = copy.deepcopy(stored(WANTED.manifest("payments"), version=7))
    metadata = document["metadata"]
    metadata["labels"] = {"team": "x", "nsiso.dev/isolation": "other"}
    metadata["annotations"] = {"note": "mine", "nsiso.dev/hash": "1-0"}
    metadata["finalizers"] = ["example.com/hold"]
    metadata["ownerReferences"] = [
        _POD,
        {**metadata["ownerReferences"][0], "uid": "an-older-uid", "controller": True},
        {**metadata["ownerReferences"][0], "name": "other"},
    ]
    metadata["managedFields"] = [{"manager": "kubectl-edit"}]
    document["spec"] = {"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]}
    return document


def test_a_repaired_policy_is_as_it_should_be() -> None:
    """Spec, labels, annotations and owner are ours again, whatever was there."""
    body = repaired(WANTED, _bent())
    assert read_policy(body).matches(WANTED)
    assert drift_of(WANTED, body).fields == ()
    assert body["spec"] == WANTED.spec


def test_foreign_labels_annotations_finalizers_and_owners_survive() -> None:
    """Others may use the object; only references to isolations are ours to set."""
    metadata = repaired(WANTED, _bent())["metadata"]
    assert metadata["labels"] == {"team": "x", **WANTED.labels}
    assert metadata["annotations"] == {"note": "mine", **WANTED.annotations}
    assert metadata["finalizers"] == ["example.com/hold"]
    assert metadata["ownerReferences"][0] == _POD
    assert [each["name"] for each in metadata["ownerReferences"]] == ["p", "team"]


def test_the_write_is_guarded_by_the_version_that_was_read() -> None:
    """Both uid and resourceVersion stay; managedFields are the API server's business."""
    metadata = repaired(WANTED, _bent())["metadata"]
    assert (metadata["uid"], metadata["resourceVersion"]) == ("uid-of-team.default-deny-all", "7")
    assert "managedFields" not in metadata


def test_metadata_that_is_not_there_is_no_trouble() -> None:
    """A policy without labels, annotations and owners, or with null for them, is repaired like any other."""
    document = stored(WANTED.manifest("payments"))
    for field in ("labels", "annotations", "ownerReferences"):
        document["metadata"][field] = None
    assert read_policy(repaired(WANTED, document)).matches(WANTED)
    for field in ("labels", "annotations", "ownerReferences"):
        del document["metadata"][field]
    assert read_policy(repaired(WANTED, document)).matches(WANTED)


def test_a_retained_policy_loses_its_owner_and_nothing_else() -> None:
    """Without an ownerReference of ours the garbage collector leaves it alone."""
    retained = policy("team.default-deny-all", owner=False)
    assert repaired(retained, _bent())["metadata"]["ownerReferences"] == [_POD]


def test_the_object_that_was_read_is_not_changed() -> None:
    """A retry starts from what was read."""
    document = _bent()
    before = copy.deepcopy(document)
    repaired(WANTED, document)
    released(document)
    assert document == before


def test_a_released_policy_keeps_all_but_our_owner_references() -> None:
    """An isolation that goes and could not be read leaves its policies as they are."""
    body = released(_bent())
    assert body["metadata"]["ownerReferences"] == [_POD]
    assert body["spec"] == _bent()["spec"]
    assert body["metadata"]["labels"] == _bent()["metadata"]["labels"]
    assert body["metadata"]["resourceVersion"] == "7"

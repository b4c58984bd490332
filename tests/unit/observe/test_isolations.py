"""Isolations as they are read, and their store."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.observe.isolations import IsolationStore, isolation_path, read_isolation
from tests.support.objects import isolation, isolation_document
from tests.support.served import texts

Json = dict[str, Any]

_POD: Json = {"podSelector": {}}
_ALL: Json = {"namespaceSelector": {}}


def _paths(found: Isolation) -> list[str]:
    return [fault.path for fault in found.faults]


# Reading


def test_an_isolation_is_read_with_what_identifies_it() -> None:
    """Name, uid, generation and version; no fault, no notice."""
    found = read_isolation(isolation_document(generation=3, resourceVersion="12", finalizers=["nsiso.dev/policies"]))
    assert (found.name, found.uid, found.generation, found.resource_version) == ("team", "uid-of-team", 3, 12)
    assert (found.faults, found.notices, found.finalizers) == ((), (), ("nsiso.dev/policies",))
    assert found.spec is not None
    assert found.stance is Stance.WANTED


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({}, ["spec.namespaces"]),
        ([], ["spec.namespaces"]),
        ("payments", ["spec.namespaces"]),
        ({"namespaces": {"names": ["payments"]}, "allow": [{"name": "x"}]}, ["spec.allow[0]"]),
        ({"namespaces": {"names": ["payments"]}, "mode": "Dry"}, ["spec.mode"]),
        ({"namespaces": {"names": ["P"]}, "mode": "Dry"}, ["spec.namespaces.names[0]", "spec.mode"]),
    ],
    ids=str,
)
def test_what_is_wrong_becomes_faults_and_never_an_exception(spec: object, paths: list[str]) -> None:
    """An older CRD may have let anything in: the isolation is then frozen, with every place named."""
    found = read_isolation(isolation_document(spec=spec))
    assert _paths(found) == paths
    assert found.spec is None
    assert found.stance is Stance.FROZEN


def test_a_spec_that_is_missing_is_a_fault() -> None:
    """The API server refuses it, and we do not fail on it."""
    document = isolation_document()
    del document["spec"]
    assert _paths(read_isolation(document)) == ["spec.namespaces"]


def test_a_name_that_is_too_long_for_a_label_is_a_fault() -> None:
    """63 characters are accepted, 64 are not."""
    assert _paths(read_isolation(isolation_document("a" * 63))) == []
    assert _paths(read_isolation(isolation_document("a" * 64))) == ["metadata.name"]


@pytest.mark.parametrize(
    ("spec", "stance"),
    [
        ({}, Stance.LEAVING),
        ({"deletionPolicy": "Retain"}, Stance.WANTED),
        ({"mode": "Audit"}, Stance.LEAVING),
        ({"mode": "Audit", "deletionPolicy": "Retain"}, Stance.AUDIT),
        ({"mode": "Dry"}, Stance.LEAVING),
        ({"deletionPolicy": "Retain", "allow": "nonsense"}, Stance.FROZEN),
    ],
    ids=str,
)
def test_what_a_deleted_isolation_asks_for(spec: Json, stance: Stance) -> None:
    """Delete takes the policies away; Retain leaves them, even where the rest of the spec cannot be read."""
    assert isolation(deleting=True, **spec).stance is stance


def test_deletion_that_orphans_retains() -> None:
    """`kubectl delete --cascade=orphan` asks for the same as deletionPolicy Retain."""
    found = isolation(deleting=True, finalizers=["orphan"])
    assert found.retain
    assert found.stance is Stance.WANTED
    assert not isolation(deleting=True, finalizers=["foregroundDeletion"]).retain


@pytest.mark.parametrize(
    ("spec", "notices"),
    [
        ({}, []),
        ({"unmanagedPolicies": "Ignore"}, []),
        ({"unmanagedPolicies": "Remove"}, []),
        ({"unmanagedPolicies": "Report", "defaultDeny": []}, []),
        ({"unmanagedPolicies": "Remove", "defaultDeny": []}, ["spec.unmanagedPolicies"]),
        ({"allow": [{"name": "x", "from": [_POD]}]}, []),
        ({"allow": [{"name": "x", "from": [_POD]}], "defaultDeny": ["Ingress"]}, ["spec.allow[0]"]),
        ({"allow": [{"name": "x", "from": [_ALL]}], "defaultDeny": ["Ingress"]}, []),
        ({"allow": [{"name": "x", "from": [_ALL]}], "defaultDeny": ["Egress"]}, ["spec.allow[0]"]),
        ({"allow": [{"name": "x", "to": [_ALL]}], "defaultDeny": ["Egress"]}, []),
        ({"allow": [{"name": "x", "to": [_ALL]}], "defaultDeny": ["Ingress"]}, ["spec.allow[0]"]),
        (
            {"allow": [{"name": "x", "from": [_ALL]}, {"name": "y", "to": [_POD]}], "defaultDeny": ["Ingress"]},
            ["spec.allow[1]"],
        ),
    ],
    ids=str,
)
def test_what_is_accepted_and_yet_surprising_is_noticed(spec: Json, notices: list[str]) -> None:
    """A field that does nothing, and an entry that isolates a direction which defaultDeny leaves open."""
    found = isolation(**spec)
    assert [each.path for each in found.notices] == notices
    assert found.stance is Stance.WANTED


def test_a_notice_names_the_directions_that_an_entry_isolates() -> None:
    """Both, where nothing is denied by default and both sides are local."""
    (notice,) = isolation(allow=[{"name": "x", "from": [_POD]}], defaultDeny=[]).notices
    assert "for Ingress and Egress" in notice.message


def test_the_paths_of_an_isolation() -> None:
    """Cluster-scoped, with a status subresource."""
    assert isolation_path("team") == "/apis/nsiso.dev/v1alpha1/namespaceisolations/team"
    assert isolation_path("team", "/status").endswith("/team/status")


# The store


class Fixture:
    """A store and the news that it told: versions before and after."""

    def __init__(self) -> None:
        """Start empty."""
        self.told: list[tuple[int | None, int | None]] = []
        self.store = IsolationStore(self._tell)

    def _tell(self, old: Isolation | None, new: Isolation | None) -> None:
        self.told.append((None if old is None else old.resource_version, None if new is None else new.resource_version))

    def names(self) -> set[str]:
        """Name what is there."""
        return set(self.store.by_name)


def _served(version: int, name: str = "team", *, uid: str = "u", **fields: Any) -> Json:  # noqa: ANN401 - any JSON
    return {**isolation_document(name, uid=uid, resourceVersion=str(version)), **fields}


def test_every_news_is_told_with_what_was_before() -> None:
    """Added, changed, removed."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.changed(_served(2))
    seen.store.removed("team", "u", 3)
    assert seen.told == [(None, 1), (1, 2), (2, None)]
    assert seen.names() == set()


@pytest.mark.parametrize("version", [4, 5], ids=["older", "the same"])
def test_older_news_are_dropped(version: int) -> None:
    """The answer to a write of ours may come before or after the event."""
    seen = Fixture()
    seen.store.changed(_served(5))
    seen.store.changed(_served(version))
    assert seen.told == [(None, 5)]


def test_the_status_is_kept_as_the_cluster_has_it() -> None:
    """It goes with the isolation; where there is none, it is empty."""
    seen = Fixture()
    assert seen.store.status_of("team") == {}
    seen.store.changed(_served(1, status={"observedGeneration": 1}))
    assert seen.store.status_of("team") == {"observedGeneration": 1}
    seen.store.changed(_served(2, status=None))
    assert seen.store.status_of("team") == {}
    seen.store.changed(_served(3, status={"observedGeneration": 2}))
    seen.store.removed("team", "u", 4)
    assert seen.store.status_of("team") == {}


def test_the_removal_of_a_predecessor_is_no_news() -> None:
    """Deleted and made anew: the late removal of the old one does not touch the new one."""
    seen = Fixture()
    seen.store.changed(_served(1, uid="old"))
    seen.store.changed(_served(3, uid="new"))
    seen.store.removed("team", "old", 2)
    assert seen.told == [(None, 1), (1, 3)]
    assert seen.names() == {"team"}


def test_late_news_of_a_predecessor_do_not_replace_its_successor() -> None:
    """Versions count, whatever the uid."""
    seen = Fixture()
    seen.store.changed(_served(7, uid="new"))
    seen.store.changed(_served(3, uid="old"))
    assert seen.store.by_name["team"].uid == "new"


def test_the_answer_to_a_write_does_not_bring_back_what_is_gone() -> None:
    """Our finalizer goes with a PATCH whose answer may come after the deletion."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.removed("team", "u", 2)
    seen.store.changed(_served(2))
    assert seen.names() == set()
    seen.store.changed(_served(3, uid="made-anew"))
    assert seen.names() == {"team"}


def test_a_list_finds_what_was_removed_without_an_event() -> None:
    """Kopf may lose a deletion."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.changed(_served(2, "other", uid="v"))
    seen.store.replaced(texts([_served(2, "other", uid="v")]), 9)
    assert seen.names() == {"other"}
    assert seen.told[-1] == (1, None)


def test_a_list_brings_what_is_new_or_changed() -> None:
    """And tells nothing of what is as it was."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.changed(_served(2, "other", uid="v"))
    seen.told.clear()
    seen.store.replaced(texts([_served(1), _served(8, "other", uid="v"), _served(7, "third", uid="w")]), 9)
    assert seen.told == [(2, 8), (None, 7)]


def test_a_list_does_not_drop_what_is_newer() -> None:
    """What was made while the list was on its way is not in it."""
    seen = Fixture()
    seen.store.changed(_served(12))
    seen.store.replaced(texts([]), 9)
    assert seen.names() == {"team"}


def test_a_list_does_not_bring_back_what_was_removed_meanwhile() -> None:
    """What was removed while the list was on its way may still be in it."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.removed("team", "u", 12)
    seen.store.replaced(texts([_served(1)]), 9)
    assert seen.names() == set()


def test_a_list_does_not_bring_back_a_predecessor() -> None:
    """Removed and made anew while the list was on its way."""
    seen = Fixture()
    seen.store.changed(_served(12, uid="new"))
    seen.store.replaced(texts([_served(1, uid="old")]), 9)
    assert seen.store.by_name["team"].uid == "new"


def test_a_late_answer_does_not_bring_back_what_a_list_did_not_hold() -> None:
    """Its deletion was lost, the list showed it, and only then comes the answer to a write of ours."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.replaced(texts([]), 9)
    seen.store.changed(_served(8))
    assert seen.names() == set()
    seen.store.changed(_served(10, uid="made-anew"))
    assert seen.names() == {"team"}


def test_a_deletion_newer_than_the_list_is_remembered_beyond_it() -> None:
    """Neither that list nor an answer from before the deletion brings it back."""
    seen = Fixture()
    seen.store.changed(_served(1))
    seen.store.removed("team", "u", 12)
    seen.store.replaced(texts([_served(1)]), 9)
    seen.store.changed(_served(11))
    assert seen.names() == set()


def test_a_list_that_a_newer_one_overtook_is_dropped() -> None:
    """Two watches may ask for a list at once, and the answers come in any order."""
    seen = Fixture()
    seen.store.replaced(texts([_served(5, "new", uid="n")]), 9)
    seen.store.replaced(texts([_served(1)]), 4)
    assert seen.names() == {"new"}


def test_what_is_seen_while_a_list_is_on_its_way_does_not_make_it_one_of_an_older_history() -> None:
    """Only what was seen before it was asked for tells that the history went back."""
    seen = Fixture()
    seen.store.changed(_served(5))
    asked_at = seen.store.seen_version
    seen.store.changed(_served(12))
    seen.store.replaced(texts([_served(5)]), 9, asked_at=asked_at)
    assert seen.told == [(None, 5), (5, 12)]


@pytest.mark.parametrize("last", ["a change", "a deletion", "a list"])
def test_a_history_that_went_back_counts_as_it_is_now(last: str) -> None:
    """After a restore only the list is true, whatever showed a newer version before: a deletion may be undone, too."""
    seen = Fixture()
    seen.store.changed(_served(40))
    match last:
        case "a change":
            seen.store.changed(_served(100, "other", uid="v"))
        case "a deletion":
            seen.store.removed("team", "u", 100)
        case _:
            seen.store.replaced(texts([_served(40)]), 100)
    seen.store.replaced(texts([_served(50, status={"observedGeneration": 3})]), 60, asked_at=seen.store.seen_version)
    assert seen.names() == {"team"}
    assert seen.store.by_name["team"].resource_version == 50
    assert seen.store.status_of("team") == {"observedGeneration": 3}
    seen.store.changed(_served(61))
    assert seen.store.by_name["team"].resource_version == 61


def test_after_a_history_that_went_back_nothing_passes_for_known() -> None:
    """The same uid, generation and version may name another spec now: it is told as gone and as new."""
    seen = Fixture()
    seen.store.changed(_served(50))
    seen.store.changed(_served(100, "other", uid="v"))
    seen.told.clear()
    seen.store.replaced(texts([_served(50)]), 60, asked_at=seen.store.seen_version)
    assert seen.told == [(50, None), (100, None), (None, 50)]

"""The store of namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from namespace_isolation.cluster.served import encoded
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.observe.namespaces import NamespaceStore
from tests.support.objects import namespace_document


class Fixture:
    """A store that lists one namespace, and what it told since."""

    def __init__(self) -> None:
        """List payments."""
        self.told: list[tuple[Namespace | None, Namespace | None]] = []
        self.arrived: list[str] = []
        self.store = NamespaceStore(lambda old, new: self.told.append((old, new)), on_arrival=self.arrived.append)
        self.store.replaced([self.store.read(encoded(namespace_document(labels={"team": "a"})))], 1)

    def names(self) -> list[tuple[str, bool, bool]]:
        """Tell of each news the name, and whether something was and is there."""
        return [((new or old or _NOBODY).name, old is not None, new is not None) for old, new in self.told]


_NOBODY = Namespace(name="", uid="", labels={}, ending=False)


def test_a_list_tells_of_everything_in_it() -> None:
    """The first list is news of every namespace."""
    assert Fixture().names() == [("payments", False, True)]


@pytest.mark.parametrize(
    ("labels", "metadata", "news"),
    [
        ({"team": "a"}, {"resourceVersion": "2"}, 0),
        ({"team": "a"}, {"annotations": {"a": "b"}}, 0),
        ({"team": "b"}, {}, 1),
        ({}, {}, 1),
        ({"team": "a"}, {"deletionTimestamp": "2026-01-01T00:00:00Z"}, 1),
        ({"team": "a"}, {"uid": "made-anew"}, 1),
    ],
    ids=["a version", "an annotation", "a label", "no label", "its end", "made anew"],
)
def test_only_what_could_matter_is_news(labels: dict[str, str], metadata: dict[str, Any], news: int) -> None:
    """Labels, the end, and another namespace of the same name."""
    seen = Fixture()
    seen.told.clear()
    seen.store.changed(seen.store.read(encoded(namespace_document(labels=labels, **metadata))))
    assert len(seen.told) == news


def test_a_namespace_that_is_gone_is_news_once() -> None:
    """A second deletion is none."""
    seen = Fixture()
    gone = seen.store.by_name["payments"]
    seen.told.clear()
    seen.store.removed(gone)
    seen.store.removed(gone)
    assert seen.names() == [("payments", True, False)]
    assert seen.store.by_name == {}


def test_a_relist_finds_what_is_gone_and_what_is_new() -> None:
    """Nothing is kept that is not in the list."""
    seen = Fixture()
    seen.told.clear()
    seen.store.replaced([seen.store.read(encoded(namespace_document("other")))], 9)
    assert seen.names() == [("payments", True, False), ("other", False, True)]
    assert set(seen.store.by_name) == {"other"}


def test_a_namespace_without_labels_is_read() -> None:
    """Null is none."""
    assert Fixture().store.read(
        encoded({"metadata": {"name": "a", "uid": "u", "labels": None, "resourceVersion": "7"}})
    ) == (Namespace(name="a", uid="u", labels={}, ending=False))


def test_only_what_a_watch_brings_arrives_now() -> None:
    """When a namespace of a list came, nobody knows; one that is made anew is another."""
    seen = Fixture()
    seen.store.replaced([seen.store.read(encoded(namespace_document(each))) for each in ("payments", "listed")], 9)
    assert seen.arrived == []
    for document in (
        namespace_document("payments", {"team": "b"}),
        namespace_document("comes"),
        namespace_document("comes", {"team": "a"}),
        namespace_document("listed", uid="made-anew"),
    ):
        seen.store.changed(seen.store.read(encoded(document)))
    assert seen.arrived == ["comes", "listed"]

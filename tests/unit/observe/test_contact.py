"""The contact with one collection."""

from __future__ import annotations

from namespace_isolation.observe.contact import Contact


def test_what_is_never_heard_of_is_missed_from_the_beginning() -> None:
    """An operator that reaches nothing must not look well for ever."""
    now = 100.0
    contact = Contact("/api/v1/namespaces", lambda: now)
    now = 160.0
    assert (contact.collection, contact.lists, contact.silence()) == ("namespaces", 0, 60.0)


def test_a_word_or_a_list_ends_the_silence() -> None:
    """Only a list counts as one."""
    now = 100.0
    contact = Contact("/apis/networking.k8s.io/v1/networkpolicies", lambda: now)
    now = 160.0
    contact.heard()
    assert (contact.lists, contact.silence()) == (0, 0.0)
    now = 165.0
    contact.listed()
    now = 166.0
    assert (contact.lists, contact.silence()) == (1, 1.0)

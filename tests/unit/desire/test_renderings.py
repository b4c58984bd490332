"""Renderings are remembered: of those asked for last, and only for the same intent."""

from __future__ import annotations

import pytest

from namespace_isolation.desire import render as module
from namespace_isolation.desire.render import Renderings
from tests.support.objects import isolation


def test_what_was_rendered_for_the_same_intent_is_given_again() -> None:
    """In thousands of namespaces only the namespace differs."""
    renderings = Renderings()
    assert renderings.of(isolation()) is renderings.of(isolation())


def test_another_generation_is_rendered_anew() -> None:
    """And the old one forgotten."""
    renderings = Renderings()
    before = renderings.of(isolation())
    after = renderings.of(isolation(generation=2, defaultDeny=[]))
    assert before != after
    assert renderings.of(isolation(generation=2)) is after


def test_what_was_not_asked_for_lately_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many isolations each selects few namespaces."""
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
    renderings = Renderings()
    first = renderings.of(isolation("a"))
    renderings.of(isolation("b"))
    assert renderings.of(isolation("a")) is first
    second = renderings.of(isolation("b"))
    renderings.of(isolation("c"))
    assert renderings.of(isolation("b")) is second
    again = renderings.of(isolation("a"))
    assert again == first
    assert again is not first

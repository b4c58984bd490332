"""An event as a value: which namespace it is written to, what is a repeat of it, and text that does no harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from namespace_isolation.model.event import NOTE_BYTES, Event, Regarding, plain

POLICY = Regarding(
    api_version="networking.k8s.io/v1", kind="NetworkPolicy", namespace="payments", name="team.default-deny-all"
)
EVENT = Event(kind="Normal", reason="DriftCorrected", action="Update", note="It was changed.", regarding=POLICY)


def test_an_event_is_written_beside_its_object() -> None:
    """And to default where the object is cluster-scoped: the API server takes it nowhere else."""
    cluster_scoped = replace(POLICY, namespace=None)
    assert [EVENT.namespace, replace(EVENT, regarding=cluster_scoped).namespace] == ["payments", "default"]


def test_the_same_event_on_the_successor_of_a_policy_is_a_repeat() -> None:
    """Who deletes a policy again and again makes one series, though every new one has a uid of its own."""
    assert EVENT.key == replace(EVENT, regarding=replace(POLICY, uid="another")).key


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, kind="Warning"),
        replace(EVENT, reason="TookOver"),
        replace(EVENT, action="Create"),
        replace(EVENT, note="It was deleted."),
        replace(EVENT, regarding=replace(POLICY, name="team.allow-dns-egress")),
        replace(EVENT, regarding=replace(POLICY, namespace="shop")),
        replace(EVENT, regarding=replace(POLICY, kind="Namespace")),
    ],
)
def test_what_differs_otherwise_is_another_event(other: Event) -> None:
    """Whatever a reader would see as different."""
    assert other.key != EVENT.key


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("two\nlines\tand\r\n more", "two lines and more"),
        ("\x1b[2Jcleared", "\\x1b[2Jcleared"),
        ("left\u202eright", "left\\u202eright"),
        ("half \ud800", "half \\ud800"),
        ("Käse 🧀", "Käse 🧀"),
        ("", ""),
    ],
)
def test_text_of_others_is_one_line_that_a_terminal_only_shows(text: str, shown: str) -> None:
    """Control characters, marks of direction and halves of characters are escaped; other languages are not."""
    assert plain(text, NOTE_BYTES) == shown


@pytest.mark.parametrize("text", ["x" * 5000, "ä" * 5000, "🧀" * 5000, "x" + "🧀" * 5000, "\x1b" * 5000])
def test_text_is_cut_by_bytes(text: str) -> None:
    """As the API server counts; no character is cut in two, and the cut is seen."""
    shown = plain(text, NOTE_BYTES)
    assert NOTE_BYTES - 4 < len(shown.encode()) <= NOTE_BYTES
    assert shown.endswith("…")
    assert plain("x" * NOTE_BYTES, NOTE_BYTES) == "x" * NOTE_BYTES

"""What keeps a status small: texts are cut by bytes as they are sent, and examples give way to the bound."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.report.bounds import STATUS_BYTES, bounded, shortened

Json = dict[str, Any]


def _sent(value: object) -> int:
    """Count the bytes of a value as the client sends it."""
    return len(json.dumps(value, separators=(",", ":")).encode())


# sentence: a text, the bytes it may have, and what is left of it
_TEXTS: dict[str, tuple[str, int, str]] = {
    "nothing": ("", 10, ""),
    "a text that fits": ("0123456789", 10, "0123456789"),
    "a text that is one too long": ("01234567890", 10, "0123…"),
    "quotes count twice": ('""""""', 10, '""…'),
    "quotes that fit": ('"""""', 10, '"""""'),
    "line ends count twice": ("\n" * 6, 10, "\n\n…"),
    "a letter of two bytes is sent as six": ("éé", 11, "…"),
    "letters that fit as they are sent": ("éé", 12, "éé"),
    "an owl is sent as twelve": ("🦉🦉", 24, "🦉🦉"),
    "half an owl is never sent": ("🦉🦉", 23, "🦉…"),
    "half a surrogate pair counts as it is sent": ("\ud83e\ud83e", 11, "…"),
    "half a surrogate pair that fits": ("\ud83e\ud83e", 12, "\ud83e\ud83e"),
    "a control character": ("\x01" * 3, 17, "\x01…"),
}


@pytest.mark.parametrize(("text", "size", "left"), _TEXTS.values(), ids=_TEXTS.keys())
def test_a_text_is_cut_to_its_bytes(text: str, size: int, left: str) -> None:
    """And says where something is missing."""
    assert shortened(text, size) == left


@given(text=st.text(st.characters(exclude_categories=[]), max_size=80), size=st.integers(6, 100))
def test_a_text_that_was_cut_fits_and_is_cut_as_little_as_can_be(text: str, size: int) -> None:
    """Whatever it holds: in bytes as sent, and so in characters too."""
    cut = shortened(text, size)
    assert _sent(cut) - 2 <= size
    assert len(cut) <= size
    if cut != text:
        kept = cut.removesuffix("…")
        assert text.startswith(kept)
        assert _sent(text[: len(kept) + 1]) - 2 + 6 > size
    assert shortened(cut, size) == cut


def test_the_work_on_a_long_text_does_not_grow_with_it() -> None:
    """A page of a proxy may have megabytes: only what may be kept is looked at character by character."""
    assert shortened("x" * 10_000_000, 300) == "x" * 294 + "…"


_COUNTS: Json = {
    "observedGeneration": 3,
    "namespaces": {"matched": 10000, "failed": 10000},
    "conditions": [{"type": "Ready", "message": "m" * 1024}],
}


def _examples(count: int, size: int) -> list[Json]:
    return [{"namespace": f"n{index}", "message": "x" * size} for index in range(count)]


def _status(
    *, drift: int = 0, unmanaged: int = 0, audit: int | None = None, problems: int = 0, count: int = 20
) -> Json:
    """Write a status whose lists hold `count` examples of that many bytes."""
    status = {
        **_COUNTS,
        "drift": {"corrected": 7, "outstanding": 8, "recent": _examples(count, drift)},
        "unmanaged": {"count": 9, "recent": _examples(count, unmanaged)},
        "problems": _examples(count, problems),
    }
    return status if audit is None else {**status, "audit": {"create": 1, "first": _examples(count, audit)}}


def _lengths(status: Json) -> dict[str, int]:
    lists = {
        "drift": status["drift"]["recent"],
        "unmanaged": status["unmanaged"]["recent"],
        "audit": status.get("audit", {}).get("first", ()),
        "problems": status["problems"],
    }
    return {name: len(found) for name, found in lists.items()}


def test_a_status_that_fits_stays_as_it_is() -> None:
    """Nothing is cut for nothing."""
    status = _status(drift=100, unmanaged=100, audit=100, problems=100)
    assert bounded(status) == status


@pytest.mark.parametrize("largest", ["drift", "unmanaged", "audit", "problems"])
def test_the_largest_list_gives_way(largest: str) -> None:
    """Its last examples go, the others stay whole; what it counts stays as well."""
    status = _status(**{"audit": 10, largest: 2000})
    cut = bounded(status)
    lengths = _lengths(cut)
    assert 0 < lengths.pop(largest) < 20
    assert set(lengths.values()) == {20}
    assert _sent(cut) <= STATUS_BYTES


_sizes = st.integers(0, 4000)


@given(drift=_sizes, unmanaged=_sizes, audit=st.none() | _sizes, problems=_sizes, count=st.integers(0, 20))
def test_a_bounded_status_fits_keeps_its_counts_and_the_first_examples(
    drift: int, unmanaged: int, audit: int | None, problems: int, count: int
) -> None:
    """Whichever lists are large; and what was given is not changed."""
    status = _status(drift=drift, unmanaged=unmanaged, audit=audit, problems=problems, count=count)
    before = json.dumps(status)
    cut = bounded(status)
    assert json.dumps(status) == before
    assert _sent(cut) <= STATUS_BYTES
    assert bounded(cut) == cut
    assert cut.keys() == status.keys()
    for name in ("drift", "unmanaged", "audit"):
        counts = [
            {key: value for key, value in each.get(name, {}).items() if type(value) is int} for each in (cut, status)
        ]
        assert counts[0] == counts[1]
    assert cut["conditions"] == status["conditions"]
    assert cut["problems"] == status["problems"][: len(cut["problems"])]
    assert cut["drift"]["recent"] == status["drift"]["recent"][: len(cut["drift"]["recent"])]


def test_what_is_too_large_without_any_example_is_an_error() -> None:
    """It must be bounded where it is made; it is not cut in silence."""
    with pytest.raises(ValueError, match="must be bounded"):
        bounded({"conditions": [{"message": "x" * STATUS_BYTES}]})

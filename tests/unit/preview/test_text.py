"""Whatever objects hold, the text is the same object again and nothing in it moves a terminal's cursor."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from namespace_isolation.model.text import printable
from namespace_isolation.preview.text import as_json, as_name, as_yaml

_HOSTILE = {
    "an escape sequence": "\x1b[2J\x1b[31mred",
    "a bell": "\x07",
    "delete": "a\x7fb",
    "NEL, which YAML prints": "a\x85b",
    "another C1 control": "a\x9b31mb",
    "a line turned around": "a\u202eb\u2066c",
    "line and paragraph separators": "a\u2028b\u2029c",
    "a zero-width space and a BOM": "a\u200bb\ufeff",
    "tag characters": "a\U000e0041",
    "carriage return": "good\rbad",
    "tab and newline": "a\tb\nc",
    "no-break space": "a\u00a0b",
}
_TEXTS = st.text(st.characters(codec="utf-8")) | st.sampled_from(sorted(_HOSTILE.values()))
_VALUES = st.recursive(
    _TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(value=st.dictionaries(_TEXTS, _VALUES, max_size=4))
def test_yaml_is_printable_and_reads_back(value: dict[str, object]) -> None:
    """Every character but the line breaks between fields can be shown."""
    text = as_yaml(value)
    assert [line for line in text.split("\n") if not line.isprintable()] == []
    assert yaml.safe_load(text) == value


@given(value=_VALUES)
def test_json_is_ascii_and_reads_back(value: object) -> None:
    """Everything else is an escape."""
    text = as_json(value)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert json.loads(text) == value


@pytest.mark.parametrize("text", _HOSTILE.values(), ids=_HOSTILE)
def test_hostile_text_is_written_as_escapes(text: str) -> None:
    """As key and value, in YAML, in JSON, and in what is said on stderr."""
    for written in (as_yaml({text: text}), as_json({text: text}), printable(text)):
        assert all(line.isprintable() for line in written.split("\n"))
        assert text not in written


def test_other_languages_stay_readable() -> None:
    """Letters are no escapes in YAML, whatever their alphabet."""
    assert as_yaml({"a": "Läden → Kasse, 店"}) == "a: Läden → Kasse, 店\n"


def test_nothing_is_folded_and_keys_are_sorted() -> None:
    """Each field is one line, as long as it is; equal objects are equal text, without anchors."""
    part = {"z": "x " * 300, "a": {}}
    written = as_yaml({"b": part, "a": part})
    assert written == "a:\n  a: {}\n  z: '{0}'\nb:\n  a: {{}}\n  z: '{0}'\n".replace("{{}}", "{}").replace(
        "{0}", "x " * 300
    )


def test_a_name_is_what_kubectl_takes_behind_get() -> None:
    """Resource, name and namespace on one line."""
    assert as_name("shop", "team.default-deny-all") == (
        "networkpolicy.networking.k8s.io/team.default-deny-all -n shop\n"
    )

"""Text becomes objects as kubectl would take it, and what is no YAML is told with its line."""

from __future__ import annotations

import json

import pytest
import yaml

from namespace_isolation.preview.documents import Document, read_documents
from namespace_isolation.preview.problem import Problem
from namespace_isolation.preview.source import Source

_GOOD = {
    "nothing": ("", []),
    "empty documents": ("---\n---\n# only a comment\n---\n", []),
    "two documents": ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
    "JSON": ('{"a": 1}', [{"a": 1}]),
    "JSON values one after the other": ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]),
    "JSON with tabs and surrogate pairs": ('{\n\t"a": "\\ud83d\\ude00"\n}', [{"a": "\U0001f600"}]),
    "YAML in flow style": ("{a: 1}", [{"a": 1}]),
    "a List": ("kind: List\nitems: [{a: 1}, {b: 2}]", [{"a": 1}, {"b": 2}]),
    "an empty List": ("kind: List\nitems: []", []),
    "a NamespaceList, as served": (
        "apiVersion: v1\nkind: NamespaceList\nitems: [{metadata: {name: a}}]",
        [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}],
    ),
    "a date is text": ("a: 2026-01-31\nb: 2026-01-31T12:00:00Z", [{"a": "2026-01-31", "b": "2026-01-31T12:00:00Z"}]),
    "sexagesimals are text": ("a: 22:30\nb: 1:30.5", [{"a": "22:30", "b": "1:30.5"}]),
    "an anchor and a merge": ("a: &x {b: 1}\nc: {<<: *x, d: 2}", [{"a": {"b": 1}, "c": {"b": 1, "d": 2}}]),
    "what is no object": ("- 1\n---\ntext", [[1], "text"]),
}
_BAD = {
    "a tab": ("a:\n\t- b", "x.yaml, document 1: line 2, column 1: is no YAML: found character "),
    "a template": ("a: {{ b }}", "x.yaml, document 1: line 1, column 5: is no YAML: found unhashable key"),
    "behind a good document": (
        "a: 1\n---\nb: *c",
        "x.yaml, document 2: line 3, column 4: is no YAML: found undefined alias",
    ),
    "a key twice": ("a: 1\nb: 2\na: 3", 'x.yaml, document 1: line 3: "a" stands in line 1 already: remove one'),
    "a key twice in one line": ("{a: 1, a: 2}", 'x.yaml, document 1: line 1: "a" stands in line 1 already'),
    "a key twice in JSON": ('{"a": 1, "a": 2}', 'x.yaml, document 1: line 1: "a" stands in line 1 already'),
    "a tag of its own": ("a: !Secret b", "x.yaml, document 1: line 1, column 4: is no YAML: could not determine"),
    "a wrong tag": ("a: !!int b", "x.yaml, document 1: line 1: is no YAML: invalid literal for int()"),
    "an alias of nothing": ("a: *b", "x.yaml, document 1: line 1, column 4: is no YAML: found undefined alias"),
    "an alias of what holds it": ("a: &x [*x]", "x.yaml, document 1: line 1: an alias stands for something that holds"),
    "a control character": ("a: \x07", "x.yaml, document 1: "),
}


def _read(text: str) -> list[Document | Problem]:
    return list(read_documents(Source("x.yaml", text)))


@pytest.mark.parametrize(("text", "contents"), _GOOD.values(), ids=_GOOD)
def test_what_can_be_read_is_read(text: str, contents: list[object]) -> None:
    """Each document's content comes, and nothing else."""
    found = _read(text)
    assert [each.content if isinstance(each, Document) else str(each) for each in found] == contents


@pytest.mark.parametrize(("text", "message"), _BAD.values(), ids=_BAD)
def test_what_cannot_be_read_is_told_with_its_place(text: str, message: str) -> None:
    """There is one problem, and it starts with file, document and line."""
    (problem,) = [each for each in _read(text) if isinstance(each, Problem)]
    assert str(problem).startswith(message)


def test_documents_and_items_are_numbered() -> None:
    """The place of an item of a List names both numbers."""
    found = _read("a: 1\n---\nkind: List\nitems: [{}, {}]")
    assert [str(each.place) for each in found] == [
        "x.yaml, document 1",
        "x.yaml, document 2, item 1",
        "x.yaml, document 2, item 2",
    ]


def test_every_fault_of_every_document_is_found() -> None:
    """One broken document hides no other, and a repeated key not the rest of its document."""
    found = _read("{a: 1, a: 1, b: 1, b: 1}\n---\nc: 1\n---\n{d: 1, d: 1}")
    assert [isinstance(each, Problem) for each in found] == [True, True, False, False, True, False]


def test_a_small_file_that_grows_without_end_is_refused() -> None:
    """Aliases of aliases are counted, not written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (found,) = _read("\n".join(lines))
    assert isinstance(found, Problem)
    assert "holds over 2000000 values, aliases counted" in str(found)


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 5000], ids=["YAML", "JSON"])
def test_a_file_that_is_nested_without_end_is_refused(text: str) -> None:
    """It is a problem of the file, not a traceback."""
    (found,) = _read(text)
    assert isinstance(found, Problem)


def test_json_and_yaml_of_the_same_objects_read_alike() -> None:
    """Which of the two kubectl printed makes no difference."""
    content = {"kind": "List", "items": [{"metadata": {"name": "ä\u202e", "labels": {"day": "2026-01-31"}}}]}
    as_json, as_yaml = _read(json.dumps(content)), _read(yaml.safe_dump(content))
    assert as_json == as_yaml

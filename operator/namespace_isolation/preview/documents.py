"""Text becomes objects: YAML or JSON, many documents in a file, lists taken apart; what kubectl refuses is refused.

A key that stands twice in an object is a fault and not the last one's win, and a date or a time is the text it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml
from yaml.constructor import SafeConstructor

from namespace_isolation.preview.problem import Place, Problem
from namespace_isolation.preview.source import Source

__all__ = ["Document", "read_documents"]

Json = dict[str, Any]

_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG: Final = "tag:yaml.org,2002:"
_MOST_VALUES: Final = 2_000_000
"""More than the namespaces of the largest clusters need, and few enough to hold: aliases of aliases grow for ever."""

_TOO_DEEP: Final = "is nested too deeply: flatten it"


@dataclass(frozen=True, slots=True)
class Document:
    """One object of the input and where it was; `content` is whatever stood there."""

    place: Place
    content: object


def read_documents(source: Source) -> Iterator[Document | Problem]:
    """Give every object in a text that is not empty, and every fault; behind a fault of syntax nothing can be read."""
    found = _from_json(source) if source.text.lstrip().startswith("{") else None
    for each in _from_yaml(source) if found is None else found:
        if isinstance(each, Document):
            yield from _items(each)
        else:
            yield each


def _items(document: Document) -> Iterator[Document]:
    """Take a List apart; the items of a NamespaceList and the like need not repeat what they are."""
    content = document.content
    kind = content.get("kind") if isinstance(content, dict) else None
    items = content.get("items") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not str(kind).endswith("List") or not isinstance(items, list):
        yield document
        return
    common = {} if kind == "List" else {"apiVersion": content.get("apiVersion"), "kind": str(kind).removesuffix("List")}
    for number, item in enumerate(items, start=1):
        content = {**common, **item} if isinstance(item, dict) else item
        yield Document(replace(document.place, item=number), content)


def _from_json(source: Source) -> list[Document | Problem] | None:
    """Read one JSON value after the other; None where it is no JSON, but perhaps YAML."""
    repeated: list[str] = []

    def object_of(pairs: list[tuple[str, object]]) -> Json:
        repeated.extend(key for key, _ in pairs[len(dict(pairs)) :])
        return dict(pairs)

    decoder = json.JSONDecoder(object_pairs_hook=object_of)
    found: list[Document | Problem] = []
    text = source.text.strip()
    while text:
        place = Place(file=source.name, document=len(found) + 1)
        try:
            content, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            return None
        if repeated:
            return None  # read as YAML, the repeated key is named with its line
        found.append(Document(place, content))
        text = text[end:].lstrip()
    return found


def _from_yaml(source: Source) -> Iterator[Document | Problem]:
    number = 0
    try:
        for node in yaml.compose_all(source.text, Loader=_LOADER):
            number += 1
            yield from _document(node, Place(file=source.name, document=number))
    except yaml.YAMLError as error:
        yield Problem(place=Place(file=source.name, document=number + 1), message=_told(error))
    except RecursionError:
        yield Problem(place=Place(file=source.name, document=number + 1), message=_TOO_DEEP)


def _document(node: yaml.Node, place: Place) -> Iterator[Document | Problem]:
    """Check what YAML lets through and make an object of it."""
    check = _Check()
    try:
        check.document(node)
        content = SafeConstructor().construct_document(node) if check.can_be_read else None
    except yaml.YAMLError as error:
        check.faults.append(_told(error))
        content = None
    except ValueError as error:  # a tag like !!int on what is none
        check.faults.append(f"line {_line(node)}: is no YAML: {error}")
        content = None
    except RecursionError:
        check.faults.append(_TOO_DEEP)
        content = None
    yield from (Problem(place=place, message=fault) for fault in check.faults)
    if content is not None:
        yield Document(place, content)


def _told(error: yaml.YAMLError) -> str:
    """Tell an error of syntax with its line, without the lines around it that PyYAML quotes."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).partition("\n")[0]
    where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    return f"{where}is no YAML: {words}"


class _Check:
    """What YAML lets through and Kubernetes does not; dates and times become the text they are on the way."""

    def __init__(self) -> None:
        """Start without faults."""
        self.faults: list[str] = []
        self.can_be_read = True
        self._sizes: dict[int, int] = {}
        self._under_way: set[int] = set()

    def document(self, root: yaml.Node) -> None:
        """Look at a whole document, and refuse what would grow beyond memory."""
        if self._visit(root) > _MOST_VALUES:
            self._refuse(root, f"holds over {_MOST_VALUES} values, aliases counted: write less into one document")

    def _visit(self, node: yaml.Node) -> int:
        """Look at a node and what it holds, and give the number of values, those of aliases counted each time."""
        if id(node) in self._under_way:
            self._refuse(node, "an alias stands for something that holds it: write it out")
            return 0
        if id(node) not in self._sizes:
            self._under_way.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                _take_as_text(node)
            if isinstance(node, yaml.MappingNode):
                self.faults.extend(_repeated(node))
            self._sizes[id(node)] = 1 + sum(self._visit(child) for child in _children(node))
            self._under_way.discard(id(node))
        return self._sizes[id(node)]

    def _refuse(self, node: yaml.Node, fault: str) -> None:
        self.faults.append(f"line {_line(node)}: {fault}")
        self.can_be_read = False


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _take_as_text(node: yaml.ScalarNode) -> None:
    """Undo what YAML 1.1 reads into plain text and Kubernetes does not: 2026-01-31, and 22:30 as 1350."""
    is_time = node.tag == f"{_TAG}timestamp"
    is_sexagesimal = node.tag in {f"{_TAG}int", f"{_TAG}float"} and ":" in node.value
    if is_time or is_sexagesimal:
        node.tag = f"{_TAG}str"


def _repeated(node: yaml.MappingNode) -> Iterator[str]:
    first: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        known = first.setdefault((key.tag, key.value), key)
        if known is not key:
            yield f'line {_line(key)}: "{key.value}" stands in line {_line(known)} already: remove one of the two'


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1

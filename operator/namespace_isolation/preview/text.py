"""Policies as text: YAML, JSON and names; the same text everywhere, and nothing in it that a terminal would obey."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import yaml
from typing_extensions import override

__all__ = ["as_json", "as_name", "as_yaml"]

Json = dict[str, Any]

_BASE: Final = yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper
_WIDTH: Final = 1_000_000
"""Characters of a line: nothing is folded, so that each field is one line of a diff."""

_LAST_SHORT: Final = 0xFFFF
"""The last character that four hex digits can name."""


class _Dumper(_BASE):  # type: ignore[misc,valid-type]  # one of two classes with the same methods
    """Writes an object twice where it occurs twice, and in quotes what is not all printable."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Write no anchors."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _text)


def as_yaml(document: Json) -> str:
    """Write one document, its keys sorted as kubectl does; what is not printable stands there as an escape.

    YAML itself lets marks through that turn the direction of a line around, and the control character NEL.
    """
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=True, width=_WIDTH, allow_unicode=True)
    if all(line.isprintable() for line in text.split("\n")):
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escape(each) for each in text)


def _escape(character: str) -> str:
    """Write a character as YAML reads it in double quotes, where all stand that are not printable."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_SHORT else f"\\U{code:08x}"


def as_json(value: object) -> str:
    """Write a JSON value over several lines; everything but ASCII as escapes."""
    return json.dumps(value, indent=2) + "\n"


def as_name(namespace: str, policy: str) -> str:
    """Name a policy as arguments of kubectl: `… -o name | xargs -L1 kubectl get`."""
    return f"networkpolicy.networking.k8s.io/{policy} -n {namespace}\n"


def as_list(documents: Iterable[Json]) -> Json:
    """Put objects into a List, as kubectl does."""
    return {"apiVersion": "v1", "kind": "List", "items": list(documents)}

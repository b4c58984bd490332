"""A change as a unified diff of YAML, coloured where asked, and all changes as a table of counts."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import Any, Final

from namespace_isolation.preview.change import Action, Change
from namespace_isolation.preview.text import as_yaml

__all__ = ["Tally", "unified"]

Json = dict[str, Any]

_BOLD, _RED, _GREEN, _CYAN, _RESET = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[0m"
_COLOURS: Final = (("---", _BOLD), ("+++", _BOLD), ("@@", _CYAN), ("-", _RED), ("+", _GREEN))
_HEADERS: Final = 2


def unified(change: Change, *, colour: bool) -> str:
    """Write what is live against what is wanted; a side that is not there is empty."""
    place = f"{change.namespace}/{change.policy}"
    live, wanted = _lines(change.live), _lines(change.wanted)
    lines = list(difflib.unified_diff(live, wanted, f"live/{place}", f"wanted/{place}", lineterm=""))
    if colour:
        lines = [_coloured(line, header=number < _HEADERS) for number, line in enumerate(lines)]
    return "".join(f"{line}\n" for line in lines)


def _lines(document: Json | None) -> list[str]:
    # Only these are line breaks here: splitlines() would also break at others, which YAML writes as escapes.
    return [] if document is None else as_yaml(document).removesuffix("\n").split("\n")


def _coloured(line: str, *, header: bool) -> str:
    starts = _COLOURS if header else _COLOURS[2:]
    colour = next((colour for start, colour in starts if line.startswith(start)), "")
    return f"{colour}{line}{_RESET}" if colour else line


class Tally:
    """How many policies would be created, updated and deleted, by namespace."""

    def __init__(self) -> None:
        """Start with none."""
        self._counts: dict[str, Counter[Action]] = {}

    def count(self, change: Change) -> None:
        """Count one change."""
        self._counts.setdefault(change.namespace, Counter())[change.action] += 1

    @property
    def empty(self) -> bool:
        """Whether there was no change."""
        return not self._counts

    @property
    def total(self) -> str:
        """Write everything on one line."""
        total = sum(self._counts.values(), Counter[Action]())
        spaces = f"{len(self._counts)} namespace{'' if len(self._counts) == 1 else 's'}"
        return f"{spaces}: " + ", ".join(f"{total[action]} to {action.lower()}" for action in Action)

    def table(self) -> str:
        """Write a line for each namespace, and the total."""
        rows = [(namespace, *(str(counts[action]) for action in Action)) for namespace, counts in self._counts.items()]
        head = ("NAMESPACE", *(action.upper() for action in Action))
        width = max((len(row[0]) for row in (head, *rows)), default=0)
        lines = [f"{name:<{width}}" + "".join(f"{each:>9}" for each in cells) for name, *cells in (head, *rows)]
        return "".join(f"{line}\n" for line in (*(lines if rows else ()), self.total))

"""What is wrong with what a command was given: every fault with its place, in words that are safe to show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from namespace_isolation.model.text import printable

__all__ = ["BadInput", "Place", "Problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the input: a file, the number of a document in it, and of an item where that document is a list."""

    file: str
    document: int | None = None
    item: int | None = None

    def __str__(self) -> str:
        """Write it as people say it."""
        numbers = (("document", self.document), ("item", self.item))
        return ", ".join([self.file, *(f"{what} {number}" for what, number in numbers if number is not None)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong: `resource` is kind and name where they are known, `path` the field, `message` has the mend."""

    place: Place
    message: str
    resource: str = ""
    path: str = ""

    def __str__(self) -> str:
        """Write place, resource, field and message on one line."""
        where = f"{self.place}, {self.resource}" if self.resource else str(self.place)
        return printable(": ".join(part for part in (where, self.path, self.message) if part))


class BadInput(Exception):  # noqa: N818 - it names what is wrong, and is caught as such
    """Input that cannot be used; `problems` names every fault, not only the first."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the problems; the message has one per line."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

"""The shapes: which namespaces there are, and which isolations select them; 4 policies a namespace in each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.model.names import API_VERSION, KIND

__all__ = ["ENTRY", "POLICIES_EACH", "SHAPES", "Place", "Shape", "isolation", "plain"]

Json = dict[str, Any]

POLICIES_EACH: Final = 4
"""default-deny-all, allow-dns-egress, and the two sides of one allow entry."""
ENTRY: Final[Json] = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "ports": [{"port": 8080}],
}
_LABEL: Final = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A namespace to be, and the isolations that will select it."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    isolations: tuple[str, ...]

    @property
    def document(self) -> Json:
        """What creates it."""
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name, "labels": self.labels}}


class Shape(ABC):
    """How namespaces and isolations relate."""

    letter: str
    sentence: str

    @abstractmethod
    def place(self, prefix: str, index: int) -> Place:
        """Give the namespace of a number."""

    @abstractmethod
    def isolations(self, places: Sequence[Place]) -> list[Json]:
        """Give the isolations that select these places."""

    def places(self, prefix: str, count: int) -> list[Place]:
        """Give so many namespaces."""
        return [self.place(prefix, index) for index in range(count)]


class OneForAll(Shape):
    """One isolation selects every namespace by a label."""

    letter = "A"
    sentence = "one isolation selects all namespaces by a label"

    def place(self, prefix: str, index: int) -> Place:
        """Label the namespace."""
        return Place(name=f"{prefix}-{index:05}", labels={_LABEL: "all"}, isolations=("everyone",))

    def isolations(self, places: Sequence[Place]) -> list[Json]:
        """Give the one."""
        return [isolation("everyone", {"selector": {"matchLabels": {_LABEL: "all"}}}, allow=[ENTRY])] if places else []


class OneForEach(Shape):
    """Each namespace has an isolation of its own, which names it: one per team."""

    letter = "B"
    sentence = "one isolation for each namespace, which it names"

    def place(self, prefix: str, index: int) -> Place:
        """Give the namespace an isolation of the same name."""
        name = f"{prefix}-{index:05}"
        return Place(name=name, isolations=(name,))

    def isolations(self, places: Sequence[Place]) -> list[Json]:
        """Give one each."""
        return [isolation(place.name, {"names": [place.name]}, allow=[ENTRY]) for place in places]


class TwoOfFifty(Shape):
    """25 isolations deny and let names be resolved, 25 others allow the flow; each namespace has one of either."""

    letter = "C"
    sentence = "50 isolations by label, 2 of them on each namespace"
    kinds = 25

    def place(self, prefix: str, index: int) -> Place:
        """Pair the two kinds so that every pair comes up."""
        base, flow = index % self.kinds, (index // self.kinds + index) % self.kinds
        labels = {f"{_LABEL}-base": str(base), f"{_LABEL}-flow": str(flow)}
        return Place(name=f"{prefix}-{index:05}", labels=labels, isolations=(f"base-{base}", f"flow-{flow}"))

    def isolations(self, places: Sequence[Place]) -> list[Json]:
        """Give all 50, whatever the places."""
        if not places:
            return []
        bases = (
            isolation(f"base-{index}", {"selector": {"matchLabels": {f"{_LABEL}-base": str(index)}}})
            for index in range(self.kinds)
        )
        flows = (
            isolation(
                f"flow-{index}",
                {"selector": {"matchLabels": {f"{_LABEL}-flow": str(index)}}},
                allow=[ENTRY],
                defaultDeny=[],
                dns={"enabled": False},
            )
            for index in range(self.kinds)
        )
        return [*bases, *flows]


SHAPES: Final[dict[str, Shape]] = {shape.letter: shape for shape in (OneForAll(), OneForEach(), TwoOfFifty())}


def isolation(name: str, namespaces: Json, **spec: object) -> Json:
    """Write an isolation."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "spec": {"namespaces": namespaces, **spec},
    }


def plain(places: Sequence[Place], prefix: str = "plain") -> list[Place]:
    """Give namespaces that no isolation selects, but whose policies are those of the places' isolations."""
    return [Place(name=f"{prefix}-{index:05}", isolations=place.isolations) for index, place in enumerate(places)]

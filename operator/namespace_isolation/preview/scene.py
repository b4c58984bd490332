"""A cluster on paper: isolations and namespaces as they are, or as they would be, and the view of each namespace."""

from __future__ import annotations

from collections.abc import Iterable

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.view import View
from namespace_isolation.observe.membership import Membership

__all__ = ["Scene"]


class Scene:
    """Isolations and namespaces, and who selects whom."""

    def __init__(
        self, *, isolations: Iterable[Isolation], namespaces: Iterable[Namespace], protected: frozenset[str]
    ) -> None:
        """Set the scene; `protected` namespaces match only by exact name."""
        self.isolations = {each.name: each for each in isolations}
        self.namespaces = {each.name: each for each in namespaces}
        self._membership = Membership(protected)
        for namespace in self.namespaces.values():
            if not namespace.ending:
                self._membership.set_namespace(namespace)
        for isolation in self.isolations.values():
            self._membership.set_isolation(isolation)

    def members(self, isolations: Iterable[str]) -> frozenset[str]:
        """Give the namespaces that any of these isolations selects."""
        return frozenset().union(*(self._membership.members(name) for name in isolations))

    def view(self, namespace: str, live: Iterable[LivePolicy]) -> View:
        """Read everything that decides about one namespace, whose policies are `live`."""
        return View(
            name=namespace,
            namespace=self.namespaces.get(namespace),
            governing=tuple(self.isolations[name] for name in self._membership.governing(namespace)),
            isolations=self.isolations,
            live={each.name: each for each in live},
            lost=frozenset(),
        )

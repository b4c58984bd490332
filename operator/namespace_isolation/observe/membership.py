"""Which isolations select a namespace and which namespaces an isolation selects, kept up event by event.

Neither question costs a scan of everything where it can be helped: exact names and one required label of each
selector are looked up, so that 10,000 isolations that each name one namespace cost no more than one that selects
10,000. Only globs and selectors without a required label are tried one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.resource import Namespaces
from namespace_isolation.model.selection import is_glob, selects

__all__ = ["Membership"]

_Pair = tuple[str, str]
_Key = TypeVar("_Key", str, _Pair)


class Membership:
    """The two-way index of isolations and the namespaces they select."""

    def __init__(self, protected: frozenset[str]) -> None:
        """Start empty; `protected` namespaces match only by exact name."""
        self._protected = protected
        self._namespaces: dict[str, Namespace] = {}
        self._specs: dict[str, Namespaces] = {}
        self._members: dict[str, set[str]] = {}
        self._governing: dict[str, set[str]] = {}
        self._by_pair: defaultdict[_Pair, set[str]] = defaultdict(set)
        self._named: defaultdict[str, set[str]] = defaultdict(set)
        self._paired: defaultdict[_Pair, set[str]] = defaultdict(set)
        self._tried: set[str] = set()

    def members(self, isolation: str) -> frozenset[str]:
        """Give the namespaces that an isolation selects."""
        return frozenset(self._members.get(isolation, ()))

    def governing(self, namespace: str) -> tuple[str, ...]:
        """Give the isolations that select a namespace, by name."""
        return tuple(sorted(self._governing.get(namespace, ())))

    def set_isolation(self, isolation: Isolation) -> set[str]:
        """Take an isolation's spec and give every namespace that it selects or selected."""
        before = self.drop_isolation(isolation.name)
        if isolation.spec is None:
            return before
        spec = isolation.spec.namespaces
        self._specs[isolation.name] = spec
        self._file(isolation.name, spec, add=True)
        members = {name for name in self._candidates(spec) if self._selects(spec, name)}
        self._members[isolation.name] = members
        for name in members:
            self._governing.setdefault(name, set()).add(isolation.name)
        return before | members

    def drop_isolation(self, name: str) -> set[str]:
        """Forget an isolation and give the namespaces that it selected."""
        spec = self._specs.pop(name, None)
        if spec is not None:
            self._file(name, spec, add=False)
        members = self._members.pop(name, set())
        for member in members:
            self._leave(member, name)
        return members

    def set_namespace(self, namespace: Namespace) -> set[str]:
        """Take a namespace's labels and give every isolation that selects or selected it."""
        before = self.drop_namespace(namespace.name)
        self._namespaces[namespace.name] = namespace
        for pair in namespace.labels.items():
            self._by_pair[pair].add(namespace.name)
        governing = {each for each in self._may_select(namespace) if self._selects(self._specs[each], namespace.name)}
        if governing:
            self._governing[namespace.name] = governing
        for isolation in governing:
            self._members[isolation].add(namespace.name)
        return before | governing

    def drop_namespace(self, name: str) -> set[str]:
        """Forget a namespace and give the isolations that selected it."""
        old = self._namespaces.pop(name, None)
        if old is not None:
            _discard_all(self._by_pair, old.labels.items(), name)
        governing = self._governing.pop(name, set())
        for isolation in governing:
            self._members[isolation].discard(name)
        return governing

    def _leave(self, namespace: str, isolation: str) -> None:
        governing = self._governing[namespace]
        governing.discard(isolation)
        if not governing:
            del self._governing[namespace]

    def _selects(self, spec: Namespaces, name: str) -> bool:
        labels = self._namespaces[name].labels
        return selects(spec, name=name, labels=labels, protected=self._protected)

    def _candidates(self, spec: Namespaces) -> Iterable[str]:
        """Give the namespaces worth trying for a spec."""
        exact, pair = _exact_names(spec), _required_pair(spec)
        if exact is not None:
            return [name for name in exact if name in self._namespaces]
        return list(self._by_pair.get(pair, ())) if pair is not None else self._namespaces

    def _may_select(self, namespace: Namespace) -> set[str]:
        """Give the isolations worth trying for a namespace."""
        found = self._tried | self._named.get(namespace.name, set())
        for pair in namespace.labels.items():
            found |= self._paired.get(pair, set())
        return found

    def _file(self, isolation: str, spec: Namespaces, *, add: bool) -> None:
        exact, pair = _exact_names(spec), _required_pair(spec)
        if exact is not None:
            if add:
                for name in exact:
                    self._named[name].add(isolation)
            else:
                _discard_all(self._named, exact, isolation)
        elif pair is not None:
            if add:
                self._paired[pair].add(isolation)
            else:
                _discard_all(self._paired, (pair,), isolation)
        elif add:
            self._tried.add(isolation)
        else:
            self._tried.discard(isolation)


def _exact_names(spec: Namespaces) -> tuple[str, ...] | None:
    """Give the names of a spec where all are exact, else None."""
    if spec.names is None or any(is_glob(name) for name in spec.names):
        return None
    return spec.names


def _required_pair(spec: Namespaces) -> _Pair | None:
    """One label that every selected namespace carries, or None."""
    if spec.selector is None or not spec.selector.match_labels:
        return None
    return min(spec.selector.match_labels.items())


def _discard_all(index: dict[_Key, set[str]], keys: Iterable[_Key], value: str) -> None:
    """Take a value out of an index and leave no empty sets behind."""
    for key in keys:
        values = index.get(key)
        if values is not None:
            values.discard(value)
            if not values:
                del index[key]

"""The cluster as a history tells it, moment by moment, and what the operator should make of it: the pure pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from namespace_isolation.cluster.served import encoded
from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.identity import owner_of
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import PROTECTED_NAMESPACES
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.plan import Plan
from namespace_isolation.model.policy import LivePolicy, Policy
from namespace_isolation.model.selection import selects
from namespace_isolation.model.view import View
from namespace_isolation.observe.isolations import read_isolation
from namespace_isolation.observe.namespaces import NamespaceStore
from namespace_isolation.observe.served_policy import read_policy
from tests.support.history import ISOLATIONS, NAMESPACES, POLICIES, Key

__all__ = ["Picture"]

Json = dict[str, Any]

_PROTECTED: Final = PROTECTED_NAMESPACES | {"nsiso-system"}


class Picture:
    """Namespaces, isolations and policies at one moment."""

    def __init__(self, collections: Mapping[str, Mapping[Key, Json]]) -> None:
        """Read what is there."""
        self.namespaces: dict[str, Namespace] = {}
        self.isolations: dict[str, Isolation] = {}
        self.live: dict[str, dict[str, LivePolicy]] = {}
        self._renderings = Renderings()
        self._reader = NamespaceStore(lambda _old, _new: None)
        for collection in (NAMESPACES, ISOLATIONS, POLICIES):
            for key, document in collections[collection].items():
                self.put(collection, key, document)

    def put(self, collection: str, key: Key, document: Json | None) -> None:
        """Take that an object is now so, or, with None, gone."""
        where, name = key
        if collection == POLICIES:
            policies = self.live.setdefault(where, {})
            policies.pop(name, None)
            if document is not None:
                policies[name] = read_policy(document)
        elif collection == NAMESPACES:
            self.namespaces.pop(name, None)
            if document is not None:
                self.namespaces[name] = self._reader.read(encoded(document))
        else:
            self.isolations.pop(name, None)
            if document is not None:
                self.isolations[name] = read_isolation(document)

    def is_alive(self, namespace: str) -> bool:
        """Whether a namespace is there and not being deleted."""
        known = self.namespaces.get(namespace)
        return known is not None and not known.ending

    def alive(self) -> Iterator[str]:
        """Give the namespaces that are there and not being deleted."""
        return (name for name in sorted(self.namespaces) if self.is_alive(name))

    def governing(self, namespace: str) -> tuple[Isolation, ...]:
        """Give the isolations that select a namespace."""
        known = self.namespaces[namespace]
        return tuple(
            each
            for _, each in sorted(self.isolations.items())
            if each.spec is not None
            and selects(each.spec.namespaces, name=namespace, labels=known.labels, protected=_PROTECTED)
        )

    def view(self, namespace: str, *, rehearsal: bool = False) -> View:
        """Look at a namespace as the operator does after a restart: without a memory."""
        return View(
            name=namespace,
            namespace=self.namespaces.get(namespace),
            governing=self.governing(namespace) if namespace in self.namespaces else (),
            isolations=self.isolations,
            live=self.live.get(namespace, {}),
            lost=frozenset(),
            rehearsal=rehearsal,
        )

    def desired(self, namespace: str, *, rehearsal: bool = False) -> dict[str, Policy]:
        """Decide what is to be in a namespace; `rehearsal`: as if Audit were Enforce."""
        return decide(self.view(namespace, rehearsal=rehearsal), self._renderings)

    def rehearsed(self, namespace: str) -> Plan:
        """Plan what would be done in a namespace if Audit were Enforce."""
        view = self.view(namespace, rehearsal=True)
        return compare(decide(view, self._renderings), view)

    def owner(self, live: LivePolicy) -> Isolation | None:
        """Give the isolation that a policy nobody desires belongs to, if it is still there."""
        name = owner_of(live, self.isolations)
        return None if name is None else self.isolations.get(name)

    def claiming(self, isolation: str) -> bool:
        """Whether any policy points to an isolation."""
        return any(isolation in each.claims for policies in self.live.values() for each in policies.values())

    def differences(self, namespace: str) -> list[str]:
        """Tell what is not as it should be in a namespace."""
        desired, live = self.desired(namespace), self.live.get(namespace, {})
        found = [f"{namespace}: {name} is missing" for name in desired.keys() - live.keys()]
        found += [
            f"{namespace}: {name} differs"
            for name in desired.keys() & live.keys()
            if not live[name].matches(desired[name])
        ]
        found += [
            f"{namespace}: {name} is too much" for name in live.keys() - desired.keys() if self._is_too_much(live[name])
        ]
        return found

    def _is_too_much(self, live: LivePolicy) -> bool:
        """Whether a policy that nobody desires should not be there.

        It may be what Audit froze, what was retained, or somebody else's; the latter unless Remove takes it.
        """
        owner = owner_of(live, self.isolations)
        if owner is None:
            return self.is_removable(live)
        isolation = self.isolations.get(owner)
        return isolation is None or isolation.stance is not Stance.AUDIT

    def is_removable(self, live: LivePolicy) -> bool:
        """Whether unmanagedPolicies: Remove takes a policy of somebody else away, as the resource describes it."""
        enforced = [each for each in self.governing(live.namespace) if each.stance is Stance.WANTED]
        denied = {side for each in enforced if each.spec is not None for side in each.spec.default_deny}
        asked = any(
            each.spec is not None
            and each.spec.unmanaged_policies == "Remove"
            and live.allows & frozenset(each.spec.default_deny)
            for each in enforced
        )
        kept = live.controlled or live.retained or self._is_audited_verbatim(live.name)
        return asked and live.directions <= denied and not kept

    def _is_audited_verbatim(self, name: str) -> bool:
        """Whether a policy has the name of a verbatim one in Audit, of which somebody may have stripped every mark."""
        isolation = self.isolations.get(name.rpartition(".")[0])
        if isolation is None or isolation.spec is None or isolation.stance is not Stance.AUDIT:
            return False
        return name.rpartition(".")[2] in {each.name for each in isolation.spec.policies}

    def members(self, isolation: Isolation) -> list[str]:
        """Name the namespaces that an isolation selects."""
        return [name for name in self.alive() if isolation.name in {each.name for each in self.governing(name)}]

    def widening(self, isolation: Isolation, namespaces: Iterable[str]) -> int:
        """Count the policies of others that allow what an isolation denies by default."""
        spec = isolation.spec
        if spec is None or spec.unmanaged_policies == "Ignore":
            return 0
        denied = frozenset(spec.default_deny)
        return sum(
            1
            for namespace in namespaces
            for name, live in self.live.get(namespace, {}).items()
            if live.allows & denied
            and name not in self.desired(namespace, rehearsal=isolation.stance is Stance.AUDIT)
            and self._is_strange_to(isolation, live)
        )

    def _is_strange_to(self, isolation: Isolation, live: LivePolicy) -> bool:
        """Whether a policy is nobody's, or one of Audit's that is not as it was left: nobody mends that."""
        owner = self.owner(live)
        if owner is None:
            return owner_of(live, self.isolations) is None
        if owner.stance is not Stance.AUDIT or isolation.stance is Stance.AUDIT:
            return False
        return not live.intact or owner not in self.governing(live.namespace)

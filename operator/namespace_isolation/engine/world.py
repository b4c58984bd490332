"""Everything observed, in one place: who is told of which news, and the view of one namespace."""

from __future__ import annotations

from collections.abc import Callable

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import Reach
from namespace_isolation.model.view import View
from namespace_isolation.observe.isolations import IsolationStore
from namespace_isolation.observe.membership import Membership
from namespace_isolation.observe.namespaces import NamespaceStore
from namespace_isolation.observe.policies import PolicyStore

__all__ = ["World"]


class World:
    """The picture of the cluster. News become keys: namespaces to reconcile, isolations to tend."""

    def __init__(
        self,
        *,
        protected: frozenset[str],
        look_at: Callable[[str], None],
        tend_to: Callable[[str], None],
        came: Callable[[Isolation], None],
        went: Callable[[Isolation], None],
        left: Callable[[str, str], None],
    ) -> None:
        """Call `look_at(namespace)` and `tend_to(isolation)` for work, and tell who `came`, `went` and `left`.

        `left(isolation, namespace)` is called for a namespace that is gone or ending.
        """
        self._membership = Membership(protected)
        self._look_at, self._tend_to = look_at, tend_to
        self._came, self._went, self._left = came, went, left
        self.namespaces = NamespaceStore(self._namespace_changed)
        self.policies = PolicyStore(look_at, on_loss=self._policy_lost)
        self.isolations = IsolationStore(self._isolation_changed)

    def members(self, isolation: str) -> frozenset[str]:
        """Give the namespaces that an isolation selects and that are not being deleted."""
        return self._membership.members(isolation)

    def view(self, namespace: str) -> View:
        """Read everything that decides about one namespace."""
        isolations = self.isolations.by_name
        governing = (isolations[name] for name in self._membership.governing(namespace))
        return View(
            name=namespace,
            namespace=self.namespaces.by_name.get(namespace),
            governing=tuple(governing),
            isolations=isolations,
            live=dict(self.policies.live_in(namespace)),
            lost=self.policies.lost_in(namespace),
        )

    def finalizer_is_due(self, isolation: Isolation) -> bool:
        """Whether our finalizer is to be set, or to be removed, now."""
        present = FINALIZER in isolation.finalizers
        return present and not self.holds_back(isolation) if isolation.deleting else not present

    def holds_back(self, isolation: Isolation) -> bool:
        """Whether a deleted isolation must stay, because policies are left that go, or stop being owned, first.

        A policy that was deleted and that somebody's finalizer holds is no reason: our part is done. One that isolates
        pods and is held keeps the allow policies of its namespace from going; these are left to the garbage collector.
        """
        leaving = isolation.stance is Stance.LEAVING
        for namespace in self.policies.claimed_by(isolation.name):
            known = self.namespaces.by_name.get(namespace)
            if known is None or known.ending:
                continue
            policies = self.policies.live_in(namespace).values()
            if leaving and any(live.ending and live.claims and live.reach is not Reach.SOME_PODS for live in policies):
                continue
            for live in policies:
                owned = any(owner.uid == isolation.uid for owner in live.owners)
                taken_away = leaving and live.claims[:1] == (isolation.name,)
                if not live.ending and (owned or taken_away):
                    return True
        return False

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        name = (new or old).name  # type: ignore[union-attr]  # one of the two is there
        if new is None or new.ending:
            affected = self._membership.drop_namespace(name)
            for isolation in affected:
                self._left(isolation, name)
        else:
            affected = self._membership.set_namespace(new)
        for isolation in affected:
            self._tend_to(isolation)
        self._look_at(name)

    def _policy_lost(self, isolation: str) -> None:
        """Tend a deleted isolation whose policy somebody else changed or deleted: it may have been the last."""
        known = self.isolations.by_name.get(isolation)
        if known is not None and known.deleting:
            self._tend_to(isolation)

    def _isolation_changed(self, old: Isolation | None, new: Isolation | None) -> None:
        if new is None:
            if old is None:
                return
            affected = self._membership.drop_isolation(old.name)
            self._went(old)
        else:
            if old is None or old.uid != new.uid:
                self._came(new)
            self._tend_to(new.name)
            if new.same_intent(old):
                return
            affected = self._membership.set_isolation(new)
        name = (new or old).name  # type: ignore[union-attr]  # one of the two is there
        for namespace in affected | self.policies.claimed_by(name):
            self._look_at(namespace)

"""Everything observed, in one place: who is told of which news, and the view of one namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.lane import Lane
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

    def __init__(  # noqa: PLR0913 - one parameter for each kind of news
        self,
        *,
        protected: frozenset[str],
        look_at: Callable[[str, Lane], None],
        tend_to: Callable[[str], None],
        came: Callable[[Isolation], None],
        went: Callable[[Isolation], None],
        left: Callable[[str, str], None],
        arrived: Callable[[str], None] = lambda _namespace: None,
        edited: Callable[[Isolation, Isolation], None] = lambda _old, _new: None,
        concerned: Callable[[str], Iterable[str]] = lambda _namespace: (),
    ) -> None:
        """Call `look_at(namespace, lane)` and `tend_to(isolation)` for work, and tell who `came`, `went` and `left`.

        `left(isolation, namespace)` is called for a namespace that is gone or ending, `arrived` for one that a watch
        brings; `edited(old, new)` where an isolation asks for something else. `concerned(namespace)` names the
        isolations that something is told of there.
        """
        self._membership = Membership(protected)
        self._look_at, self._tend_to = look_at, tend_to
        self._came, self._went, self._left, self._edited = came, went, left, edited
        self._concerned = concerned
        self._complete = False
        self.namespaces = NamespaceStore(self._namespace_changed, on_arrival=arrived)
        self.policies = PolicyStore(self._look_at_news, on_loss=self._policy_lost)
        self.isolations = IsolationStore(self._isolation_changed)

    def members(self, isolation: str) -> frozenset[str]:
        """Give the namespaces that an isolation selects and that are not being deleted."""
        return self._membership.members(isolation)

    def leftovers(self, isolation: Isolation) -> frozenset[str]:
        """Give the namespaces with policies of an isolation in Audit, some of which Enforce would take away."""
        if isolation.stance is not Stance.AUDIT:
            return frozenset()
        known = self.namespaces.by_name
        claimed = self.policies.claimed_by(isolation.name)
        return frozenset(each for each in claimed if each in known and not known[each].ending)

    def view(self, namespace: str) -> View:
        """Read everything that decides about one namespace."""
        known = self.isolations.by_name
        live = dict(self.policies.live_in(namespace))  # as of now: news go on coming while the view is worked on
        governing = self._membership.governing(namespace)
        related = {*governing, *self._concerned(namespace), *(name for each in live.values() for name in each.related)}
        return View(
            name=namespace,
            namespace=self.namespaces.by_name.get(namespace),
            governing=tuple(known[name] for name in governing),
            isolations={name: known[name] for name in related if name in known},
            live=live,
            lost=self.policies.lost_in(namespace),
        )

    def complete(self) -> None:
        """Hear that every cache is complete: what rests on counting policies can be decided from now on."""
        self._complete = True
        for isolation in list(self.isolations.by_name.values()):
            self._look_for_orphans(isolation)

    def finalizer_is_due(self, isolation: Isolation) -> bool:
        """Whether our finalizer is to be set, or to be removed, now."""
        present = FINALIZER in isolation.finalizers
        if isolation.deleting:
            return present and not self.holds_back(isolation)
        # What has only ever been in Audit has nothing to take away.
        owns_nothing = isolation.stance is Stance.AUDIT and not self.policies.claimed_by(isolation.name)
        return not present and not owns_nothing

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
            if old is None and self._complete:
                self.policies.forget_losses(name)
            affected = self._membership.set_namespace(new)
        self._look_at_news(name)  # first: that something is told can wait, that a namespace is isolated cannot
        for isolation in affected:
            self._tend_to(isolation)

    def _look_at_news(self, namespace: str) -> None:
        """Ask for a look at what changed while somebody watches; what is found at the start can wait its turn."""
        self._look_at(namespace, Lane.URGENT if self._complete else Lane.BULK)

    def _look_for_orphans(self, isolation: Isolation) -> None:
        """Let policies be that the garbage collector has made orphans: `kubectl delete --cascade=orphan` asked for it.

        Who deletes in another way leaves the ownerReferences to us, or to the garbage collector, which keeps them.
        """
        if not self._complete or isolation.stance is not Stance.LEAVING:
            return
        # To delete raises the generation by one. What was edited as well may never have given its policies an owner.
        observed = self.isolations.status_of(isolation.name).get("observedGeneration")
        unedited = observed == isolation.generation - 1
        if unedited and self.policies.claimed_by(isolation.name) and not self.policies.owned_by(isolation.uid):
            self.isolations.orphaned(isolation)

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
            elif not new.same_intent(old):
                self._edited(old, new)
            if new.same_intent(old):
                self._tend_to(new.name)
                return
            if old is None or old.uid != new.uid or not old.deleting:
                self._look_for_orphans(new)
            affected = self._membership.set_isolation(new)
        name = (new or old).name  # type: ignore[union-attr]  # one of the two is there
        for namespace in affected | self.policies.claimed_by(name):
            self._look_at(namespace, Lane.BULK)
        if new is not None:
            self._tend_to(name)

"""The NetworkPolicies of the cluster, compactly, and whether a change was our own write or somebody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
from msgspec.structs import replace

from namespace_isolation.model.policy import LivePolicy, Policy
from namespace_isolation.observe.served_policy import policy_from_text, read_policy

__all__ = ["PolicyStore"]

Json = dict[str, Any]
_Key = tuple[str, str]


class PolicyStore:
    """All NetworkPolicies by namespace and name; calls `on_change(namespace)` for what somebody else did.

    Our own writes arrive twice, as the response and on the watch, in either order. Both times they are recognised, so
    that they are no drift and cost no second look: by their content while the write is under way, by their
    resourceVersion afterwards. What we deleted does not come back with news that the watch brings late.
    """

    def __init__(
        self, on_change: Callable[[str], None], *, on_loss: Callable[[str], None] = lambda _isolation: None
    ) -> None:
        """Start empty; `on_loss(isolation)` tells whose policy, by its metadata, somebody else changed or deleted."""
        self._on_change = on_change
        self._on_loss = on_loss
        self._by_namespace: dict[str, dict[str, LivePolicy]] = {}
        self._claims: dict[str, dict[str, int]] = {}
        self._owned: Counter[str] = Counter()
        self._lost: dict[str, dict[str, int]] = {}
        self._losses = 0
        self._expected: dict[_Key, Policy] = {}
        self._leaving: dict[_Key, str] = {}
        self._deleted: dict[str, int] = {}
        self._doubtful: set[_Key] = set()
        self._lists = 0
        self._seen_version = 0

    def live_in(self, namespace: str) -> Mapping[str, LivePolicy]:
        """Give the policies of a namespace by name."""
        return self._by_namespace.get(namespace, {})

    def lost_in(self, namespace: str) -> frozenset[str]:
        """Give the names of policies of ours that disappeared without our doing."""
        return frozenset(self._lost.get(namespace, ()))

    def losses_in(self, namespace: str) -> Mapping[str, int]:
        """Give the same with the number of each loss, for `found`."""
        return dict(self._lost.get(namespace, {}))

    def lose(self, namespace: str, name: str) -> None:
        """Hear that a policy of ours disappeared before this process started."""
        self._losses += 1
        self._lost.setdefault(namespace, {})[name] = self._losses

    def forget_losses(self, namespace: str) -> None:
        """Hear that a namespace is a new one: what was lost was lost in another of its name."""
        self._lost.pop(namespace, None)

    def found(self, namespace: str, losses: Mapping[str, int]) -> None:
        """Drop what was lost and has been dealt with, unless it was lost again meanwhile."""
        left = {name: number for name, number in self._lost.get(namespace, {}).items() if losses.get(name) != number}
        if left:
            self._lost[namespace] = left
        else:
            self._lost.pop(namespace, None)

    def foreign_in(self, namespace: str) -> tuple[LivePolicy, ...]:
        """Give the policies of a namespace whose last change was somebody else's."""
        return tuple(live for live in self.live_in(namespace).values() if live.foreign)

    def accept(self, seen: Iterable[LivePolicy]) -> None:
        """Hear that these were found as they should be: nobody's change is left in them, unless they changed since."""
        for live in seen:
            present = self.live_in(live.namespace).get(live.name)
            if present is not None and present.same_content(live):
                self._keep(replace(present, foreign=False))

    def claimed_by(self, isolation: str) -> AbstractSet[str]:
        """Give the namespaces with a policy whose metadata points to an isolation; a view that changes with them."""
        return self._claims.get(isolation, {}).keys()

    def owned_by(self, uid: str) -> int:
        """Count the policies with an ownerReference to an isolation."""
        return self._owned[uid]

    # The ListWatch fills it.

    def read(self, text: bytes | msgspec.Raw) -> LivePolicy:
        """Take what is kept of a NetworkPolicy as served."""
        return policy_from_text(text)

    def replaced(self, values: list[LivePolicy], resource_version: int) -> None:
        """Take the complete list: what is not in it and not newer is gone.

        A list older than what was seen before means that the API server's history went back: then only the list counts.
        """
        rewound = resource_version < self._seen_version
        # The watch is past what we deleted before this list was asked for, which is when the last one was complete.
        self._deleted = {} if rewound else {uid: when for uid, when in self._deleted.items() if when == self._lists}
        present = {(live.namespace, live.name) for live in values}
        for live in [each for policies in self._by_namespace.values() for each in policies.values()]:
            key = live.namespace, live.name
            if key in present and rewound:
                self._keep(replace(live, resource_version=0))  # any version of the list is news
            elif key not in present and (rewound or live.resource_version <= resource_version):
                self._drop(live, told=self._leaving.get(key) != live.uid)
        for live in values:
            self.changed(live)
        self._lists += 1
        self._seen_version = resource_version

    def changed(self, value: LivePolicy) -> None:
        """Take one policy that was added or modified."""
        self._seen_version = max(self._seen_version, value.resource_version)
        if value.uid in self._deleted:
            return  # from before our deletion
        old = self.live_in(value.namespace).get(value.name)
        if old is not None and old.uid == value.uid and old.resource_version >= value.resource_version:
            return
        expected = self._expected.get((value.namespace, value.name))
        if expected is not None and value.matches(expected):
            self._keep(value)
        elif value.same_content(old):
            self._keep(replace(value, foreign=old is not None and old.foreign))
        else:
            # To make or change what never was ours is no drift: our name alone does not make it so.
            ours = value.marked or (old is not None and old.uid == value.uid and (old.marked or old.foreign))
            self._keep(replace(value, foreign=self._lists > 0 and ours))
            self._tell_loss(old)
            if expected is None:
                self._on_change(value.namespace)
            else:
                # Somebody else's, or our own write as a webhook changed it on its way: the answer to it will tell.
                self._doubtful.add((value.namespace, value.name))

    def removed(self, value: LivePolicy) -> None:
        """Drop one policy that was deleted."""
        self._seen_version = max(self._seen_version, value.resource_version)
        self._deleted.pop(value.uid, None)
        old = self.live_in(value.namespace).get(value.name)
        if old is None or old.uid != value.uid:
            return
        self._drop(old, told=self._leaving.get((value.namespace, value.name)) != value.uid)

    # The writer is its witness.

    def expect(self, namespace: str, policy: Policy) -> None:
        """Hear that this content is about to be written."""
        self._expected[namespace, policy.name] = policy

    def written(self, document: Json) -> LivePolicy:
        """Hear what the API server stored for us, and give it as it is kept.

        Where the watch is further already and nothing is kept, the policy was deleted again before we heard of it.
        """
        live = read_policy(document)
        old = self.live_in(live.namespace).get(live.name)
        overtaken = (
            live.resource_version <= self._seen_version if old is None else live.resource_version < old.resource_version
        )
        if not overtaken:
            self._keep(live)
            self._doubtful.discard((live.namespace, live.name))
        elif old is None:
            # A list that came meanwhile may never have held it: then nobody was told that it is gone.
            self._doubtful.add((live.namespace, live.name))
        return live

    def expect_gone(self, namespace: str, name: str, uid: str) -> None:
        """Hear that we are about to delete a policy."""
        self._leaving[namespace, name] = uid

    def gone(self, namespace: str, name: str, uid: str) -> None:
        """Hear that a policy is gone."""
        old = self.live_in(namespace).get(name)
        if old is not None and old.uid == uid:
            self._drop(old, told=False)
            self._deleted[uid] = self._lists

    def settled(self, namespace: str, name: str) -> None:
        """Hear that the write ended: what comes from now on is not its echo."""
        self._expected.pop((namespace, name), None)
        self._leaving.pop((namespace, name), None)
        if (namespace, name) in self._doubtful:
            self._doubtful.remove((namespace, name))
            self._on_change(namespace)

    def _keep(self, live: LivePolicy) -> None:
        policies = self._by_namespace.setdefault(live.namespace, {})
        old = policies.get(live.name)
        policies[live.name] = live
        if old is None or (old.owners, old.claims) != (live.owners, live.claims):
            self._count(old, -1)
            self._count(live, +1)

    def _drop(self, live: LivePolicy, *, told: bool) -> None:
        """Forget a policy; `told` where it went without our doing."""
        policies = self._by_namespace[live.namespace]
        del policies[live.name]
        if not policies:
            del self._by_namespace[live.namespace]
        self._count(live, -1)
        if told:
            if live.claims:
                self.lose(live.namespace, live.name)
            self._on_change(live.namespace)
            self._tell_loss(live)

    def _tell_loss(self, live: LivePolicy | None) -> None:
        for isolation in () if live is None else live.claims:
            self._on_loss(isolation)

    def _count(self, live: LivePolicy | None, step: int) -> None:
        if live is None:
            return
        for owner in live.owners:
            self._owned[owner.uid] += step
            if not self._owned[owner.uid]:
                del self._owned[owner.uid]
        for isolation in live.claims:
            namespaces = self._claims.setdefault(isolation, {})
            namespaces[live.namespace] = namespaces.get(live.namespace, 0) + step
            if not namespaces[live.namespace]:
                del namespaces[live.namespace]
            if not namespaces:
                del self._claims[isolation]

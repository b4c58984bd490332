"""A NetworkPolicy twice: as it should be (Policy) and, compactly, as it is in the cluster (LivePolicy)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import msgspec

from namespace_isolation.model import names
from namespace_isolation.model.canonical import canonical_spec, digest_of

__all__ = [
    "LivePolicy",
    "Owner",
    "Policy",
    "Reach",
    "allowed_by",
    "is_isolation_reference",
    "opened_by",
    "owner_reference",
    "policy_from",
    "reach_of",
    "rendering_hash",
]

Json = dict[str, Any]

RENDERING = "1"
"""Version of our rendering: it changes when the same resource yields other policies than before."""


class Reach(IntEnum):
    """What a policy does to pods that no other policy selects, in the order in which it is safe to create them."""

    SOME_PODS = 0
    """Allows something for some pods, and isolates only those."""
    EVERY_POD = 1
    """Allows something for every pod, and thereby isolates every pod."""
    DENY = 2
    """Allows nothing in at least one of its directions."""


class Owner(msgspec.Struct, frozen=True, gc=False):
    """An ownerReference to a NamespaceIsolation."""

    name: str
    uid: str
    plain: bool = True
    """Whether it is as we write it: the current apiVersion, neither controller nor blockOwnerDeletion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A NetworkPolicy as it should be in every namespace of its isolation; shared, so `spec` is never changed."""

    name: str
    isolation: str
    description: str
    spec: Json
    digest: str
    owner: Owner | None
    reach: Reach

    @property
    def hash(self) -> str:
        """The value of the annotation `nsiso.dev/hash`."""
        return rendering_hash(self.digest)

    @property
    def labels(self) -> dict[str, str]:
        """The labels that mark the policy as ours."""
        return {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_ISOLATION: self.isolation}

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations that explain it."""
        return {names.ANNOTATION_DESCRIPTION: self.description, names.ANNOTATION_HASH: self.hash}

    def manifest(self, namespace: str) -> Json:
        """Write the whole object, as it is created in a namespace."""
        metadata: Json = {
            "name": self.name,
            "namespace": namespace,
            "labels": self.labels,
            "annotations": self.annotations,
        }
        if self.owner is not None:
            metadata["ownerReferences"] = [owner_reference(self.owner)]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata,
            "spec": self.spec,
        }


class LivePolicy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A NetworkPolicy as the cluster has it: enough to compare and to recognise, small enough to keep 40,000 of.

    No dataclass: these are made ten times as fast, and the garbage collector has no need to look at any of them.
    `everyone`: it selects every pod. `allows`: the directions in which it lets anything through; `opens`: those in
    which it lets through every peer on every port. `controlled`: another object is its controller. `bare`: others have
    put no label, annotation, finalizer or ownerReference on it, so that it can be written anew unread. `foreign`: its
    last change of content was seen to come from someone else, and it bears or bore our marks.
    """

    namespace: str
    name: str
    uid: str
    resource_version: int
    digest: str
    managed_by: str | None
    isolation: str | None
    description: str | None
    hash: str | None
    owners: tuple[Owner, ...]
    reach: Reach
    directions: frozenset[str]
    everyone: bool
    allows: frozenset[str]
    opens: frozenset[str]
    controlled: bool
    bare: bool
    ending: bool
    foreign: bool = False

    @property
    def intact(self) -> bool:
        """Whether its own hash annotation still fits its spec: as we, or an older version of us, wrote it."""
        return self.hash is not None and self.hash.rpartition("-")[2] == self.digest

    @property
    def marked(self) -> bool:
        """Whether it bears any mark that only we write: our labels, our hash, an ownerReference to an isolation."""
        return any((self.managed_by == names.MANAGED_BY, self.isolation, self.hash, self.owners))

    @property
    def retained(self) -> bool:
        """Whether it bears our labels and no ownerReference: what an isolation with Retain leaves when it goes."""
        return self.managed_by == names.MANAGED_BY and self.isolation is not None and not self.owners

    @property
    def claims(self) -> tuple[str, ...]:
        """The isolations that its metadata points to, the strongest evidence first, each once.

        An ownerReference, then both labels, then the form of its name.
        """
        find = _claims if len(self.owners) <= 1 else _claims.__wrapped__  # what a tenant makes up is not remembered
        return find(self.owners, self.managed_by, self.isolation, self.name)

    @property
    def related(self) -> tuple[str, ...]:
        """The isolations that it may have to do with: those it claims, and the one it would be a verbatim policy of."""
        return (*self.claims, self.name.rpartition(".")[0])

    def same_content(self, other: LivePolicy | None) -> bool:
        """Whether nothing differs that we keep in place."""
        return (
            other is not None
            and self.uid == other.uid
            and self.digest == other.digest
            and self.managed_by == other.managed_by
            and self.isolation == other.isolation
            and self.description == other.description
            and self.hash == other.hash
            and self.owners == other.owners
            and self.controlled == other.controlled
            and self.ending == other.ending
        )

    def matches(self, policy: Policy) -> bool:
        """Whether it is as it should be: spec, our labels and annotations, our ownerReference."""
        wanted_owners = () if policy.owner is None else (policy.owner,)
        return (
            self.digest == policy.digest
            and self.managed_by == names.MANAGED_BY
            and self.isolation == policy.isolation
            and self.description == policy.description
            and self.hash == policy.hash
            and self.owners == wanted_owners
        )


@lru_cache(maxsize=2048)
def _claims(owners: tuple[Owner, ...], managed_by: str | None, isolation: str | None, name: str) -> tuple[str, ...]:
    """Find what metadata points to; remembered, because a handful of combinations stands in thousands of namespaces."""
    claims = [owner.name for owner in owners]
    if managed_by == names.MANAGED_BY and isolation:
        claims.append(isolation)
    by_name = names.isolation_of_generated_name(name)
    if by_name:
        claims.append(by_name)
    return tuple(dict.fromkeys(claims))


def rendering_hash(digest: str) -> str:
    """Join the rendering's version and a spec's digest into the annotation `nsiso.dev/hash`."""
    return f"{RENDERING}-{digest}"


def owner_reference(owner: Owner) -> Json:
    """Write the ownerReference that lets the garbage collector take a policy whose isolation is gone."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "name": owner.name,
        "uid": owner.uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }


def is_isolation_reference(reference: Mapping[str, Any]) -> bool:
    """Whether an ownerReference points to a NamespaceIsolation, of whatever version."""
    group = str(reference.get("apiVersion", "")).partition("/")[0]
    return group == names.GROUP and reference.get("kind") == names.KIND


def reach_of(spec: Mapping[str, Any]) -> Reach:
    """Decide what a canonical NetworkPolicySpec does to pods."""
    if any(not spec.get(direction.lower()) for direction in spec["policyTypes"]):
        return Reach.DENY
    return Reach.SOME_PODS if spec["podSelector"] else Reach.EVERY_POD


def allowed_by(spec: Mapping[str, Any]) -> frozenset[str]:
    """Name the directions in which a canonical NetworkPolicySpec lets anything through."""
    return _directions(spec, lambda rules, _: bool(rules))


def opened_by(spec: Mapping[str, Any]) -> frozenset[str]:
    """Name the directions in which a canonical NetworkPolicySpec lets through every peer on every port."""
    return _directions(spec, lambda rules, side: any(_is_open(rule, side) for rule in rules))


def _directions(spec: Mapping[str, Any], holds: Callable[[Sequence[Json], str], bool]) -> frozenset[str]:
    sides = {"Ingress": "from", "Egress": "to"}
    return frozenset(each for each in spec["policyTypes"] if holds(spec.get(each.lower()) or (), sides[each]))


def _is_open(rule: Mapping[str, Any], side: str) -> bool:
    """Whether a rule names no port, and no peer or every address of a family."""
    peers = rule.get(side)
    everyone = not peers or any(_is_every_address(peer) for peer in peers)
    return everyone and not rule.get("ports")


def _is_every_address(peer: Mapping[str, Any]) -> bool:
    block = peer.get("ipBlock") or {}
    return str(block.get("cidr", "")).endswith("/0") and not block.get("except")


def policy_from(*, name: str, isolation: str, description: str, spec: Mapping[str, Any], owner: Owner | None) -> Policy:
    """Make a Policy of a NetworkPolicySpec in any form."""
    canonical = canonical_spec(spec)
    return Policy(
        name=name,
        isolation=isolation,
        description=description,
        spec=canonical,
        digest=digest_of(canonical),
        owner=owner,
        reach=reach_of(canonical),
    )

"""What would be in the cluster if the files were applied: theirs in the place of what is there by the same name.

Their mode Audit counts as Enforce: the question is what they would do. An isolation that is not in the cluster has no
uid yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.policy import Policy
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.scene import Scene

__all__ = ["Background", "applied", "has_known_owner", "on_paper", "standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What a cluster holds; `has_resource`: whether it knows NamespaceIsolations at all."""

    isolations: Mapping[str, Isolation] = field(default_factory=dict)
    namespaces: Mapping[str, Namespace] = field(default_factory=dict)
    has_resource: bool = True


def standing(background: Background, protected: frozenset[str]) -> Scene:
    """Set the scene as it is."""
    return Scene(
        isolations=background.isolations.values(), namespaces=background.namespaces.values(), protected=protected
    )


def applied(inputs: Inputs, background: Background, protected: frozenset[str]) -> Scene:
    """Set the scene as it would be."""
    isolations = {name: _in_place_of(background.isolations.get(name), each) for name, each in inputs.isolations.items()}
    namespaces = {name: _relabelled(background.namespaces.get(name), each) for name, each in inputs.namespaces.items()}
    return Scene(
        isolations=({**background.isolations, **isolations}).values(),
        namespaces=({**background.namespaces, **namespaces}).values(),
        protected=protected,
    )


def on_paper(inputs: Inputs, namespaces: Iterable[Namespace], protected: frozenset[str]) -> Scene:
    """Set a scene without any cluster."""
    return Scene(
        isolations=map(_enforced, inputs.isolations.values()),
        namespaces=namespaces,
        protected=protected,
    )


def _enforced(isolation: Isolation) -> Isolation:
    """Take mode Audit for Enforce."""
    if isolation.spec is None or isolation.spec.mode != "Audit":
        return isolation
    return replace(isolation, spec=isolation.spec.model_copy(update={"mode": "Enforce"}))


def has_known_owner(policy: Policy) -> bool:
    """Whether the ownerReference that a policy is to bear, if any, can be written: its isolation has a uid."""
    return policy.owner is None or bool(policy.owner.uid)


def _in_place_of(present: Isolation | None, given: Isolation) -> Isolation:
    """Give an isolation the uid that it has in the cluster; one that it had elsewhere would be another's."""
    return replace(_enforced(given), uid="" if present is None else present.uid)


def _relabelled(present: Namespace | None, given: Namespace) -> Namespace:
    """Add a document's labels to those that the namespace has, as `kubectl apply` does."""
    return given if present is None else replace(present, labels={**present.labels, **given.labels})

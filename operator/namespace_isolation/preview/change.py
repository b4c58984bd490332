"""What would be different in one namespace: the steps that applying the files causes, with both sides of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from namespace_isolation.apply.manifest import released, repaired
from namespace_isolation.compare.compare import compare
from namespace_isolation.compare.drift import drift_of
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import Owner, Policy
from namespace_isolation.model.view import View
from namespace_isolation.preview.cast import has_known_owner

__all__ = ["NOT_YET_KNOWN", "Action", "Change", "caused_by", "change_of"]

Json = dict[str, Any]

NOT_YET_KNOWN: Final = "(known once the isolation is applied)"
_SERVED: Final = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp")


class Action(StrEnum):
    """What would be done to a policy, in the words of the status."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One policy that would be created, updated or deleted; `live` and `wanted` are None where there is none.

    `fields`: what an update changes, as paths.
    """

    namespace: str
    policy: str
    isolation: str
    action: Action
    why: Why
    fields: tuple[str, ...] = ()
    live: Json | None = None
    wanted: Json | None = None


def caused_by(
    names: frozenset[str], *, before: View, after: View, renderings: tuple[Renderings, Renderings]
) -> tuple[Step, ...]:
    """Give the steps of these isolations, and those of others that are not due anyway; in the order that is safe.

    `before` and `after` are the same namespace without and with the files applied, `renderings` one for each.
    """
    due = [_deed(step) for step in _plan(before, renderings[0]).steps()]
    steps = _plan(after, renderings[1]).steps()
    return tuple(step for step in steps if step.isolation in names or _deed(step) not in due)


def _deed(step: Step) -> tuple[type[Step], str, Policy | None]:
    """Tell what a step does, whatever the reason and whatever has to go before it."""
    return type(step), step.name, step.policy if isinstance(step, Create | Update) else None


def _plan(view: View, renderings: Renderings) -> Plan:
    return compare(decide(view, renderings), view)


def change_of(step: Step, namespace: str, documents: Mapping[str, Json]) -> Change | None:
    """Tell what a step does; `documents` are the namespace's policies as served. None: it can only be waited for."""
    match step:
        case Create():
            return _change(step, namespace, Action.CREATE, wanted=_known(step.policy).manifest(namespace))
        case Update():
            live, policy = documents[step.name], _known(step.policy)
            fields = drift_of(policy, live).fields
            return _change(step, namespace, Action.UPDATE, fields=fields, live=live, wanted=repaired(policy, live))
        case Release():
            live = documents[step.name]
            fields = ("metadata.ownerReferences",)
            return _change(step, namespace, Action.UPDATE, fields=fields, live=live, wanted=released(live))
        case Delete():
            return _change(step, namespace, Action.DELETE, live=documents[step.name])
        case Wait():
            return None


def _change(
    step: Step,
    namespace: str,
    action: Action,
    *,
    fields: Iterable[str] = (),
    live: Json | None = None,
    wanted: Json | None = None,
) -> Change:
    return Change(
        namespace=namespace,
        policy=step.name,
        isolation=step.isolation,
        action=action,
        why=step.why,
        fields=tuple(fields),
        live=None if live is None else _stripped(live),
        wanted=None if wanted is None else _stripped(wanted),
    )


def _known(policy: Policy) -> Policy:
    """Say of a uid that is to come that it is to come."""
    if policy.owner is None or has_known_owner(policy):
        return policy
    return replace(policy, owner=Owner(policy.owner.name, NOT_YET_KNOWN))


def _stripped(document: Json) -> Json:
    """Leave out what only the API server sets, and empty lists as it does; a list's items do not say what they are."""
    metadata = {key: value for key, value in document["metadata"].items() if key not in _SERVED and value != []}
    marks = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return {**marks, **document, "metadata": metadata}

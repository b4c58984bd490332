"""The order of updates in place, so that a flow that moves from one policy to another is never cut on the way.

An update that lets a flow in goes before the update that takes it out elsewhere. Where two updates each wait for the
other (two entries swap their sources), what they take out is kept in a bridge: a policy with the old spec that is
created before them and deleted last, by the next reconcile too if this one dies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from namespace_isolation.compare.flows import Flow, flows_of, may_overlap
from namespace_isolation.compare.order import gives_way
from namespace_isolation.model.canonical import canonical_spec, digest_of
from namespace_isolation.model.names import bridge_name
from namespace_isolation.model.plan import Create, Plan, Step, Update, Why
from namespace_isolation.model.policy import policy_from

__all__ = ["in_succession"]

Json = dict[str, Any]

_MOST_PAIRS: Final = 100_000
"""Comparisons of flows after which two updates count as dependent: it bounds the work for huge edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One update with what it lets in and what it takes out."""

    step: Update
    spec: Json
    added: Sequence[Flow]
    removed: Sequence[Flow]


def in_succession(plan: Plan, documents: Mapping[str, Json]) -> Plan:
    """Refine a plan with updates of our own older work; `documents` are these policies as served, by name.

    What somebody else changed has no claim to be kept: only updates of what we wrote are ordered and bridged.
    """
    changes = {
        step.name: _change(step, documents[step.name])
        for step in plan.steps()
        if isinstance(step, Update) and step.why is Why.OUTDATED and step.name in documents
    }
    waits = {
        name: {other for other in changes if other != name and _must_precede(changes[other], late)}
        for name, late in changes.items()
    }
    if not any(waits.values()):
        return plan
    # Some come last in any case; nothing can wait for those, so it is bridged.
    last = {name for name, change in changes.items() if gives_way(change.step)}
    bridged = {name for name in changes if waits[name] & last}
    early = {name: set() if name in bridged else waits[name] for name in changes if name not in last}
    while (circle := _circle(early)) is not None:
        bridged.add(max(circle))
        early[max(circle)] = set()
    return _arranged(plan, early, tuple(_bridge(changes[name]) for name in sorted(bridged)))


def _arranged(plan: Plan, waits: Mapping[str, set[str]], bridges: tuple[Create, ...]) -> Plan:
    """Put the bridges first, and the ordered updates, as early as each may go, where the first of them stood."""
    updates = {step.name: step for step in plan.steps() if step.name in waits}
    sorter = TopologicalSorter(waits)
    sorter.prepare()
    ordered: list[tuple[Step, ...]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.append(tuple(updates[name] for name in ready))
        sorter.done(*ready)
    phases: list[tuple[Step, ...]] = [bridges] if bridges else []
    for phase in plan.phases:
        if any(step.name in waits for step in phase):
            phases += ordered
            ordered = []
        rest = tuple(step for step in phase if step.name not in waits)
        phases += [rest] if rest else []
    return replace(plan, phases=tuple(phases))


def _circle(waits: Mapping[str, set[str]]) -> set[str] | None:
    """Find updates that wait for each other."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return set(error.args[1])
    return None


def _change(step: Update, document: Mapping[str, Any]) -> _Change:
    spec = canonical_spec(document.get("spec") or {})
    before, after = flows_of(spec), flows_of(step.policy.spec)
    return _Change(
        step=step,
        spec=spec,
        added=[flow for text, flow in after.items() if text not in before],
        removed=[flow for text, flow in before.items() if text not in after],
    )


def _must_precede(early: _Change, late: _Change) -> bool:
    """Whether one update may let in what another takes out."""
    if len(early.added) * len(late.removed) > _MOST_PAIRS:
        return True
    return any(may_overlap(added, removed) for added in early.added for removed in late.removed)


def _bridge(change: _Change) -> Create:
    """Keep what an update takes out until everything else is in place."""
    policy = change.step.policy
    return Create(
        policy=policy_from(
            name=bridge_name(policy.isolation, digest_of([policy.name, change.spec])[:8]),
            isolation=policy.isolation,
            description=f"Keeps the flows of {policy.name} while policies change; it is removed right afterwards.",
            spec=change.spec,
            owner=policy.owner,
        ),
        why=Why.BRIDGE,
    )

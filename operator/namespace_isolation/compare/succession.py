"""The order of updates in place, so that a flow that moves from one policy to another is never cut on the way.

An update that lets a flow in goes before the update that takes it out elsewhere. Where no order will do (two entries
swap their sources), what is taken out is kept in a bridge: a policy with the old spec that is created before and
deleted last, by the next reconcile too if this one dies.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

from namespace_isolation.compare.dependence import Change, Dependence, dependence_of
from namespace_isolation.compare.order import gives_way
from namespace_isolation.model.canonical import canonical_spec, digest_of, dumps
from namespace_isolation.model.names import bridge_name
from namespace_isolation.model.plan import Create, Delete, Plan, Step, Update, Why
from namespace_isolation.model.policy import Policy, policy_from

__all__ = ["in_succession", "needs_succession"]

Json = dict[str, Any]


def needs_succession(plan: Plan) -> bool:
    """Whether the order of a plan depends on what exactly changes in policies: several together, or with a denial."""
    changed = sum(_is_own_change(step) for step in plan.steps())
    return changed > 1 or (changed == 1 and _has_denial(plan))


def in_succession(plan: Plan, documents: Mapping[str, Json]) -> Plan:
    """Refine a plan with updates of our own older work; `documents` are these policies as served, by name.

    What somebody else changed has no claim to be kept: only updates of what we wrote are ordered and bridged.
    """
    updates = {step.name: step for step in plan.steps() if isinstance(step, Update) and _is_own_change(step)}
    specs = {name: dumps(canonical_spec(documents[name].get("spec") or {})) for name in updates if name in documents}
    changes = tuple(
        Change(name=name, before=spec, after=dumps(updates[name].policy.spec), last=gives_way(updates[name]))
        for name, spec in sorted(specs.items())
    )
    dependence = dependence_of(changes, denial=_has_denial(plan))
    if dependence.is_none:
        return plan
    bridges = [_bridge(updates[name].policy, json.loads(specs[name])) for name in sorted(dependence.bridged)]
    return _arranged(_without_old_bridges(plan, bridges), dependence, updates, bridges)


def _is_own_change(step: Step) -> bool:
    return isinstance(step, Update) and step.why is Why.OUTDATED


def _has_denial(plan: Plan) -> bool:
    return any(gives_way(step) for step in plan.steps())


def _arranged(
    plan: Plan, dependence: Dependence, updates: Mapping[str, Update], bridges: list[Create | Update]
) -> Plan:
    """Put the bridges first, and the ordered updates, as early as each may go, where the first of them stood."""
    sorter = TopologicalSorter(dependence.waits)
    sorter.prepare()
    ordered: list[tuple[Step, ...]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.append(tuple(updates[name] for name in ready))
        sorter.done(*ready)
    phases: list[tuple[Step, ...]] = [tuple(bridges)] if bridges else []
    for phase in plan.phases:
        if any(step.name in dependence.waits for step in phase):
            phases += ordered
            ordered = []
        rest = tuple(step for step in phase if step.name not in dependence.waits)
        phases += [rest] if rest else []
    return replace(plan, phases=tuple(phases))


def _without_old_bridges(plan: Plan, bridges: list[Create | Update]) -> Plan:
    """Keep a bridge that an interrupted reconcile left, instead of building it beside its own deletion.

    One that somebody made different is put right; `bridges` then holds that update instead.
    """
    standing = {step.name: step.live for step in plan.steps() if isinstance(step, Delete)}
    needed = {bridge.name for bridge in bridges}
    bridges[:] = [
        Update(policy=bridge.policy, live=standing[bridge.name], why=Why.BRIDGE) if bridge.name in standing else bridge
        for bridge in bridges
        if bridge.name not in standing or not standing[bridge.name].matches(bridge.policy)
    ]
    phases = (tuple(step for step in phase if step.name not in needed) for phase in plan.phases)
    return replace(plan, phases=tuple(phase for phase in phases if phase))


def _bridge(policy: Policy, spec: Json) -> Create | Update:
    """Keep what an update takes out until everything else is in place."""
    return Create(
        policy=policy_from(
            name=bridge_name(policy.isolation, digest_of([policy.name, spec])[:8]),
            isolation=policy.isolation,
            description=f"Keeps the flows of {policy.name} while policies change; it is removed right afterwards.",
            spec=spec,
            owner=policy.owner,
        ),
        why=Why.BRIDGE,
    )

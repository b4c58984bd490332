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
from namespace_isolation.model.canonical import digest_of, dumps
from namespace_isolation.model.names import bridge_name
from namespace_isolation.model.plan import Create, Delete, Plan, Step, Update, Why
from namespace_isolation.model.policy import LivePolicy, Policy, policy_from

__all__ = ["in_succession", "needs_succession"]

Json = dict[str, Any]


def needs_succession(plan: Plan) -> bool:
    """Whether the order of a plan depends on what exactly changes in policies: several together, or with a denial."""
    changed = len(plan.own_changes())
    return changed > 1 or (changed == 1 and _has_denial(plan))


def in_succession(plan: Plan, specs: Mapping[str, str]) -> Plan:
    """Refine a plan with updates of our own older work; `specs` are theirs before, as canonical texts, by name.

    What somebody else changed has no claim to be kept: only updates of what we wrote are ordered and bridged.
    """
    updates = plan.own_changes()
    changes = tuple(
        Change(name=name, before=spec, after=dumps(updates[name].policy.spec), last=gives_way(updates[name]))
        for name, spec in sorted(specs.items())
        if name in updates
    )
    dependence = dependence_of(changes, denial=_has_denial(plan))
    if dependence.is_none:
        return plan
    bridges = [_bridge(updates[name].policy, json.loads(specs[name])) for name in sorted(dependence.bridged)]
    needed = {bridge.name for bridge in bridges}
    standing = {step.name: step.live for step in plan.steps() if isinstance(step, Delete) and step.name in needed}
    to_build = tuple(_as_step(bridge, standing.get(bridge.name)) for bridge in bridges)
    return _arranged(_without(plan, needed), dependence, updates, tuple(step for step in to_build if step is not None))


def _has_denial(plan: Plan) -> bool:
    return any(gives_way(step) for step in plan.steps())


def _arranged(plan: Plan, dependence: Dependence, updates: Mapping[str, Update], bridges: tuple[Step, ...]) -> Plan:
    """Put the bridges first, and the ordered updates, as early as each may go, where the first of them stood."""
    sorter = TopologicalSorter(dependence.waits)
    sorter.prepare()
    ordered: list[tuple[Step, ...]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.append(tuple(updates[name] for name in ready))
        sorter.done(*ready)
    phases: list[tuple[Step, ...]] = [bridges] if bridges else []
    for phase in plan.phases:
        if any(step.name in dependence.waits for step in phase):
            phases += ordered
            ordered = []
        rest = tuple(step for step in phase if step.name not in dependence.waits)
        phases += [rest] if rest else []
    return replace(plan, phases=tuple(phases))


def _without(plan: Plan, names: set[str]) -> Plan:
    """Leave steps out of a plan: a bridge that is needed again is not taken away."""
    phases = (tuple(step for step in phase if step.name not in names) for phase in plan.phases)
    return replace(plan, phases=tuple(phase for phase in phases if phase))


def _as_step(bridge: Policy, standing: LivePolicy | None) -> Create | Update | None:
    """Build a bridge; one that an interrupted reconcile left is kept, and put right where somebody changed it."""
    if standing is None:
        return Create(policy=bridge, why=Why.BRIDGE)
    return None if standing.matches(bridge) else Update(policy=bridge, live=standing, why=Why.BRIDGE)


def _bridge(policy: Policy, spec: Json) -> Policy:
    """Keep what an update takes out until everything else is in place."""
    return policy_from(
        name=bridge_name(policy.isolation, digest_of([policy.name, spec])[:8]),
        isolation=policy.isolation,
        description=f"Keeps the flows of {policy.name} while policies change; it is removed right afterwards.",
        spec=spec,
        owner=policy.owner,
    )

"""Desired against live in one namespace: the plan that makes them equal, with the reason of every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from namespace_isolation.compare.identity import owner_of
from namespace_isolation.compare.order import in_safe_order
from namespace_isolation.compare.unmanaged import removals
from namespace_isolation.model.isolation import Stance
from namespace_isolation.model.plan import Create, Delete, Plan, Release, Step, Update, Wait, Why
from namespace_isolation.model.policy import LivePolicy, Policy
from namespace_isolation.model.view import View

__all__ = ["compare"]


def compare(desired: Mapping[str, Policy], view: View) -> Plan:
    """Plan the steps from what is to what should be.

    A namespace that is gone or being deleted needs nothing: its policies go with it.
    """
    if view.namespace is None or view.namespace.ending:
        return Plan(namespace=view.name, phases=(), kept=())
    steps = [*_wanted(desired, view), *_unwanted(desired, view), *_unmanaged(desired, view)]
    changed = {step.name for step in steps}
    kept = tuple((policy.isolation, name) for name, policy in desired.items() if name not in changed)
    return Plan(namespace=view.name, phases=in_safe_order(steps), kept=kept)


def _wanted(desired: Mapping[str, Policy], view: View) -> Iterator[Step]:
    for name, policy in desired.items():
        live = view.live.get(name)
        if live is None:
            yield Create(policy=policy, why=Why.DELETED if name in view.lost else Why.WANTED)
        elif not live.matches(policy):
            yield Update(policy=policy, live=live, why=_why_different(live, policy, lost=name in view.lost))
        elif live.ending:
            yield Wait(live=live, isolation=policy.isolation, why=Why.DELETED, wanted=True)


def _unwanted(desired: Mapping[str, Policy], view: View) -> Iterator[Step]:
    isolated = {
        direction
        for policy in desired.values()
        if not policy.spec["podSelector"]
        for direction in policy.spec["policyTypes"]
    }
    for name, live in view.live.items():
        if name in desired:
            continue
        owner = owner_of(live, view.isolations)
        if owner is None:
            continue
        isolation = view.isolations.get(owner)
        stance = None if isolation is None else view.stance_of(isolation)
        if isolation is not None and stance is not None and stance.is_standing:
            if isolation.deleting and any(each.uid == isolation.uid for each in live.owners):
                yield Release(live=live, isolation=owner, why=Why.UNWANTED)
            continue
        if isolation is None and live.ending:
            continue  # whoever holds it, nobody is left to be told
        leaving = stance is Stance.LEAVING
        ours = leaving or (live.intact and not live.foreign)
        why = Why.UNWANTED if ours else Why.EXTRA
        if live.ending:
            yield Wait(live=live, isolation=owner, why=why, wanted=False)
        else:
            yield Delete(live=live, isolation=owner, why=why, keeps_flows=not live.directions <= isolated)


def _unmanaged(desired: Mapping[str, Policy], view: View) -> Iterator[Step]:
    for live, isolation in removals(view, desired):
        if live.ending:
            yield Wait(live=live, isolation=isolation.name, why=Why.UNMANAGED, wanted=False)
        else:
            yield Delete(live=live, isolation=isolation.name, why=Why.UNMANAGED)


def _why_different(live: LivePolicy, policy: Policy, *, lost: bool) -> Why:
    """Tell our own older work from somebody else's doing.

    The hash annotation shows who wrote the spec; a change that was watched and was not ours is drift in any case.
    """
    if not live.marked:
        # Ours was seen to go, or to lose its marks; else it never was ours.
        return Why.MODIFIED if live.foreign or lost else Why.TAKEN_OVER
    same_rendering = live.digest == policy.digest and live.hash == policy.hash
    if live.foreign or not live.intact:
        return Why.MODIFIED
    if same_rendering and live.description == policy.description:
        # Only labels or owner differ. A new owner uid or retention is our own doing; anything else is not.
        return Why.OUTDATED if _labels_in_place(live, policy) and _owners_renewed(live) else Why.MODIFIED
    return Why.OUTDATED


def _labels_in_place(live: LivePolicy, policy: Policy) -> bool:
    labels = policy.labels
    return (live.managed_by, live.isolation) == tuple(labels.values())


def _owners_renewed(live: LivePolicy) -> bool:
    return all(owner.plain for owner in live.owners)

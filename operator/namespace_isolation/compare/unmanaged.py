"""Policies of others that allow what an isolation denies: which they are, and which of them may be removed."""

from __future__ import annotations

from collections.abc import Container, Iterator

from namespace_isolation.compare.identity import owner_of
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import verbatim_name
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.resource import IsolationSpec
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.model.verbatim import Direction
from namespace_isolation.model.view import View

__all__ = ["removals", "unmanaged_in"]

_DIRECTIONS: tuple[Direction, ...] = ("Ingress", "Egress")


def unmanaged_in(view: View, isolation: Isolation, desired: Container[str]) -> tuple[Unmanaged, ...]:
    """Name the policies that widen an isolation in one namespace, by name; none where it asks to ignore them.

    `desired`: names that are, or are to become, ours.
    """
    spec = isolation.spec
    if spec is None or spec.unmanaged_policies == "Ignore" or isolation.deleting:
        return ()
    remove = spec.unmanaged_policies == "Remove"
    denied = _denied(view) if remove else frozenset()
    return tuple(
        Unmanaged(
            namespace=view.name,
            policy=live.name,
            widens=_widened(live, isolation),
            wide_open=tuple(each for each in _widened(live, isolation) if each in live.opens),
            kept=_why_kept(live, denied, view) if remove else None,
        )
        for live in sorted(_foreign(view, desired), key=lambda live: live.name)
        if _widened(live, isolation)
    )


def removals(view: View, desired: Container[str]) -> Iterator[tuple[LivePolicy, Isolation]]:
    """Give the policies of others that are to go, and the isolation that asks for it."""
    removing = [each for each, spec in _enforced(view) if spec.unmanaged_policies == "Remove"]
    if not removing:
        return
    denied = _denied(view)
    for live in _foreign(view, desired):
        asking = next((each for each in removing if _widened(live, each)), None)
        if asking is not None and _why_kept(live, denied, view) is None:
            yield live, asking


def _foreign(view: View, desired: Container[str]) -> Iterator[LivePolicy]:
    for name, live in view.live.items():
        if name in desired:
            continue
        owner = owner_of(live, view.isolations)
        if owner is None or not _is_cared_for(live, owner, view):
            yield live


def _is_cared_for(live: LivePolicy, owner: str, view: View) -> bool:
    """Whether a policy that claims an isolation is its, or will be repaired or removed for it.

    Nothing is done for one that is standing. What was left in place for it is as we wrote it; anything else under its
    name would hide from the isolations that are enforced.
    """
    isolation = view.isolations.get(owner)
    if isolation is None or not view.stance_of(isolation).is_standing:
        return True
    governs = isolation.spec is None or any(each.name == owner for each in view.governing)
    return live.intact and governs


def _may_be_standing(name: str, view: View) -> bool:
    """Whether a policy may, by its name, be a verbatim one, bare of all marks, of an isolation that is standing.

    Those of one that is not accepted are not known; what has its prefix may be.
    """
    isolation = view.isolations.get(name.rpartition(".")[0])
    if isolation is None or not view.stance_of(isolation).is_standing:
        return False
    verbatim = () if isolation.spec is None else isolation.spec.policies
    return isolation.spec is None or name in {verbatim_name(isolation.name, each.name) for each in verbatim}


def _widened(live: LivePolicy, isolation: Isolation) -> tuple[Direction, ...]:
    """Name the directions that the isolation denies by default and in which the policy allows something."""
    denied = () if isolation.spec is None else isolation.spec.default_deny
    return tuple(each for each in _DIRECTIONS if each in denied and each in live.allows)


def _enforced(view: View) -> Iterator[tuple[Isolation, IsolationSpec]]:
    """Give the isolations whose policies are kept in place; one that goes and leaves them keeps nothing."""
    for each in view.governing:
        if each.spec is not None and view.stance_of(each) is Stance.WANTED and not each.deleting:
            yield each, each.spec


def _denied(view: View) -> frozenset[str]:
    """Name the directions that are denied by default in the namespace."""
    return frozenset(direction for _, spec in _enforced(view) for direction in spec.default_deny)


def _why_kept(live: LivePolicy, denied: frozenset[str], view: View) -> str | None:
    """Say why a policy is not removed though it widens; None: it may go.

    What another operator made would come back, and what isolates pods where nothing else does would open them.
    """
    if owner_of(live, view.isolations) is not None or _may_be_standing(live.name, view):
        return "it is, or claims to be, of an isolation that is in Audit or not accepted"
    if live.retained:
        return "it bears the labels of an isolation that does not exist: retained, or forged"
    if live.controlled:
        return "another controller owns it"
    undenied = [each for each in _DIRECTIONS if each in live.directions and each not in denied]
    if undenied:
        return f"it isolates pods for {undenied[0]}, which nothing else denies there"
    return None

"""Whose policy is it: the isolation that a live NetworkPolicy belongs to, by more than its name."""

from __future__ import annotations

from collections.abc import Mapping

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.policy import LivePolicy

__all__ = ["owner_of"]


def owner_of(live: LivePolicy, isolations: Mapping[str, Isolation]) -> str | None:
    """Decide which isolation a policy that nobody desires belongs to; None: it is not ours to touch.

    An isolation that is gone still owns what carries an ownerReference to it. What carries only its labels was
    retained when it went, and stays; what has only the form of its name was never ours.
    """
    for claimed in live.claims:
        if claimed in isolations:
            return claimed
    return live.owners[0].name if live.owners else None

"""Verbatim policies: the escape hatch for what a flow cannot say."""

from __future__ import annotations

from namespace_isolation.model.names import verbatim_name
from namespace_isolation.model.policy import Owner, Policy, policy_from
from namespace_isolation.model.resource import VerbatimPolicy, wire

__all__ = ["verbatim_policy"]


def verbatim_policy(isolation: str, verbatim: VerbatimPolicy, owner: Owner | None) -> Policy:
    """Render a verbatim policy: the spec as given, with our labels and annotations."""
    text = f"Verbatim policy {verbatim.name} of the isolation {isolation}."
    return policy_from(
        name=verbatim_name(isolation, verbatim.name),
        isolation=isolation,
        description=f"{text} {verbatim.description}" if verbatim.description else text,
        spec=wire(verbatim.spec),
        owner=owner,
    )

"""default-deny: every pod of the namespace is isolated for the directions that the isolation names."""

from __future__ import annotations

from namespace_isolation.model.names import default_deny_name
from namespace_isolation.model.policy import Owner, Policy, policy_from
from namespace_isolation.model.resource import Direction

__all__ = ["default_deny_policy"]


def default_deny_policy(isolation: str, directions: tuple[Direction, ...], owner: Owner | None) -> Policy | None:
    """Render the default-deny policy; None where the isolation denies nothing by default."""
    if not directions:
        return None
    ordered = tuple(sorted(set(directions), reverse=True))
    what = " and ".join(direction.lower() for direction in ordered)
    return policy_from(
        name=default_deny_name(isolation, ordered),
        isolation=isolation,
        description=f"Denies all {what} of every pod of this namespace that no other NetworkPolicy allows.",
        spec={"podSelector": {}, "policyTypes": list(ordered)},
        owner=owner,
    )

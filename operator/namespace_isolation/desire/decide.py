"""Which policies one namespace should have, from all isolations that select it."""

from __future__ import annotations

from typing import Final

from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.isolation import Stance
from namespace_isolation.model.names import default_deny_name, isolation_of_generated_name
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View

__all__ = ["decide"]

_DENY_EGRESS: Final = (("Ingress", "Egress"), ("Egress",))


def decide(view: View, renderings: Renderings) -> dict[str, Policy]:
    """Give the desired policies of a namespace by name; none where it is gone or being deleted.

    allow-dns-egress isolates every pod for egress all by itself. So it is generated only where egress is denied by
    default, by the same isolation or another one: with `defaultDeny: [Ingress]` it would cut what nobody denied.
    """
    if view.namespace is None or view.namespace.ending:
        return {}
    rendered = [renderings.of(isolation) for isolation in view.governing]
    desired = {policy.name: policy for rendering in rendered for policy in rendering.policies}
    if any(rendering.denies_egress for rendering in rendered) or _frozen_deny_of_egress(view):
        desired |= {rendering.dns.name: rendering.dns for rendering in rendered if rendering.dns is not None}
    return desired


def _frozen_deny_of_egress(view: View) -> bool:
    """Whether an isolation that is not accepted keeps a default-deny of egress in place here."""
    for name in view.live:
        isolation = view.isolations.get(isolation_of_generated_name(name) or "")
        if isolation is not None and isolation.stance is Stance.FROZEN:
            denies = {default_deny_name(isolation.name, each) for each in _DENY_EGRESS}
            if name in denies:
                return True
    return False

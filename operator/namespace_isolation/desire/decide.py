"""Which policies one namespace should have, from all isolations that select it."""

from __future__ import annotations

from typing import Final

from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import default_deny_name, isolation_of_generated_name
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View

__all__ = ["decide"]

_DENY_EGRESS: Final = (("Ingress", "Egress"), ("Egress",))


def decide(view: View, renderings: Renderings) -> dict[str, Policy]:
    """Give the desired policies of a namespace by name; none where it is gone or being deleted.

    An isolation in Audit desires nothing, unless the view is a rehearsal.

    allow-dns-egress isolates every pod for egress all by itself. So it is generated only where egress is denied by
    default, by the same isolation or another one: with `defaultDeny: [Ingress]` it would cut what nobody denied.
    """
    if view.namespace is None or view.namespace.ending:
        return {}
    rendered = [
        renderings.of(each)
        for each in view.governing
        if view.stance_of(each) is Stance.WANTED and not _leaves_nothing(each, view)
    ]
    desired = {policy.name: policy for rendering in rendered for policy in rendering.policies}
    if any(rendering.denies_egress for rendering in rendered) or _deny_of_egress_stays(view):
        desired |= {rendering.dns.name: rendering.dns for rendering in rendered if rendering.dns is not None}
    return desired


def _leaves_nothing(isolation: Isolation, view: View) -> bool:
    """Whether an isolation that goes and leaves its policies has none here: where it was not, it does not begin."""
    return isolation.deleting and not any(isolation.name in live.claims for live in view.live.values())


def _deny_of_egress_stays(view: View) -> bool:
    """Whether a default-deny of egress is in place that nobody asks for, and that stays: frozen, audited, retained."""
    for name, live in view.live.items():
        isolation = isolation_of_generated_name(name)
        if isolation is None or name not in {default_deny_name(isolation, each) for each in _DENY_EGRESS}:
            continue
        if "Egress" not in live.directions or not live.everyone:
            continue  # it bears the name, and does not deny every pod's egress
        known = view.isolations.get(isolation)
        stays = view.stance_of(known).is_standing if known else live.marked and not live.owners
        if stays:
            return True
    return False

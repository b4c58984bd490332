"""One isolation becomes its policies; done once per generation, because only the namespace differs between copies."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from namespace_isolation.desire.allow import allow_policies
from namespace_isolation.desire.deny import default_deny_policy
from namespace_isolation.desire.dns import dns_policy
from namespace_isolation.desire.verbatim import verbatim_policy
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.policy import Owner, Policy

__all__ = ["Rendering", "Renderings", "render"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The policies of an isolation; `dns` apart, because whether a namespace needs it depends on what denies there."""

    policies: tuple[Policy, ...]
    dns: Policy | None
    denies_egress: bool


_MOST_REMEMBERED: Final = 1024
_NOTHING: Final = Rendering(policies=(), dns=None, denies_egress=False)


def render(isolation: Isolation) -> Rendering:
    """Render all policies of an isolation, enforced or only audited; none where it leaves or is not accepted."""
    spec = isolation.spec
    if spec is None or isolation.stance is Stance.LEAVING:
        return _NOTHING
    name = isolation.name
    owner = None if isolation.retain else Owner(name, isolation.uid)
    deny = default_deny_policy(name, spec.default_deny, owner)
    return Rendering(
        policies=(
            *(policy for entry in spec.allow for policy in allow_policies(name, entry, owner)),
            *(verbatim_policy(name, verbatim, owner) for verbatim in spec.policies),
            *((deny,) if deny else ()),
        ),
        dns=dns_policy(name, spec.dns, owner),
        denies_egress="Egress" in spec.default_deny,
    )


class Renderings:
    """Remembers the renderings of the isolations that were asked for last.

    One that selects many namespaces is asked for again and again; of 10,000 that select one each, few are asked for
    twice, and to keep all of them would cost 7 KB each. To render one anew takes 0.2 ms.
    """

    def __init__(self) -> None:
        """Start with nothing rendered."""
        self._known: OrderedDict[str, tuple[Isolation, Rendering]] = OrderedDict()

    def of(self, isolation: Isolation) -> Rendering:
        """Render an isolation, or give what was rendered for the same intent."""
        known = self._known.get(isolation.name)
        if known is not None and isolation.same_intent(known[0]):
            self._known.move_to_end(isolation.name)
            return known[1]
        rendering = render(isolation)
        self._known[isolation.name] = (isolation, rendering)
        self._known.move_to_end(isolation.name)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return rendering

    def forget(self, name: str) -> None:
        """Drop what was rendered for an isolation that is gone."""
        self._known.pop(name, None)

"""One isolation becomes its policies; done once per generation, because only the namespace differs between copies."""

from __future__ import annotations

from dataclasses import dataclass

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


_NOTHING = Rendering(policies=(), dns=None, denies_egress=False)


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
    """Remembers the rendering of each isolation's newest intent."""

    def __init__(self) -> None:
        """Start with nothing rendered."""
        self._known: dict[str, tuple[Isolation, Rendering]] = {}

    def of(self, isolation: Isolation) -> Rendering:
        """Render an isolation, or give what was rendered for the same intent."""
        known = self._known.get(isolation.name)
        if known is not None and isolation.same_intent(known[0]):
            return known[1]
        rendering = render(isolation)
        self._known[isolation.name] = (isolation, rendering)
        return rendering

    def forget(self, name: str) -> None:
        """Drop what was rendered for an isolation that is gone."""
        self._known.pop(name, None)

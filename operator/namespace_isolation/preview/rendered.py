"""What `nsiso render` prints: the policies that the operator would create for the given isolations, in a safe order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from namespace_isolation.compare.compare import compare
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.plan import Create
from namespace_isolation.model.policy import LivePolicy, Policy
from namespace_isolation.preview.cast import has_known_owner
from namespace_isolation.preview.scene import Scene

__all__ = ["rendered"]

Json = dict[str, Any]


def rendered(
    scene: Scene, names: Iterable[str], live_in: Callable[[str], Iterable[LivePolicy]] = lambda _: ()
) -> Iterator[Json]:
    """Give the manifests of these isolations' policies, by namespace, as if none of them were there yet.

    `live_in`: the policies of a namespace, because an isolation that stays in place can make DNS necessary. An
    ownerReference whose uid is not known is left out.
    """
    chosen, renderings = frozenset(names), Renderings()
    for namespace in sorted(scene.members(chosen)):
        view = scene.view(namespace, live_in(namespace))
        plan = compare(decide(view, renderings), replace(view, live={}))
        for step in plan.steps():
            if isinstance(step, Create) and step.isolation in chosen:
                yield _manifest(step.policy, namespace)


def _manifest(policy: Policy, namespace: str) -> Json:
    known = policy if has_known_owner(policy) else replace(policy, owner=None)
    return known.manifest(namespace)

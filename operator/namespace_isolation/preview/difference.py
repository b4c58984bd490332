"""What `nsiso diff` tells: everything that applying the files would create, change and remove in a cluster."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any, Final

from namespace_isolation.cluster import Client
from namespace_isolation.compare.unmanaged import unmanaged_in
from namespace_isolation.desire.decide import decide
from namespace_isolation.desire.render import Renderings
from namespace_isolation.model.plan import Step, Wait
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.observe.served_policy import read_policy
from namespace_isolation.preview.cast import Background, applied, standing
from namespace_isolation.preview.change import Change, caused_by, change_of
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.survey import documents_in, live_in

__all__ = ["Comparison", "Finding", "differences"]

Json = dict[str, Any]
Finding = Change | Wait | Unmanaged

_AT_ONCE: Final = 16
"""Namespaces whose policies are held whole at one time."""


class Comparison:
    """The cluster without and with the files applied."""

    def __init__(self, inputs: Inputs, background: Background, protected: frozenset[str]) -> None:
        """Set both scenes; `protected` namespaces match only by exact name."""
        self.names = frozenset(inputs.isolations)
        self.before = standing(background, protected)
        self.after = applied(inputs, background, protected)
        self._renderings = Renderings(), Renderings()
        self._given = frozenset(inputs.namespaces)

    @property
    def concerned(self) -> frozenset[str]:
        """Name the namespaces that the isolations select or selected, and those that the files hold."""
        return self.before.members(self.names) | self.after.members(self.names) | self._given

    def steps(self, namespace: str, live: Iterable[LivePolicy]) -> tuple[Step, ...]:
        """Give what is to be done in a namespace because of the files."""
        live = tuple(live)
        return caused_by(
            self.names,
            before=self.before.view(namespace, live),
            after=self.after.view(namespace, live),
            renderings=self._renderings,
        )

    def widening(self, namespace: str, live: Iterable[LivePolicy]) -> tuple[Unmanaged, ...]:
        """Give the policies of nobody's isolation that would stay and widen those of the files."""
        view = self.after.view(namespace, live)
        desired = decide(view, self._renderings[1])
        found: dict[str, Unmanaged] = {}
        for isolation in view.governing:
            if isolation.spec is None or isolation.name not in self.names:
                continue
            removed = isolation.spec.unmanaged_policies == "Remove"
            stay = (each for each in unmanaged_in(view, isolation, desired) if each.kept is not None or not removed)
            found = {each.policy: each for each in stay} | found
        return tuple(found.values())


async def differences(
    client: Client, comparison: Comparison, tell: Callable[[str], None]
) -> AsyncGenerator[Finding, None]:
    """Give what the files do not change and widens them, then every change by namespace, in the order that is safe.

    A Wait is a policy that is deleted already and held by somebody's finalizer.

    Namespaces in which nothing is to be done cost no request of their own; the others are read once more, whole, a few
    at a time. Raises ApiError.
    """
    live = await live_in(client, comparison.concerned, tell, claimed_by=comparison.names)
    for namespace in sorted(comparison.concerned & live.keys()):
        for unmanaged in comparison.widening(namespace, live[namespace]):
            yield unmanaged
    different = [
        namespace
        for namespace in sorted(comparison.concerned | live.keys())
        if comparison.steps(namespace, live.get(namespace, ()))
    ]
    for start in range(0, len(different), _AT_ONCE):
        batch = different[start : start + _AT_ONCE]
        tell(f"comparing namespaces: {start} of {len(different)}")
        for namespace, documents in zip(batch, await documents_in(client, batch), strict=True):
            for finding in _findings(comparison, namespace, documents):
                yield finding


def _findings(comparison: Comparison, namespace: str, documents: Mapping[str, Json]) -> Iterable[Finding]:
    """Compare anew with what was read last, so that both sides of a change are of one moment."""
    for step in comparison.steps(namespace, map(read_policy, documents.values())):
        if isinstance(step, Wait):
            yield step
            continue
        change = change_of(step, namespace, documents)
        if change is not None:
            yield change

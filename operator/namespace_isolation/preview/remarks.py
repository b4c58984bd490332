"""What a reader of the output should know and cannot see in it: one line each, for stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from namespace_isolation.model.names import KIND
from namespace_isolation.model.plan import Wait
from namespace_isolation.model.selection import is_glob
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.preview.cast import Background
from namespace_isolation.preview.inputs import Inputs
from namespace_isolation.preview.scene import Scene

__all__ = [
    "MORE_NAMESPACES",
    "SELECTION",
    "remarks_on_background",
    "remarks_on_inputs",
    "remarks_on_matches",
    "remarks_on_names",
    "remarks_on_owners",
    "remarks_on_unmanaged",
    "remarks_on_waiting",
]

_SHOWN: Final = 20
MORE_NAMESPACES: Final = "name some with -n NAME,label=value or --namespace-file, or take a cluster's with --context"
SELECTION: Final = "check spec.namespaces against the labels in: kubectl get namespaces --show-labels"


def remarks_on_inputs(inputs: Inputs) -> Iterator[str]:
    """Tell what was passed over, what Audit means here, and what the operator would remark in `Accepted`."""
    if inputs.passed_over:
        kinds = ", ".join(f"{count} {kind}" for kind, count in inputs.passed_over.items())
        yield f"passed over: {kinds}"
    if inputs.audited:
        yield f"mode Audit counts as Enforce here, to show what it would do: {', '.join(inputs.audited)}"
    for name, isolation in inputs.isolations.items():
        for notice in isolation.notices:
            yield f"{KIND} {name}: {notice}"


def remarks_on_matches(inputs: Inputs, scene: Scene, mend: str) -> Iterator[str]:
    """Tell which isolations select nothing, with the mend."""
    for name in inputs.isolations:
        if not scene.members([name]):
            yield f"{KIND} {name} matches no namespace: {mend}"


def remarks_on_names(inputs: Inputs, scene: Scene) -> Iterator[str]:
    """Tell which isolations may match more, where only the names in the resources say what namespaces there are."""
    for name, isolation in inputs.isolations.items():
        patterns = isolation.spec.namespaces.names if isolation.spec is not None else None
        if scene.members([name]) and any(map(is_glob, patterns or ())):
            yield f"{KIND} {name} may match more namespaces than it names: {MORE_NAMESPACES}"


def remarks_on_owners(scene: Scene, names: Iterable[str]) -> Iterator[str]:
    """Tell which policies are shown without the ownerReference that they will bear."""
    isolations = (scene.isolations[name] for name in names)
    unknown = [each.name for each in isolations if not each.uid and not each.retain and scene.members([each.name])]
    if unknown:
        yield f"ownerReferences are left out, because they need the uid that a cluster gives: {', '.join(unknown)}"


def remarks_on_background(inputs: Inputs, background: Background) -> Iterator[str]:
    """Tell what in the cluster is not as one would expect."""
    if not background.has_resource:
        yield f"the cluster does not know {KIND} (no CRD): no isolation is there yet"
    for name in inputs.isolations:
        present = background.isolations.get(name)
        if present is not None and present.deleting:
            yield f"{KIND} {name} is being deleted in the cluster: this shows it as if it were not"


def remarks_on_waiting(step: Wait) -> Iterator[str]:
    """Tell of a policy that was deleted already and that somebody's finalizer holds: nobody can do more about it."""
    then = "comes back once it is gone" if step.wanted else "works until then"
    yield f"{step.live.namespace}/{step.name} is deleted, held by a finalizer, and {then}"


def remarks_on_unmanaged(found: Sequence[Unmanaged]) -> Iterator[str]:
    """Tell which policies of others would stay and let through what the isolations deny; the first ones by name."""
    for each in found[:_SHOWN]:
        how = f"allows {' and '.join(each.widens)} that is denied by default"
        if each.wide_open:
            how += f", every peer on every port for {' and '.join(each.wide_open)}"
        kept = f"; it is not removed, because {each.kept}" if each.kept else ""
        yield f"{each.namespace}/{each.policy} belongs to no isolation and {how}{kept}"
    if len(found) > _SHOWN:
        yield f"… and {len(found) - _SHOWN} more policies like these"

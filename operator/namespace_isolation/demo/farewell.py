"""The end: the resource is deleted and its policies go in safe order; then the operator ends, or all of it stays."""

from __future__ import annotations

import time
from collections.abc import Sequence

from namespace_isolation.demo.isolate import all_of, apply_sample, short
from namespace_isolation.demo.shop import EXPECTED, ISOLATION, NEWCOMER, SHOP_NAMESPACES, TENANT, show_namespaces
from namespace_isolation.demo.stage import Stage
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.demo.witness import Sighting
from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.names import SHORT_NAMES
from namespace_isolation.model.policy import Reach, reach_of

__all__ = ["leave_running", "stop_operator", "take_away"]

_WHAT = {
    Reach.DENY: "denies",
    Reach.EVERY_POD: "allows, and isolates every pod",
    Reach.SOME_PODS: "allows, and isolates some pods",
}


async def take_away(stage: Stage) -> None:
    """Delete the resource; see its policies go, what denies first, and the resource after them."""
    stage.narrator.chapter("The resource is deleted: nothing is cut off on the way out")
    since, isolations_since = stage.policies.position, stage.isolations.position
    await stage.kubectl.run("delete", SHORT_NAMES[0], ISOLATION)
    namespaces = [TENANT, NEWCOMER]
    gone = await stage.policies.see(
        f"the policies of {ISOLATION} are deleted", all_of(namespaces, "DELETED"), since=since
    )
    released = await stage.isolations.see(
        f"the NamespaceIsolation {ISOLATION} is deleted", _deleted, since=isolations_since
    )
    for namespace in namespaces:
        _check_order([event for event in gone if event.namespace == namespace])
    if released.revision < max(event.revision for event in gone):
        raise Unseen("the resource goes after its policies", [str(event) for event in (*gone, released)])
    _show_order(stage, [event for event in gone if event.namespace == TENANT])
    stage.narrator.seen(
        f"{len(gone)} policies of {len(namespaces)} namespaces went in this order, then the resource",
        max(0.0, released.at - gone[0].at),
    )
    counts = await show_namespaces(stage)
    if counts != dict.fromkeys((*SHOP_NAMESPACES, NEWCOMER), 0):
        raise Unseen("the shop as it was before", [f"policies by namespace: {counts}"])


async def stop_operator(stage: Stage) -> None:
    """End the operator as the kubelet would."""
    stage.narrator.chapter("The end")
    started = time.monotonic()
    if stage.operator is not None:
        await stage.operator.stop()
    stage.narrator.seen("the operator ended on SIGTERM with exit code 0", time.monotonic() - started)


async def leave_running(stage: Stage) -> None:
    """Apply the resource once more, so that there is something to look at, and let the operator stay."""
    stage.narrator.chapter("Once more, to look around")
    await apply_sample(stage, [TENANT, NEWCOMER])
    stage.operator_stays = True


def _check_order(gone: Sequence[Sighting]) -> None:
    """Isolation is taken away in the reverse of the order in which it is built up."""
    ranks = [reach_of(canonical_spec(event.spec)) for event in gone]
    if len(gone) != len(EXPECTED) or ranks != sorted(ranks, reverse=True):
        raise Unseen("policies that deny go before those that allow", [str(event) for event in gone])


def _show_order(stage: Stage, gone: Sequence[Sighting]) -> None:
    rows = [
        (f"+{(event.at - gone[0].at) * 1000:.0f} ms", short(event), _WHAT[reach_of(canonical_spec(event.spec))])
        for event in gone
    ]
    stage.narrator.table(("TIME", f"DELETED IN {TENANT.upper()}", "WHAT IT DID"), rows)


def _deleted(events: Sequence[Sighting]) -> Sighting | None:
    return next((event for event in events if (event.kind, event.name) == ("DELETED", ISOLATION)), None)

"""The main acts: one resource isolates a namespace, and a namespace that comes later is isolated as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from namespace_isolation.demo.files import manifest, shown
from namespace_isolation.demo.shop import EXPECTED, ISOLATION, NEWCOMER, SHOP_NAMESPACES, TENANT, show_namespaces
from namespace_isolation.demo.stage import Stage
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.demo.witness import Sighting
from namespace_isolation.demo.words import directions_of, rule_of
from namespace_isolation.model import names
from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.policy import reach_of

__all__ = ["all_of", "apply_sample", "greet_newcomer", "isolate", "short"]


async def isolate(stage: Stage) -> None:
    """Apply the sample, and see every policy it must bring, in safe order, and nothing anywhere else."""
    stage.narrator.chapter("One resource isolates the namespace payments")
    events = await apply_sample(stage, [TENANT])
    _check_order(events)
    _show_policies(stage, events)
    stage.narrator.say(
        "← accepts from, → opens to: a flow between pods of the namespace needs both sides, and gets both."
    )
    await stage.kubectl.run("get", names.SHORT_NAMES[0])
    counts = await show_namespaces(stage)
    expected = dict.fromkeys(SHOP_NAMESPACES, 0) | {TENANT: len(EXPECTED)}
    if counts != expected:
        raise Unseen(f"policies by namespace: {expected}", [str(counts)])


async def greet_newcomer(stage: Stage) -> None:
    """Create a namespace that the isolation's glob matches, and measure how long it stays open."""
    stage.narrator.chapter(f"A namespace that comes later: {NEWCOMER} matches payments-*")
    since, policies_since = stage.namespaces.position, stage.policies.position
    await stage.kubectl.run("create", "namespace", NEWCOMER)
    created = await stage.namespaces.see(
        f"the namespace {NEWCOMER}", lambda events: _named(events, NEWCOMER), since=since
    )
    events = await stage.policies.see(
        f"{len(EXPECTED)} policies in {NEWCOMER}", all_of([NEWCOMER], "ADDED"), since=policies_since
    )
    _check_order(events)
    stage.narrator.seen(
        f"isolated: {len(EXPECTED)} policies, timed from its creation to the last",
        max(0.0, events[-1].at - created.at),
    )


async def apply_sample(stage: Stage, namespaces: Sequence[str]) -> Sequence[Sighting]:
    """Apply the sample and wait until its policies are in these namespaces and the resource says so."""
    since, isolations_since = stage.policies.position, stage.isolations.position
    await stage.kubectl.run("apply", "-f", shown(manifest("samples/payments.yaml")))
    came = await stage.isolations.see(
        f"the NamespaceIsolation {ISOLATION}", lambda events: _named(events, ISOLATION), since=isolations_since
    )
    count = len(EXPECTED) * len(namespaces)
    events = await stage.policies.see(
        f"{count} policies in {', '.join(namespaces)}", all_of(namespaces, "ADDED"), since=since
    )
    stage.narrator.seen(f"{count} policies are in place; those that deny came last", max(0.0, events[-1].at - came.at))
    summary = f"{len(namespaces)}/{len(namespaces)}"
    ready = await stage.isolations.see(
        f"the status of {ISOLATION} is Ready, namespaces {summary}",
        lambda events: next((event for event in events if _is_ready(event, summary)), None),
        since=isolations_since,
    )
    stage.narrator.seen("its status says Ready", max(0.0, ready.at - came.at))
    return events


def all_of(namespaces: Sequence[str], kind: str) -> Callable[[Sequence[Sighting]], Sequence[Sighting] | None]:
    """Find the events of a kind for every expected policy in these namespaces, in the order in which they came."""
    wanted = {(namespace, f"{ISOLATION}.{name}") for namespace in namespaces for name in EXPECTED}

    def find(events: Sequence[Sighting]) -> Sequence[Sighting] | None:
        found = [event for event in events if event.kind == kind and event.namespace in namespaces]
        return found if {(event.namespace, event.name) for event in found} >= wanted else None

    return find


def short(event: Sighting) -> str:
    """Name a policy without the isolation, which is the same for all."""
    return event.name.removeprefix(f"{ISOLATION}.")


def _show_policies(stage: Stage, events: Sequence[Sighting]) -> None:
    """Show each policy in words, and hold the words against what the sample must yield."""
    told = {short(event): (directions_of(event.spec), rule_of(event.spec)) for event in events}
    rows = [(name, *told[name]) for name in EXPECTED]
    stage.narrator.table((f"POLICY ({ISOLATION}.…)", "ISOLATES", "WHICH PODS, AND WHAT THEY MAY"), rows)
    if told != dict(EXPECTED):
        raise Unseen("these policies and no others", [f"{name}: {' '.join(words)}" for name, words in EXPECTED.items()])


def _check_order(events: Sequence[Sighting]) -> None:
    """Allow policies isolate, too: those for some pods come first, then those for every pod, then what denies."""
    ranks = [reach_of(canonical_spec(event.spec)) for event in events]
    if ranks != sorted(ranks):
        raise Unseen("allow policies come before those that deny", [str(event) for event in events])


def _is_ready(event: Sighting, summary: str) -> bool:
    status: dict[str, Any] = event.document.get("status") or {}
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    return conditions.get("Ready") == "True" and status.get("namespaces", {}).get("summary") == summary


def _named(events: Sequence[Sighting], name: str) -> Sighting | None:
    return next((event for event in events if event.name == name and event.kind == "ADDED"), None)

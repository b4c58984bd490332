"""Two hands on the policies: one is deleted, one is opened; both come back, and the status says who did what."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from namespace_isolation.demo.shop import ISOLATION, TENANT
from namespace_isolation.demo.stage import Stage
from namespace_isolation.demo.witness import Sighting
from namespace_isolation.demo.words import rule_of
from namespace_isolation.model.names import FIELD_MANAGER, SHORT_NAMES

__all__ = ["disturb"]

_DELETED: Final = f"{ISOLATION}.allow-dns-egress"
_OPENED: Final = f"{ISOLATION}.default-deny-all"
_EDITOR: Final = "kubectl-edit"
_EXPECTED: Final[Sequence[Mapping[str, Any]]] = (
    {"policy": _OPENED, "kind": "Modified", "fields": ["spec.egress"], "manager": _EDITOR, "action": "Corrected"},
    {"policy": _DELETED, "kind": "Deleted", "action": "Corrected"},
)
"""What the status must say, newest first."""


async def disturb(stage: Stage) -> None:
    """Delete a policy and open another by hand, see both repaired, and read it in the status."""
    stage.narrator.chapter("Somebody deletes a policy and opens another by hand")
    isolations_since = stage.isolations.position
    await _delete(stage)
    await _open(stage)
    await stage.isolations.see("status.drift tells of both", _tells, since=isolations_since)
    stage.narrator.seen("the status says what happened, and who did it where the API server knows")
    told = await stage.kubectl.run(
        "get", SHORT_NAMES[0], ISOLATION, "-o", "jsonpath={.status.drift.recent}", quiet=True
    )
    stage.narrator.say("… which is, as a table:")
    rows = [_row(entry) for entry in json.loads(told)]
    stage.narrator.table(("NAMESPACE", "POLICY", "KIND", "FIELDS", "BY", "ACTION"), rows)
    await stage.kubectl.run("get", SHORT_NAMES[0])


async def _delete(stage: Stage) -> None:
    """Delete a policy, and measure from its end to its return."""
    since = stage.policies.position
    await stage.kubectl.run("delete", "networkpolicy", _DELETED, "-n", TENANT)
    gone = await _see(stage, since, _DELETED, "is deleted", lambda event: event.kind == "DELETED")
    back = await _see(
        stage, since, _DELETED, "is created again", lambda event: event.kind == "ADDED" and _by_operator(event)
    )
    stage.narrator.seen("it is back", back.at - gone.at)


async def _open(stage: Stage) -> None:
    """Open default-deny-all as `kubectl edit` would, and measure how long it stays open."""
    since = stage.policies.position
    patch = json.dumps({"spec": {"egress": [{}]}})
    await stage.kubectl.run(
        *("patch", "networkpolicy", _OPENED, "-n", TENANT, "--type=merge"),
        *(f"--field-manager={_EDITOR}", "-p", patch),
    )
    opened = await _see(stage, since, _OPENED, "is opened", lambda event: event.spec.get("egress") == [{}])
    stage.narrator.say(f"That policy now says: {rule_of(opened.spec)}.")
    closed = await _see(
        stage,
        since,
        _OPENED,
        "is closed again",
        lambda event: "egress" not in event.spec and event.revision > opened.revision,
    )
    stage.narrator.seen(f"it is closed: {rule_of(closed.spec)}", closed.at - opened.at)


async def _see(stage: Stage, since: int, policy: str, happens: str, test: Callable[[Sighting], bool]) -> Sighting:
    """Wait for an event of one policy."""

    def find(events: Sequence[Sighting]) -> Sighting | None:
        ours = (event for event in events if (event.namespace, event.name) == (TENANT, policy))
        return next(filter(test, ours), None)

    return await stage.policies.see(f"{TENANT}/{policy} {happens}", find, since=since)


def _by_operator(event: Sighting) -> bool:
    managers = event.document["metadata"].get("managedFields") or []
    return any(entry.get("manager") == FIELD_MANAGER for entry in managers)


def _tells(events: Sequence[Sighting]) -> Sighting | None:
    """Find the status whose newest drifts are the expected ones."""
    for event in events:
        recent = ((event.document.get("status") or {}).get("drift") or {}).get("recent") or []
        pairs = zip(_EXPECTED, recent, strict=False)
        if len(recent) >= len(_EXPECTED) and all(wanted.items() <= found.items() for wanted, found in pairs):
            return event
    return None


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    fields = " ".join(entry.get("fields") or ()) or "-"
    policy = entry["policy"].removeprefix(f"{ISOLATION}.")
    return entry["namespace"], policy, entry["kind"], fields, entry.get("manager", "-"), entry["action"]

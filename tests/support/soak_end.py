"""What must hold when everybody has come to rest: every namespace exact, every status true, nothing left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.names import FINALIZER
from namespace_isolation.model.plan import Create, Step, Update
from tests.support.history import ISOLATIONS, NAMESPACES, POLICIES, History
from tests.support.kstatus import Kstatus, contradictions, kstatus_of
from tests.support.operator import Line
from tests.support.soak_findings import Replay
from tests.support.soak_world import Picture
from tests.support.stage import condition

__all__ = ["deviations", "miscounts", "unsettled"]

Json = dict[str, Any]


def unsettled(history: History) -> list[str]:
    """Tell what still is under way, as far as the resources themselves say; cheap, for every event."""
    found = [
        f"{key[1]} is being deleted"
        for collection in (NAMESPACES, ISOLATIONS)
        for key, document in history.now[collection].items()
        if "deletionTimestamp" in document["metadata"]
    ]
    found += [
        f"{key[1]} is {kstatus_of(document)}: {condition(document.get('status') or {}, 'Ready').get('message')}"
        for key, document in history.now[ISOLATIONS].items()
        if kstatus_of(document) is not Kstatus.CURRENT
    ]
    return found


def deviations(history: History) -> list[str]:
    """Tell what is not as it should be: policies, statuses, finalizers."""
    picture = Picture(history.now)
    found = [each for namespace in picture.alive() for each in picture.differences(namespace)]
    for (_, name), document in sorted(history.now[ISOLATIONS].items()):
        isolation = picture.isolations[name]
        found += [f"status of {name}: {each}" for each in contradictions(document)]
        found += _status_deviations(picture, isolation, document.get("status") or {})
        finalizers = document["metadata"].get("finalizers") or []
        # What has only ever been in Audit has written nothing, and needs nobody to take it away.
        optional = isolation.stance is Stance.AUDIT and not picture.claiming(name)
        if finalizers != [FINALIZER] and not (optional and not finalizers):
            found.append(f"finalizers of {name}: {finalizers}")
    for key, document in history.now[POLICIES].items():
        if document["metadata"].get("finalizers"):
            found.append(f"finalizers of {key}: {document['metadata']['finalizers']}")
    return found


def _status_deviations(picture: Picture, isolation: Isolation, status: Json) -> list[str]:
    """Count what is there and compare it with what the status of an isolation says."""
    members = picture.members(isolation)
    audits = isolation.stance is Stance.AUDIT
    desired = in_place = 0
    for namespace in members:
        live = picture.live.get(namespace, {})
        mine = [
            each for each in picture.desired(namespace, rehearsal=audits).values() if each.isolation == isolation.name
        ]
        desired += len(mine)
        in_place += sum(each.name in live and live[each.name].matches(each) for each in mine)
    expected: Json = {
        "observedGeneration": isolation.generation,
        "namespaces.matched": len(members),
        "namespaces.failed": 0,
        "policies.desired": desired,
        "policies.inPlace": in_place,
        "problems": [],
        "unmanaged.count": picture.widening(isolation, members),
    }
    if audits:
        expected |= _audited(picture, isolation)
    else:
        expected |= {"namespaces.inSync": len(members), "namespaces.drifted": 0, "drift.outstanding": 0}
    return [
        f"status of {isolation.name}: {path} is {_at(status, path)}, not {value}"
        for path, value in expected.items()
        if _at(status, path) != value
    ] + _outstanding(picture, isolation, status)


def _pending(picture: Picture, isolation: Isolation) -> list[Step]:
    """Plan what Enforce would do for an isolation in Audit."""
    return [
        step
        for namespace in picture.alive()
        for step in picture.rehearsed(namespace).steps()
        if step.isolation == isolation.name
    ]


def _audited(picture: Picture, isolation: Isolation) -> Json:
    """Count what Enforce would do."""
    steps = _pending(picture, isolation)
    create = sum(isinstance(step, Create) for step in steps)
    update = sum(isinstance(step, Update) for step in steps)
    return {"audit.create": create, "audit.update": update, "audit.delete": len(steps) - create - update}


def _outstanding(picture: Picture, isolation: Isolation, status: Json) -> list[str]:
    """Compare drift that Audit leaves: at least what shows by itself, at most also what only a memory can tell."""
    if isolation.stance is not Stance.AUDIT:
        return []
    steps = _pending(picture, isolation)
    least, most = sum(step.why.is_drift for step in steps), len(steps)
    told = status["drift"]["outstanding"]
    return [] if least <= told <= most else [f"status of {isolation.name}: outstanding {told}, not {least} to {most}"]


def _at(status: Json, path: str) -> object:
    value: Any = status
    for key in path.split("."):
        value = (value or {}).get(key)
    return value


def miscounts(history: History, replay: Replay, log: Iterable[Line]) -> list[str]:
    """Compare the counters of corrected drift with what was seen to be corrected; the log tells where they differ."""
    found = []
    logged = [line.fields for line in log if line.event == "drift corrected"]
    for (_, name), document in sorted(history.now[ISOLATIONS].items()):
        uid = document["metadata"]["uid"]
        told = document["status"]["drift"]["corrected"]
        surely, perhaps = replay.counted(uid)
        if not surely <= told <= surely + perhaps:
            found.append(f"{name} tells {told} corrected drifts; seen were {surely}, and {perhaps} that may not count")
        if told > replay.foreign_edits[uid]:
            found.append(f"{name} tells {told} corrected drifts; only {replay.foreign_edits[uid]} edits were made")
        if any(each.startswith(f"{name} ") for each in found):
            said = Counter((line["namespace"], line["policy"]) for line in logged if line["isolation"] == name)
            seen = Counter(each.key for each in replay.corrections if each.isolation == name)
            found.append(f"in the log, not seen: {dict(said - seen)}; seen, not in the log: {dict(seen - said)}")
    return found

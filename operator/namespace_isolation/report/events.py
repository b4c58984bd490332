"""What is told as an Event, and in which words: what happened to policies, and how isolations turned.

A note holds nothing that differs from one repeat to the next, such as a time or a count: repeats become one series.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from namespace_isolation.model.event import Event, Regarding, Severity, plain
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import API_VERSION, KIND
from namespace_isolation.model.outcome import Result, StepResult
from namespace_isolation.model.plan import UNKNOWN, Create, Drift, Why
from namespace_isolation.model.policy import LivePolicy
from namespace_isolation.report.conditions import FAILING, condition_of

__all__ = ["events_of", "events_of_status"]

Json = Mapping[str, Any]

_FIELDS_BYTES: Final = 256
_MANAGER_BYTES: Final = 128
_WORDS_BYTES: Final = 512
"""What the words of others may take of a note, so that its own still fit."""
_UNDONE: Final = frozenset({Result.REPORTED, Result.FAILED, Result.HELD})


def events_of(namespace: str, news: Iterable[StepResult], live: Mapping[str, LivePolicy]) -> Iterator[Event]:
    """Tell the news of one namespace, each on its policy, be that gone; `live` are the policies there are now."""
    for done in news:
        regarding = _policy(namespace, done, live)
        if done.step.why.is_drift and done.result is Result.DONE:
            yield _event("Normal", "DriftCorrected", done, _corrected(done), regarding)
        elif done.step.why.is_drift and done.result in _UNDONE and done.fight is None:
            yield _event("Warning", "DriftDetected", done, _detected(done), regarding)
        elif done.step.why is Why.TAKEN_OVER and done.result is Result.DONE:
            yield _event("Normal", "TookOver", done, _taken_over(done), regarding)
        elif done.step.why is Why.UNMANAGED and done.result is Result.DONE:
            yield _event("Normal", "UnmanagedRemoved", done, _removed(done), regarding)
        if done.fight is not None:
            yield Event(
                kind="Warning",
                reason="Fight",
                action="BackOff",
                note=_fought(done, done.fight.manager),
                regarding=regarding,
            )


def events_of_status(isolation: Isolation, before: Json, after: Json) -> Iterator[Event]:
    """Tell on an isolation what turned from one status of it to the next; what is as it was yields nothing."""
    of = Regarding(api_version=API_VERSION, kind=KIND, namespace=None, name=isolation.name, uid=isolation.uid)
    was, now = condition_of(before, "Accepted"), condition_of(after, "Accepted")
    if now and any(was.get(each) != now[each] for each in ("status", "reason", "message")):
        accepted = now["status"] == "True"
        yield Event(
            kind="Normal" if accepted else "Warning",
            reason="Accepted" if accepted else "NotAccepted",
            action="Validate",
            note=now["message"],
            regarding=of,
        )
    was, now = condition_of(before, "Ready"), condition_of(after, "Ready")
    turned = was.get("reason") != now.get("reason")
    renewed = was.get("observedGeneration") != now.get("observedGeneration")
    if now.get("reason") in FAILING and (turned or _problem(before) != _problem(after)):
        note = now["message"] + (_first_problem(after) if now["reason"] == "Failed" else "")
        yield Event(kind="Warning", reason="Failed", action="Isolate", note=note, regarding=of)
    if now.get("reason") == "Audit" and (turned or renewed):
        yield Event(kind="Normal", reason="Audited", action="Report", note=now["message"], regarding=of)
    if now.get("reason") == "InSync" and (turned or renewed):
        yield Event(kind="Normal", reason="Isolated", action="Isolate", note=now["message"], regarding=of)


def _event(kind: Severity, reason: str, done: StepResult, note: str, regarding: Regarding) -> Event:
    action = "Report" if done.result is Result.REPORTED else type(done.step).__name__
    return Event(kind=kind, reason=reason, action=action, note=note, regarding=regarding)


def _policy(namespace: str, done: StepResult, live: Mapping[str, LivePolicy]) -> Regarding:
    """Name the policy of a step; one that was made anew has the uid that it has now."""
    present = live.get(done.step.name) if isinstance(done.step, Create) else done.step.live
    return Regarding(
        api_version="networking.k8s.io/v1",
        kind="NetworkPolicy",
        namespace=namespace,
        name=done.step.name,
        uid=None if present is None else present.uid,
    )


def _corrected(done: StepResult) -> str:
    end = {Why.MODIFIED: "put back", Why.DELETED: "created anew", Why.EXTRA: "removed"}
    return f"{_drifted(done)} and has been {end[done.step.why]}."


def _detected(done: StepResult) -> str:
    if done.result is Result.REPORTED:
        return f"{_drifted(done)} and stays so: the isolation is in Audit."
    if done.failure is None:
        return f"{_drifted(done)} and stays so until what failed before it succeeds."
    words = plain(f"{done.failure.reason}: {done.failure.message}", _WORDS_BYTES)
    return f"{_drifted(done)}, which could not be put right: {words}"


def _drifted(done: StepResult) -> str:
    of = _named(done)
    match done.step.why:
        case Why.DELETED:
            return f"{of} was deleted"
        case Why.EXTRA:
            return f"{of} is not asked for by it{_evidence(done.drift)}"
        case _:
            return f"{of} was changed{_evidence(done.drift)}"


def _evidence(drift: Drift | None) -> str:
    """Tell fields and field manager; nothing where nobody looked."""
    if drift is None:
        return ""
    manager = f"field manager {plain(drift.manager, _MANAGER_BYTES)}"
    fields = plain(", ".join(drift.fields), _FIELDS_BYTES)
    return f" ({fields}; {manager})" if fields else f" ({manager})"


def _taken_over(done: StepResult) -> str:
    return f"{_named(done)} had been made by somebody else; the isolation took it over and replaced its spec."


def _removed(done: StepResult) -> str:
    return (
        f"NetworkPolicy {done.step.name} allowed what NamespaceIsolation {done.step.isolation} denies by default, and "
        "has been removed, as its unmanagedPolicies asks."
    )


def _fought(done: StepResult, opponent: str) -> str:
    who = "an unknown field manager" if opponent == UNKNOWN else plain(opponent, _MANAGER_BYTES)
    return (
        f"{_named(done)} is changed back by {who} as often as it is repaired; repairs of it wait longer each time, "
        "up to 5 minutes."
    )


def _named(done: StepResult) -> str:
    return f"NetworkPolicy {done.step.name} of NamespaceIsolation {done.step.isolation}"


def _problem(status: Json) -> object:
    """Tell where and for what reason the first problem is."""
    problems = status.get("problems")
    return (problems[0]["namespace"], problems[0]["reason"]) if problems else None


def _first_problem(status: Json) -> str:
    problems = status.get("problems")
    if not problems:
        return ""
    first = problems[0]
    return f" {first['namespace']}: {first['reason']}: {plain(first['message'], _WORDS_BYTES)}"

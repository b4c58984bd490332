"""Minutes of random disturbance, with the operator killed now and then, end in exactly what was asked for.

`make soak` runs it; a seed that fails is run again with `make soak SOAK_ARGS=--soak-seed=N`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from tests.support import soak_specs as specs
from tests.support.cluster import Cluster
from tests.support.history import ISOLATIONS, NAMESPACES, POLICIES, Entry, History, Key, recorded
from tests.support.operator import OPERATOR_USER, Operator
from tests.support.soak_actor import Actor, isolation_body
from tests.support.soak_end import deviations, miscounts, unsettled
from tests.support.soak_findings import Replay
from tests.support.soak_plan import Plan, make_plan
from tests.support.soak_replay import replayed
from tests.support.stage import Admin

pytestmark = [pytest.mark.soak, pytest.mark.sandbox_only, pytest.mark.controller_manager]

_REST_WITHIN = 120.0
_DEBOUNCE = 3.0
"""Seconds after which a status that is due has been written: one a second at most."""
_TOLD_EVERY = 10.0
_SLOW = 1.0


def _tell(text: str) -> None:
    sys.stdout.write(f"soak: {text}\n")
    sys.stdout.flush()


def _is_ours(key: Key) -> bool:
    return (key[0] or key[1]).startswith(specs.PREFIX) or (not key[0] and key[1] in specs.ISOLATIONS)


@contextlib.contextmanager
def _told_on_failure(plan: Plan, actor: Actor, operator: Operator, history: History, place: Path) -> Iterator[None]:
    """Let whoever sees a failure see also what led to it, and how to have it again."""
    try:
        yield
    except BaseException:
        _tell(f"FAILED with --soak-seed={plan.seed}; the last actions:")
        for line in actor.last:
            _tell(f"  {line}")
        _tell(f"the operator's log, all actions and the history are in {place}")
        raise
    finally:
        (place / "operator.log").write_text("\n".join(line.text for line in operator.lines))
        (place / "actions.txt").write_text("\n".join(str(action) for action in plan.actions))
        (place / "history.jsonl").write_text("\n".join(_line(entry) for entry in history.entries()))


def _line(entry: Entry) -> str:
    return json.dumps([entry.version, round(entry.heard, 3), entry.kind, "/".join(entry.key), entry.document])


def _progress(history: History, plan: Plan, seconds: float) -> Callable[[float], None]:
    """Tell now and then how far it is."""
    next_at = 0.0

    def tell(elapsed: float) -> None:
        nonlocal next_at
        if elapsed >= next_at:
            next_at = elapsed + _TOLD_EVERY
            counts = ", ".join(f"{len(history.now[each])} {each}" for each in (NAMESPACES, ISOLATIONS, POLICIES))
            _tell(f"{elapsed:5.0f} of {seconds:.0f} s, seed {plan.seed}: {counts}")

    return tell


async def _begin(admin: Admin, operator: Operator, history: History, plan: Plan) -> None:
    """Make what is there at the start, and wait until it is in place."""
    operator.start()
    await operator.ready()
    for name, labels in plan.namespaces.items():
        await admin.create(NAMESPACES_PATH, {"metadata": {"name": name, "labels": labels}})
    for name, spec in plan.isolations.items():
        await admin.create(ISOLATIONS_PATH, isolation_body(name, spec))
    await _come_to_rest(admin, history)


async def _come_to_rest(admin: Admin, history: History) -> None:
    """Wait until every resource says that it is done, everything is as it should be, and the last status is written."""

    def is_settled() -> bool:
        return not unsettled(history) and not deviations(history)

    def told() -> str:
        return "\n".join(["at rest; there still is", *unsettled(history), *deviations(history)])

    async with asyncio.timeout(2 * _REST_WITHIN):
        await history.caught_up(admin)
        heard = -1
        while heard != len(history):
            await history.until(is_settled, within=_REST_WITHIN, what=told)
            heard = len(history)
            await _silence(history, _DEBOUNCE)


async def _silence(history: History, seconds: float) -> None:
    """Return after so much time without a change, or at the first change."""
    before = len(history)
    with contextlib.suppress(TimeoutError):
        # Silence can be awaited by the clock only.
        async with asyncio.timeout(seconds):
            await history.until(lambda: len(history) > before, within=seconds + 1, what="a change")


async def _listen(history: History, cluster: Cluster, seconds: float) -> list[str]:
    """Give every write of the operator, and every other change, in a time in which nobody does anything."""
    since, position = len(history), cluster.audit_position()
    await _silence(history, seconds)
    heard = [f"{entry.kind} {entry.collection} {'/'.join(entry.key)}" for entry in history.heard(since)]
    written = [
        f"{event['verb']} {event['objectRef']['resource']} {event['objectRef'].get('name')}"
        for event in cluster.audited_writes(position, user=OPERATOR_USER)
        if event["objectRef"]["resource"] not in {"events", "leases"}  # both may come long after, or always
    ]
    return [*heard, *written]


async def _end(admin: Admin, history: History) -> None:
    """Delete every isolation; none may be held up, and nothing may be left that is owned by one."""
    for _, name in list(history.now[ISOLATIONS]):
        await admin.delete(isolation_path(name))
    await history.until(lambda: not history.now[ISOLATIONS], within=_REST_WITHIN, what="every isolation gone")
    await history.caught_up(admin)
    owned = [
        key
        for key, document in history.now[POLICIES].items()
        for owner in document["metadata"].get("ownerReferences") or ()
        if owner["kind"] == "NamespaceIsolation"
    ]
    assert owned == []
    for _, name in list(history.now[NAMESPACES]):
        await admin.delete(f"{NAMESPACES_PATH}/{name}")


def _summary(plan: Plan, actor: Actor, replay: Replay, history: History) -> Iterator[str]:
    """Tell what happened, in numbers."""
    ledger = actor.ledger
    yield f"seed {plan.seed}: {sum(ledger.done.values())} actions, {sum(ledger.missed.values())} of them in vain"
    yield "done: " + ", ".join(f"{count} x {verb}" for verb, count in ledger.done.most_common())
    yield f"{len(history)} events, {replay.writes} writes of policies by the operator"
    yield "held against the rules: " + ", ".join(f"{count} x {what}" for what, count in replay.checked.most_common())
    surely = [each for each in replay.corrections if each.doubt is None]
    times = [each.seconds for each in surely]
    if times:
        median, longest = statistics.median(times) * 1000, max(times) * 1000
        yield f"{len(times)} drifts corrected beyond doubt, after {median:.0f} ms (median), {longest:.0f} ms (longest)"
    for each in (each for each in surely if each.seconds > _SLOW):
        yield f"slow: {'/'.join(each.key)} was corrected at {each.heard:.3f}, after {each.seconds:.1f} s"
    for doubt, count in replay.doubts().most_common():
        yield f"{count} corrections that may not have been counted: {doubt}"
    for (_, name), document in sorted(history.now[ISOLATIONS].items()):
        seen, perhaps = replay.counted(document["metadata"]["uid"])
        yield f"{name}: tells {document['status']['drift']['corrected']} corrected, seen {seen} and perhaps {perhaps}"


async def test_everything_ends_as_it_was_asked_for(
    admin: Admin,
    operator: Operator,
    cluster: Cluster,
    seed: int,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Policies, statuses and counters are exact, nothing forbidden was done on the way, and then it is quiet."""
    seconds, quiet = request.config.getoption("--soak-seconds"), request.config.getoption("--soak-quiet")
    plan = make_plan(seed, seconds)
    _tell(f"{len(plan.actions)} actions in {seconds:.0f} s; the same again: --soak-seed={seed}")
    async with recorded(admin, keep=_is_ours) as history:
        actor = Actor(admin, operator, history)
        with _told_on_failure(plan, actor, operator, history, tmp_path):
            await _begin(admin, operator, history, plan)
            await actor.act(plan.actions, progress=_progress(history, plan, seconds))
            stopped = time.monotonic()
            await _come_to_rest(admin, history)
            _tell(f"at rest {time.monotonic() - stopped:.1f} s after the last action; listening for {quiet:.0f} s")
            assert await _listen(history, cluster, quiet) == []
            replay = replayed(history, actor.ledger)
            for line in _summary(plan, actor, replay, history):
                _tell(line)
            wrong = [*replay.violations, *miscounts(history, replay, operator.lines)]
            assert not wrong, "\n".join(wrong)
            await _end(admin, history)

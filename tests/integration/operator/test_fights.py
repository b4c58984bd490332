"""Fights: who changes a policy back again and again is named, and slows down nobody but the repairs of that policy."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from statistics import median

import pytest

from namespace_isolation.observe.served_policy import policies_path
from tests.support.history import History, recorded
from tests.support.operator import Operator
from tests.support.stage import EDITOR, Stage, condition, standard, suppress_missing
from tests.support.watching import DEADLINE, Json, watching

pytestmark = pytest.mark.usefixtures("operator")

_ROUNDS = 5
_SCRAPE: Json = {
    "name": "prometheus",
    "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "prometheus"}}}],
    "ports": [{"port": 9090}],
}


def _reached(name: str, written: Json) -> Callable[[Mapping[str, Json]], bool]:
    """Whether a watch has come to a write, or is past the end of what was written."""
    version = int(written["metadata"]["resourceVersion"])
    return lambda state: name not in state or int(state[name]["metadata"]["resourceVersion"]) >= version


@asynccontextmanager
async def _editing(stage: Stage, namespace: str, name: str) -> AsyncIterator[None]:
    """Open the egress of a policy as often as it is closed, while the context lasts."""

    async def edit() -> None:
        async with stage.policies(namespace) as watch:
            while True:
                await watch.until(
                    lambda state: name in state and not state[name]["spec"].get("egress"), within=60, what="a repair"
                )
                with suppress_missing():  # it may have gone meanwhile
                    opened = await stage.patch_policy(namespace, name, {"spec": {"egress": [{}]}})
                    await watch.until(_reached(name, opened), what="the own edit")

    editor = asyncio.create_task(edit())
    try:
        yield
        assert not editor.done(), editor.exception()
    finally:
        editor.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await editor


@asynccontextmanager
async def _heard(stage: Stage) -> AsyncIterator[History]:
    async with recorded(stage.admin, keep=lambda key: key[0].startswith(stage.name)) as history:
        yield history


def _repairs(history: History, namespace: str, name: str) -> list[float]:
    """Tell when a policy was closed again (seconds, monotonic)."""
    return [
        entry.heard
        for entry in history.entries()
        if entry.key == (namespace, name) and entry.kind == "MODIFIED" and not entry.document["spec"].get("egress")
    ]


async def _until_repairs(history: History, namespace: str, name: str, count: int, *, within: float) -> None:
    await history.until(
        lambda: len(_repairs(history, namespace, name)) >= count, within=within, what=f"{count} repairs of {name}"
    )


async def _fought(stage: Stage, isolation: str) -> Json:
    return await stage.until_status(
        isolation, lambda now: condition(now, "Ready").get("reason") == "Fight", what="a fight"
    )


async def _latencies(stage: Stage, namespaces: Iterable[str], names: Iterable[str]) -> list[float]:
    """Delete policies one after the other, and tell how many seconds each took to be back."""
    names, taken = list(names), []
    async with watching(
        stage.admin,
        policies_path(),
        keep=lambda each: each["metadata"]["namespace"].startswith(stage.name),
        key=lambda each: f"{each['metadata']['namespace']}/{each['metadata']['name']}",
    ) as watch:
        for namespace in namespaces:
            for name in names:
                key, start = f"{namespace}/{name}", time.monotonic()
                uid = watch.state[key]["metadata"]["uid"]
                await stage.admin.delete(policies_path(namespace, name))
                await watch.until(
                    lambda state, key=key, uid=uid: key in state and state[key]["metadata"]["uid"] != uid,  # type: ignore[misc]
                    what=f"{key} back",
                )
                taken.append(time.monotonic() - start)
    return taken


async def test_who_edits_in_a_loop_is_recognised_named_and_left_to_wait(stage: Stage) -> None:
    """At the fifth round status and condition say who and where; then the repairs pause for 1, 2 and 4 seconds."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    name = f"{isolation}.default-deny-all"
    async with _heard(stage) as history:
        async with _editing(stage, namespace, name):
            await _until_repairs(history, namespace, name, 1, within=DEADLINE)
            status = await _fought(stage, isolation)
            (problem,) = status["problems"]
            assert (problem["namespace"], problem["reason"]) == (namespace, "Fight")
            for word in (name, namespace, EDITOR, "--show-managed-fields"):
                assert word in problem["message"]
            ready = condition(status, "Ready")
            assert ready["status"] == "False"
            for word in (name, namespace, EDITOR):
                assert word in ready["message"]
            assert condition(status, "Reconciling")["reason"] == "Retrying"
            assert (status["namespaces"]["failed"], status["drift"]["outstanding"]) == (1, 1)
            await _until_repairs(history, namespace, name, _ROUNDS + 3, within=20)
            # Nobody tells when a pause of 8 s is under way but the round before it.
            await stage.until_status(isolation, lambda now: "wait 8 s" in now["problems"][0]["message"])
        pauses = [later - earlier for earlier, later in pairwise(_repairs(history, namespace, name))]
        print("pauses between repairs:", [round(each, 2) for each in pauses])  # noqa: T201 - shown where it fails, and with -s
        assert all(each < 1.0 for each in pauses[: _ROUNDS - 1])
        for pause, least in zip(pauses[_ROUNDS - 1 :], (1.0, 2.0, 4.0), strict=True):
            assert least * 0.95 <= pause < least + 1.5
        # Who edited has stopped: the next repair comes when it is due, and the counter holds every one.
        await _until_repairs(history, namespace, name, _ROUNDS + 4, within=12)
        await stage.until_exact(namespace, isolation)
        status = await stage.until_status(isolation, lambda now: now["drift"]["outstanding"] == 0)
        assert status["drift"]["corrected"] == _ROUNDS + 4
        assert condition(status, "Ready")["reason"] == "Fight"


async def test_a_fight_slows_down_nobody_else(stage: Stage, operator: Operator) -> None:
    """20 repairs elsewhere take as long as without it, and so does another policy of the same namespace."""
    fought = await stage.namespace("fought")
    others = [await stage.namespace(f"other-{index}") for index in range(10)]
    isolation = await stage.isolation({"namespaces": {"names": [fought, *others]}})
    await stage.converged(isolation, matched=11)
    names = sorted(standard(isolation))
    without = await _latencies(stage, others, names)
    async with _editing(stage, fought, f"{isolation}.default-deny-all"):
        await _fought(stage, isolation)
        beside = await _latencies(stage, [fought], [f"{isolation}.allow-dns-egress"])
        during = await _latencies(stage, others, names)
        assert condition(await stage.status(isolation), "Ready")["reason"] == "Fight"
    shown = {key: f"{median(each):.3f} s" for key, each in (("without", without), ("with", during), ("beside", beside))}
    print("median time of a repair:", shown)  # noqa: T201 - shown where it fails, and with -s
    assert (len(without), len(during)) == (20, 20)
    assert median(during) < max(0.25, 3 * median(without))
    assert beside[0] < max(1.0, 3 * max(without))
    waits = [
        line for line in operator.lines if "policy kept until" in line.event and line.fields["namespace"] == fought
    ]
    assert waits == []


async def test_edits_and_the_end_of_the_resource_do_not_wait(stage: Stage) -> None:
    """In the middle of a fight a new entry, another denial and a deletion are carried out at once."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    name = f"{isolation}.default-deny-all"
    async with _heard(stage) as history, _editing(stage, namespace, name), stage.policies(namespace) as watch:
        await _until_repairs(history, namespace, name, _ROUNDS + 3, within=30)  # the next is due in 8 s
        since = len(watch.events)
        await stage.edit(isolation, {"allow": [_SCRAPE]})
        entry = f"{isolation}.allow-prometheus-ingress"
        await watch.event(lambda event: (event.kind, event.name) == ("ADDED", entry), since=since, within=3)
        await stage.edit(isolation, {"defaultDeny": ["Egress"], "allow": []})
        wanted = {f"{isolation}.default-deny-egress", f"{isolation}.allow-dns-egress"}
        await watch.until(lambda state: state.keys() == wanted, within=3, what="the other denial, and no entry")
        assert len(_repairs(history, namespace, name)) == _ROUNDS + 3
    await stage.converged(isolation)


async def test_a_fought_isolation_is_deleted_at_once(stage: Stage) -> None:
    """The resource and its policies go, the one that is fought over as well."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    name = f"{isolation}.default-deny-all"
    async with _heard(stage) as history, _editing(stage, namespace, name):
        await _until_repairs(history, namespace, name, _ROUNDS + 3, within=30)
        start = time.monotonic()
        await stage.delete_isolation(isolation)
        assert time.monotonic() - start < 4
        assert await stage.policies_in(namespace) == {}


async def test_it_is_over_when_nobody_changes_anything_for_a_minute(stage: Stage) -> None:
    """After five edits by hand the condition stays a fight for 60 s beyond the pause, and then all is well."""
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation)
    name = f"{isolation}.default-deny-all"
    for _ in range(_ROUNDS):
        await stage.patch_policy(namespace, name, {"spec": {"egress": [{}]}})
        await stage.until_exact(namespace, isolation)
    status = await _fought(stage, isolation)
    assert (status["drift"]["corrected"], status["drift"]["outstanding"]) == (_ROUNDS, 0)
    start = time.monotonic()
    status = await stage.converged(isolation, within=75)
    assert time.monotonic() - start > 55
    assert (status["problems"], status["drift"]["corrected"]) == ([], _ROUNDS)

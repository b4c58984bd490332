"""What the log of a running operator says: a line for what people want to know, and none for what is in order."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.operator import Line, Operator
from tests.support.stage import EDITOR, Stage, standard


def _told(operator: Operator, since: int, isolation: str) -> list[Line]:
    """Give the lines about one isolation."""

    def concerned(line: Line) -> object:
        several = line.fields.get("isolations")
        return isolation in several if isinstance(several, list) else line.fields.get("isolation") == isolation

    return [line for line in operator.lines[since:] if concerned(line)]


def _facts(line: Line, *names: str) -> dict[str, Any]:
    return {name: line.fields[name] for name in names}


async def test_the_life_of_an_isolation_is_a_handful_of_lines(stage: Stage, operator: Operator) -> None:
    """It came, was ready, was edited, was ready again, was repaired, went; each with how long that took."""
    since = operator.mark()
    namespace = await stage.namespace()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await operator.logged("isolation ready", since=since, isolation=isolation)
    middle = operator.mark()
    await stage.edit(isolation, {"allow": [{"name": "x", "to": [{"podSelector": {}}]}]})
    await operator.logged("isolation ready", since=middle, isolation=isolation)
    await stage.patch_policy(namespace, f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
    await operator.logged("drift corrected", since=middle, isolation=isolation)
    await stage.delete_isolation(isolation)
    await operator.logged("isolation gone", since=middle, isolation=isolation)

    lines = _told(operator, since, isolation)
    assert [line.event for line in lines] == [
        "isolation came",
        "policies written",
        "isolation ready",
        "isolation edited",
        "policies written",
        "isolation ready",
        "drift corrected",
        "isolation is being deleted",
        "policies written",
        "isolation gone",
    ]
    assert all(line.level == "info" for line in lines)
    assert _facts(lines[0], "mode", "generation") == {"mode": "Enforce", "generation": 1}
    assert _facts(lines[1], "namespace", "created") == {"namespace": namespace, "created": 2}
    assert _facts(lines[2], "reason", "namespaces", "policies") == {"reason": "InSync", "namespaces": 1, "policies": 2}
    assert _facts(lines[6], "namespace", "policy", "action", "why", "fields", "manager") == {
        "namespace": namespace,
        "policy": f"{isolation}.default-deny-all",
        "action": "Update",
        "why": "Modified",
        "fields": ["spec.egress"],
        "manager": EDITOR,
    }
    for index in (1, 4, 6, 8):
        assert 0 < lines[index].fields["milliseconds"] < 60_000
    for index in (2, 5, 9):
        assert 0 < lines[index].fields["seconds"] < 60


async def test_a_converged_cluster_is_quiet(stage: Stage, stopped_operator: Operator) -> None:
    """A restart says what it found in one line, and a namespace in which nothing is to do says nothing."""
    namespaces = await asyncio.gather(*(stage.namespace(f"ns-{index}") for index in range(5)))
    stopped_operator.start()
    isolation = await stage.isolation({"namespaces": {"names": namespaces}})
    await stage.converged(isolation, matched=5, within=30)
    assert await stopped_operator.stop() == 0
    since = stopped_operator.mark()
    stopped_operator.start()
    await stopped_operator.ready()
    await stage.label(namespaces[0], nothing="of-interest")
    await stage.barrier()
    assert _told(stopped_operator, since, isolation) == []
    found = [line for line in stopped_operator.lines[since:] if line.event == "caches complete"]
    assert len(found) == 1
    assert found[0].fields["isolations"] >= 1
    assert stopped_operator.complaints(since) == []


async def test_what_fails_for_long_is_told_once(stage: Stage, operator: Operator) -> None:
    """With the API server's words; and once more when it is over."""
    namespace = await stage.namespace()
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    none = {"count/networkpolicies.networking.k8s.io": "0"}
    await stage.admin.create(quotas, {"metadata": {"name": "none"}, "spec": {"hard": none}})
    await stage.admin.patch(f"{quotas}/none/status", {"status": {"hard": none, "used": none}})
    since = operator.mark()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await operator.logged("isolation not ready", since=since, isolation=isolation, reason="Failed")
    for turn in ("one", "two", "three"):  # each of them wakes the namespace, which fails again
        await stage.label(namespace, turn=turn)
        await stage.barrier()
    failures = [line for line in _told(operator, since, isolation) if line.level == "warning"]
    refused = [line for line in failures if line.event == "policy not created"]
    assert {line.fields["policy"] for line in refused} <= standard(isolation)
    assert len(refused) == len({line.fields["policy"] for line in refused}) > 0
    assert all("quota" in line.fields["message"] for line in refused)
    await stage.admin.delete(f"{quotas}/none")
    line = await operator.logged("isolation ready", since=since, isolation=isolation)
    assert line.fields["seconds"] > 0

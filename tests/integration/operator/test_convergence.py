"""How long the first convergence takes, against a plain client that writes the same policies as fast as it can."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from namespace_isolation.sandbox import Sandbox
from tests.support.cluster import Cluster, sandbox_cluster
from tests.support.operator import OPERATOR_USER, Operator, install, operator_kubeconfig
from tests.support.stage import Admin, Stage, admin_of
from tests.support.watching import Json

_NAMESPACES = 1000
_IN_FLIGHT = 32
_ROUNDS = 5
_LIMIT = 2.0
_SERVED = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "namespace"}


@pytest.mark.sandbox_only
@pytest.mark.timeout(180)
async def test_the_first_convergence_takes_at_most_twice_a_plain_clients_time(
    stopped_operator: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1,000 namespaces with 4 policies each; both times are from the audit log: first request to last answer.

    Both times of a round are taken on the same machine right after one another, and whatever else it does meanwhile
    disturbs either: the best round counts, and more are run, up to five, where none was good enough.
    """
    ours: list[float] = []
    theirs: list[float] = []
    while not ours or (_ratio(ours, theirs) > _LIMIT and len(ours) < _ROUNDS):
        # A control plane for each round: policies that are there already would slow down the next one.
        with Sandbox.start(audit=True) as sandbox:
            one, other = await _round(sandbox_cluster(sandbox), tmp_path / f"kubeconfig-{len(ours)}")
        ours.append(one)
        theirs.append(other)
    with capsys.disabled():
        print(  # noqa: T201 - the numbers are what this test is for
            f"\nfirst convergence of {_NAMESPACES} namespaces with 4 policies each: operator {_told(ours)}, "
            f"plain client with {_IN_FLIGHT} requests in flight {_told(theirs)}, ratio {_ratio(ours, theirs):.2f}"
        )
    assert _ratio(ours, theirs) <= _LIMIT


async def _round(cluster: Cluster, kubeconfig: Path) -> tuple[float, float]:
    """Measure the operator, then the plain client in as many other namespaces with the same bodies; in seconds."""
    await asyncio.to_thread(install, cluster)
    operator = Operator(operator_kubeconfig(cluster, kubeconfig))
    isolated = [f"isolated-{index}" for index in range(_NAMESPACES)]
    plain = [f"plain-{index}" for index in range(_NAMESPACES)]
    async with admin_of(cluster.kubeconfig) as admin:
        await _in_flight(
            [(NAMESPACES_PATH, {"metadata": {"name": name, "labels": _LABELS}}) for name in isolated]
            + [(NAMESPACES_PATH, {"metadata": {"name": name}}) for name in plain],
            admin,
        )
        operator.start()
        try:
            await operator.ready()
            since = cluster.audit_position()
            stage = Stage(admin)
            isolation = await stage.isolation({"namespaces": {"selector": {"matchLabels": _LABELS}}, "allow": [_FLOW]})
            status = await stage.converged(isolation, matched=_NAMESPACES, within=60)
            assert await operator.stop() == 0
        finally:
            operator.kill()
        assert status["policies"]["inPlace"] == 4 * _NAMESPACES
        asked = next(_creates(cluster, since, "namespaceisolations"))["requestReceivedTimestamp"]
        ours = _seconds(asked, list(_creates(cluster, since, "networkpolicies", user=OPERATOR_USER)))

        bodies = [_bare(policy) for policy in (await stage.policies_in(isolated[0])).values()]
        since = cluster.audit_position()
        await _in_flight([(policies_path(name), body) for name in plain for body in bodies], admin)
        creates = list(_creates(cluster, since, "networkpolicies"))
        return ours, _seconds(creates[0]["requestReceivedTimestamp"], creates)


_LABELS = {"isolated": "yes"}
_FLOW: Json = {
    "name": "web-to-api",
    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
    "to": [{"podSelector": {"matchLabels": {"app": "api"}}}],
    "ports": [{"port": 8080}],
}


async def _in_flight(requests: list[tuple[str, Json]], admin: Admin) -> None:
    """Send POST requests with as many in flight as the operator has."""
    rest = iter(requests)

    async def send() -> None:
        for path, body in rest:
            await admin.create(path, body)

    await asyncio.gather(*(send() for _ in range(_IN_FLIGHT)))


def _creates(cluster: Cluster, since: int, resource: str, *, user: str | None = None) -> Iterator[dict[str, Any]]:
    for event in cluster.audited_writes(since, user=user):
        if event["verb"] == "create" and event["objectRef"]["resource"] == resource:
            assert event["responseStatus"]["code"] == 201, event
            yield event


def _seconds(begin: str, creates: list[dict[str, Any]]) -> float:
    """Measure from a moment to the last answer of 4,000 creates."""
    assert len(creates) == 4 * _NAMESPACES
    end = max(event["stageTimestamp"] for event in creates)
    return (_moment(end) - _moment(begin)).total_seconds()


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return min(one / other for one, other in zip(ours, theirs, strict=True))


def _told(times: list[float]) -> str:
    return f"{min(times):.2f} s (rounds: {', '.join(f'{time:.2f}' for time in times)})"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _bare(policy: Json) -> Json:
    """Take what a client would send to create the same policy."""
    metadata = {key: value for key, value in policy["metadata"].items() if key not in _SERVED}
    return {"metadata": metadata, "spec": policy["spec"]}

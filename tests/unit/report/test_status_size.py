"""The status stays small enough for etcd, watches and people, whatever goes wrong in however many namespaces."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from namespace_isolation.model import limits
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import Drift, Update, Why
from namespace_isolation.model.resource_status import IsolationStatus
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.report.drift_log import DriftLog
from namespace_isolation.report.standing import Pending, Standing
from namespace_isolation.report.status import status_of
from tests.support.objects import isolation, live_from, policy

Json = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 10_000
BOUND = 32 * 1024
"""Bytes that are promised; the watch of a thousand such resources is still 32 MiB."""

_NAME = "n" * (limits.NAME_LENGTH - 6)
_NAMESPACES = [f"{_NAME}-{index:05}" for index in range(MANY)]
_POLICY = "p" * limits.OBJECT_NAME_LENGTH
_CHARACTERS = {"one byte": "x", "two bytes": "é", "four bytes": "🦉", "quoted": '"', "control": "\x01"}


def _size(status: Json) -> int:
    """Count the bytes of a status as the client sends it, or as etcd holds it, whichever is more."""
    sent = json.dumps(status, separators=(",", ":"))
    held = json.dumps(status, separators=(",", ":"), ensure_ascii=False)
    return max(len(sent.encode()), len(held.encode()))


def _team(message: str, *, accepted: bool, mode: str) -> Isolation:
    faults = (Fault(path="spec." + message, message=message),) * 20
    read = isolation("i" * limits.NAME_LENGTH, mode=mode)
    return Isolation(
        name=read.name,
        uid=read.uid,
        generation=2**62,
        resource_version=1,
        spec=read.spec if accepted else None,
        faults=() if accepted else faults,
        notices=faults,
        deleting=False,
        retain=False,
        finalizers=(),
    )


def _standing(team: Isolation, namespace: str, message: str) -> Standing:
    """Put everything into one namespace that one can name."""
    fight = Fight(namespace=namespace, policy=_POLICY, isolation=team.name, rounds=2**31, pause=300.0, manager=message)
    unmanaged = Unmanaged(
        namespace=namespace,
        policy=_POLICY,
        widens=("Ingress", "Egress"),
        wide_open=("Ingress", "Egress"),
        kept="k" * 200,  # a sentence of ours
    )
    return Standing(
        generation=team.generation,
        desired=2**31,
        in_place=0,
        undone=2**31,
        outstanding=2**31,
        failures=(Failure(reason=message, message=message),) * limits.RECENT,
        fights=(fight,) * limits.RECENT,
        pending=Pending(
            create=2**31, update=2**31, delete=2**31, first=(("Create", _POLICY, Why.UNMANAGED),) * limits.RECENT
        ),
        unmanaged=(unmanaged,) * limits.RECENT,
        unmanaged_count=limits.RECENT,
    )


def _drift(manager: str, fields: tuple[str, ...]) -> DriftLog:
    """Correct 25 drifts."""
    log = DriftLog({})
    wanted = policy("team.default-deny-all")
    for namespace in _NAMESPACES[:25]:
        step = Update(policy=wanted, live=live_from(wanted), why=Why.MODIFIED)
        evidence = Drift(fields=fields, manager=manager, changed="2026-01-01T00:00:00Z")
        log.add(namespace, StepResult(step=step, result=Result.DONE, drift=evidence), NOW)
    return log


@pytest.mark.parametrize("mode", ["Enforce", "Audit"])
@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
@pytest.mark.parametrize("character", _CHARACTERS.values(), ids=_CHARACTERS.keys())
def test_ten_thousand_failing_namespaces_fit(character: str, mode: str, *, accepted: bool) -> None:
    """With the longest of everything, counts are exact, the schema holds, and 32 KiB are not exceeded."""
    message = character * 10_000
    team = _team(message, accepted=accepted, mode=mode)
    status = status_of(
        team,
        members=frozenset(_NAMESPACES),
        standings={namespace: _standing(team, namespace, message) for namespace in _NAMESPACES},
        drift=_drift(message, tuple(f"metadata.labels[{index}{message}]" for index in range(100))),
        previous={},
        now=NOW,
    )
    assert _size(status) <= BOUND
    IsolationStatus.model_validate(status)
    assert status["namespaces"]["matched"] == status["namespaces"]["failed"] == MANY
    assert status["drift"]["corrected"] == 25
    assert status["unmanaged"]["count"] == MANY * limits.RECENT
    assert len(status["conditions"]) == 4


def test_what_is_ordinary_is_not_cut() -> None:
    """Twenty problems, drifts and unmanaged policies of the usual length are all told."""
    team = isolation(generation=1, mode="Audit")
    words = "networkpolicies.networking.k8s.io is forbidden: exceeded quota: none, used: 0, limited: 0"
    drift = _drift("kubectl-edit", ("spec.egress", "metadata.labels[nsiso.dev/isolation]"))
    standings = {}
    for name in (f"payments-eu-{index:05}" for index in range(MANY)):
        found = Unmanaged(namespace=name, policy="allow-all", widens=("Ingress",), wide_open=("Ingress",))
        standings[name] = Standing(
            generation=1,
            desired=4,
            undone=1,
            failures=(Failure(reason="Forbidden", message=words),),
            pending=Pending(create=4, update=0, delete=0, first=(("Create", "team.default-deny-all", Why.WANTED),)),
            unmanaged=(found,),
            unmanaged_count=1,
        )
    status = status_of(team, members=frozenset(standings), standings=standings, drift=drift, previous={}, now=NOW)
    assert _size(status) <= BOUND
    assert [problem["message"] for problem in status["problems"]] == [words] * limits.RECENT
    lists = status["unmanaged"]["recent"], status["audit"]["first"], status["drift"]["recent"]
    assert [len(each) for each in lists] == [limits.RECENT] * 3
    assert [problem["namespace"] for problem in status["problems"]] == sorted(standings)[: limits.RECENT]

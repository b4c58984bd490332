"""The standings of one isolation added up."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.report.standing import Pending, Standing
from namespace_isolation.report.tally import tally_of
from tests.support.objects import audited, frozen, isolation

TEAM = isolation(generation=3)
GOOD = Standing(generation=3, desired=4, in_place=4)
BAD = replace(GOOD, in_place=3, undone=1, outstanding=1)
PENDING = Pending(create=2, update=1, delete=3, first=())
AUDITED = replace(GOOD, in_place=1, outstanding=1, pending=PENDING)
OLD = replace(GOOD, generation=2)
NOTHING = {
    "matched": 0,
    "looked_at": 0,
    "in_sync": 0,
    "drifted": 0,
    "failed": 0,
    "desired": 0,
    "in_place": 0,
    "outstanding": 0,
    "audits": False,
    "create": 0,
    "update": 0,
    "delete": 0,
    "unmanaged": 0,
    "fight": None,
}


def _fight(namespace: str, policy: str) -> Fight:
    return Fight(namespace=namespace, policy=policy, isolation="team", rounds=5, pause=1.0, manager="argocd")


FOUGHT = replace(GOOD, fights=(_fight("b", "y"), _fight("b", "x")))

# sentence: the standings by namespace, of which a and b are selected, and the numbers beside those that are zero
_TABLE: dict[str, tuple[dict[str, Standing], dict[str, object]]] = {
    "nothing was looked at": ({}, {}),
    "one of two is in place": ({"a": GOOD}, {"looked_at": 1, "in_sync": 1, "desired": 4, "in_place": 4}),
    "one fails and drifts": (
        {"a": GOOD, "b": BAD},
        {
            "looked_at": 2,
            "in_sync": 1,
            "failed": 1,
            "drifted": 1,
            "outstanding": 1,
            "desired": 8,
            "in_place": 7,
        },
    ),
    "what was looked at in an older generation does not count": ({"a": OLD}, {}),
    "what failed in an older generation still fails": (
        {"a": replace(BAD, generation=2)},
        {"failed": 1, "drifted": 1, "outstanding": 1},
    ),
    "what is left in a namespace that is no longer selected fails": (
        {"left": BAD},
        {"failed": 1, "drifted": 1, "outstanding": 1},
    ),
    "what Audit would do is added up": (
        {"a": AUDITED, "b": AUDITED},
        {
            "looked_at": 2,
            "drifted": 2,
            "outstanding": 2,
            "desired": 8,
            "in_place": 2,
            "create": 4,
            "update": 2,
            "delete": 6,
        },
    ),
    "policies of others are counted beyond those that are named": (
        {"a": replace(GOOD, unmanaged_count=100)},
        {"looked_at": 1, "in_sync": 1, "desired": 4, "in_place": 4, "unmanaged": 100},
    ),
    "of several fights the first is told": (
        {"b": FOUGHT, "a": replace(FOUGHT, fights=(_fight("a", "z"),))},
        {"looked_at": 2, "failed": 2, "desired": 8, "in_place": 8, "fight": _fight("a", "z")},
    ),
}


@pytest.mark.parametrize(("standings", "numbers"), _TABLE.values(), ids=_TABLE.keys())
def test_standings_add_up(standings: dict[str, Standing], numbers: dict[str, Any]) -> None:
    """Each sentence of the table holds."""
    counted = tally_of(TEAM, frozenset("ab"), standings)
    fight = numbers.pop("fight", None)
    found = {**asdict(counted), "fight": counted.fight}
    assert found == {**NOTHING, "matched": 2, **numbers, "fight": fight}


@pytest.mark.parametrize(
    ("found", "audits"),
    [(TEAM, False), (audited(), True), (frozen(), False), (audited(deleting=True), False)],
    ids=["Enforce", "Audit", "not accepted", "Audit, but leaving"],
)
def test_only_an_isolation_in_audit_audits(found: Isolation, *, audits: bool) -> None:
    """One that leaves does what it does."""
    assert tally_of(found, frozenset(), {}).audits is audits

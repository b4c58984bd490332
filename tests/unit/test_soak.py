"""The soak test's own parts: its choice is repeatable, and its judge sees what it is there to see."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.history import ISOLATIONS, NAMESPACES, POLICIES, Entry, History, Key
from tests.support.objects import NAMESPACE, isolation, isolation_document, namespace_document, stored, view
from tests.support.objects import desired_in as desired
from tests.support.soak_actor import Absence, Ledger
from tests.support.soak_end import deviations, miscounts
from tests.support.soak_findings import Replay
from tests.support.soak_plan import make_plan
from tests.support.soak_replay import replayed

Json = dict[str, Any]

_DENY = "team.default-deny-all"
_OPENED = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "egress": [{}]}


def test_a_seed_decides_every_action() -> None:
    """Twice the same, a longer run begins like a shorter one, and another seed does something else."""
    assert make_plan(7, 60) == make_plan(7, 60)
    early = [(each.at, each.verb, each.facts) for each in make_plan(7, 60).actions if each.at < 50]
    longer = [(each.at, each.verb, each.facts) for each in make_plan(7, 120).actions if each.at < 50]
    assert early == longer
    assert len(early) > 100
    assert make_plan(8, 60).actions != make_plan(7, 60).actions


class Story:
    """A namespace that is isolated since long ago, and what happens to it, each event ten seconds after the last."""

    def __init__(self, **spec: Any) -> None:  # noqa: ANN401 - any JSON
        """Begin with everything in place."""
        self.ledger = Ledger()
        self.document = isolation_document("team", {"namespaces": {"names": [NAMESPACE]}, **spec})
        enforced = desired(view(isolation("team")))
        policies = {(NAMESPACE, each.name): stored(each.manifest(NAMESPACE)) for each in enforced.values()}
        self.history = History(lambda _: True)
        self.history.now = {
            NAMESPACES: {("", NAMESPACE): namespace_document(labels={})},
            ISOLATIONS: {("", "team"): self.document},
            POLICIES: policies,
        }
        self.history.start = {collection: dict(now) for collection, now in self.history.now.items()}

    def deny(self, spec: Json | None = None) -> Json:
        """Give the denial as it was at the start, with another spec if there is one."""
        document = self.history.start[POLICIES][NAMESPACE, _DENY]
        return document if spec is None else {**document, "spec": spec}

    def happens(self, kind: str, document: Json, *, to: str = POLICIES, ours: bool = False, after: float = 10) -> Story:
        """Let something happen; `ours`: the actor did it, not the operator."""
        version = 100 + len(self.history)
        document = {**document, "metadata": {**document["metadata"], "resourceVersion": str(version)}}
        key: Key = (document["metadata"].get("namespace", ""), document["metadata"]["name"])
        heard = self.history._entries[-1].heard + after if len(self.history) else after
        before = self.history.now[to].pop(key, None)
        if kind != "DELETED":
            self.history.now[to][key] = document
        self.history._entries.append(
            Entry(
                version=version,
                heard=heard,
                collection=to,
                kind=kind,
                key=key,
                document=document,
                before=before,
            )
        )
        if ours:
            self.ledger.versions.add(version)
            if kind == "DELETED":
                self.ledger.deleted.add(document["metadata"]["uid"])
        return self

    def judged(self) -> Replay:
        """Judge it."""
        return replayed(self.history, self.ledger)


def test_what_the_actor_opens_and_the_operator_closes_is_a_correction() -> None:
    """Both for an edit and for a deletion, counted beyond doubt."""
    story = Story()
    story.happens("MODIFIED", story.deny(_OPENED), ours=True).happens("MODIFIED", story.deny(), after=0.01)
    story.happens("DELETED", story.deny(), ours=True).happens("ADDED", story.deny(), after=0.01)
    found = story.judged()
    assert found.violations == []
    assert found.counted("uid-of-team") == (2, 0)
    assert found.foreign_edits["uid-of-team"] == 2


@pytest.mark.parametrize(
    ("begin", "killed", "doubt"),
    [(19.5, True, "no operator"), (20.5, True, "within 2 s"), (20.5, False, None), (23.0, True, None)],
)
def test_what_a_kill_may_have_lost_is_in_doubt(begin: float, *, killed: bool, doubt: str | None) -> None:
    """A correction while the operator was away, or just before it was killed, need not be in its status."""
    story = Story()
    story.happens("MODIFIED", story.deny(_OPENED), ours=True).happens("MODIFIED", story.deny(), after=10)
    story.ledger.absences.append(Absence(begin=begin, killed=killed, end=begin + 2))
    (correction,) = story.judged().corrections
    assert (correction.doubt or "").find(doubt or "") >= 0
    assert (correction.doubt is None) is (doubt is None)


@pytest.mark.parametrize(("kind", "spec"), [("DELETED", None), ("MODIFIED", _OPENED)])
def test_an_operator_that_takes_a_denial_away_is_seen(kind: str, spec: Json | None) -> None:
    """Nobody edited anything: neither its deletion nor another spec is in order."""
    story = Story()
    story.happens(kind, story.deny(spec))
    (violation,) = story.judged().violations
    assert _DENY in violation
    assert deviations(story.history)


def test_an_operator_that_writes_in_audit_is_seen() -> None:
    """What is frozen stays as it is, changed or not."""
    story = Story(mode="Audit")
    story.happens("MODIFIED", story.deny(_OPENED), ours=True).happens("MODIFIED", story.deny())
    (violation,) = story.judged().violations
    assert "in Audit" in violation


def test_an_operator_that_removes_what_belongs_to_others_is_seen() -> None:
    """Nobody asked to remove what is not managed."""
    story = Story()
    foreign = stored({"metadata": {"name": "foreign", "namespace": NAMESPACE}, "spec": _OPENED})
    story.happens("ADDED", foreign, ours=True).happens("DELETED", foreign)
    (violation,) = story.judged().violations
    assert "somebody else" in violation


@pytest.mark.parametrize("told", [0, 2])
def test_a_counter_that_does_not_add_up_is_seen(told: int) -> None:
    """One correction beyond doubt is neither none nor two."""
    story = Story()
    story.happens("MODIFIED", story.deny(_OPENED), ours=True).happens("MODIFIED", story.deny(), after=0.01)
    story.history.now[ISOLATIONS]["", "team"] = {**story.document, "status": {"drift": {"corrected": told}}}
    assert miscounts(story.history, story.judged(), ())

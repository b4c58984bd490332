"""Goes through a whole history: who changed what, which drift was corrected, and what the operator must never do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from namespace_isolation.compare.identity import owner_of
from namespace_isolation.model.isolation import Stance
from namespace_isolation.model.policy import LivePolicy, Policy, Reach
from tests.support.history import ISOLATIONS, POLICIES, Entry, History, Key
from tests.support.soak_actor import Ledger
from tests.support.soak_findings import Correction, Replay
from tests.support.soak_world import Picture

__all__ = ["replayed"]

_LAG: Final = 5.0
"""Seconds that the operator may go on with what was asked before; milliseconds, where a machine is not overloaded."""
_AT_ONCE: Final = 1.0
"""Seconds within which a change of the resource and a change by hand may be handled as one."""
_UNSAVED: Final = 2.0
"""Seconds before a SIGKILL whose corrections may be missing from the status."""
_ALWAYS: Final = float("inf")


def replayed(history: History, ledger: Ledger) -> Replay:
    """Go through everything that happened."""
    walk = _Walk(history, ledger)
    for entry in history.entries():
        walk.take(entry)
    return walk.result


@dataclass(frozen=True, slots=True)
class _Edit:
    """Somebody's change of a policy that is to be corrected.

    `clear`: nothing else changed about it then. `uid`: of the isolation that it concerned, empty if there was none yet.
    """

    heard: float
    clear: bool
    uid: str


class _Walk:
    """Follows the history event by event."""

    def __init__(self, history: History, ledger: Ledger) -> None:
        self.result = Replay()
        self._ledger = ledger
        self._picture = Picture(history.start)
        self._wanted: dict[str, dict[str, tuple[Policy, float]]] = {}
        self._stances: dict[str, tuple[Stance, float]] = {}
        self._removing: dict[str, float] = {}
        self._edits: dict[Key, _Edit] = {}
        self._look_everywhere(-_ALWAYS)

    def take(self, entry: Entry) -> None:
        """Take one event."""
        if entry.collection == POLICIES:
            self._take_policy(entry)
            return
        before = self._picture.isolations.get(entry.key[1]) if entry.collection == ISOLATIONS else None
        self._picture.put(entry.collection, entry.key, None if entry.kind == "DELETED" else entry.document)
        if entry.collection != ISOLATIONS:
            self._look(entry.key[1], entry.heard)
            return
        after = self._picture.isolations.get(entry.key[1])
        if after is None or not after.same_intent(before):
            self._look_everywhere(entry.heard)

    def _look_everywhere(self, now: float) -> None:
        """Note what every isolation asks for, and since when."""
        before, self._stances = self._stances, {}
        for name, isolation in self._picture.isolations.items():
            known = before.get(name)
            same = known is not None and known[0] is isolation.stance
            self._stances[name] = known if known is not None and same else (isolation.stance, now)
        for namespace in self._picture.namespaces:
            self._look(namespace, now)

    def _look(self, namespace: str, now: float) -> None:
        """Note what is wanted in a namespace, and since when."""
        if not self._picture.is_alive(namespace):
            self._wanted.pop(namespace, None)
            return
        before = self._wanted.get(namespace, {})
        self._wanted[namespace] = {}
        for name, policy in self._picture.desired(namespace).items():
            known = before.get(name)
            same = known is not None and (known[0].digest, known[0].owner) == (policy.digest, policy.owner)
            self._wanted[namespace][name] = policy, known[1] if known is not None and same else now
        governing = self._picture.governing(namespace)
        if any(each.spec is not None and each.spec.unmanaged_policies == "Remove" for each in governing):
            self._removing[namespace] = _ALWAYS
        elif self._removing.get(namespace) == _ALWAYS:
            self._removing[namespace] = now

    def _take_policy(self, entry: Entry) -> None:
        namespace, name = entry.key
        before = self._picture.live.get(namespace, {}).get(name)
        self._picture.put(POLICIES, entry.key, None if entry.kind == "DELETED" else entry.document)
        after = self._picture.live.get(namespace, {}).get(name)
        if not self._picture.is_alive(namespace):
            self._edits.pop(entry.key, None)  # its policies go with it
            return
        self._look(namespace, entry.heard)
        gone = entry.kind == "DELETED"
        uid = entry.document["metadata"]["uid"]
        if uid in self._ledger.deleted if gone else entry.version in self._ledger.versions:
            self._take_edit(entry, before, after)
        else:
            self.result.writes += 1
            self._check(entry, before, after)
            self._take_correction(entry, before, after)

    def _take_edit(self, entry: Entry, before: LivePolicy | None, after: LivePolicy | None) -> None:
        """Take what somebody else did."""
        if after is not None and after.same_content(before):
            return
        wanted = self._wanted[entry.key[0]].get(entry.key[1])
        if wanted is not None and after is not None and after.matches(wanted[0]):
            self._edits.pop(entry.key, None)  # put back by himself
            return
        whose = self._whose(entry.key, before, after)
        if whose is None:
            if any(live is not None and live.claims for live in (before, after)):
                self._edits[entry.key] = _Edit(entry.heard, clear=False, uid="")  # it may yet come
            return
        stance, since = self._stances[whose]
        needed = wanted is not None or after is not None or self._is_audited(entry.key)
        if stance is Stance.LEAVING or not needed:
            self._edits.pop(entry.key, None)
            return
        uid = self._picture.isolations[whose].uid
        self.result.foreign_edits[uid] += 1
        clear = entry.heard - since >= _AT_ONCE
        clear = clear and (before is None if wanted is None else entry.heard - wanted[1] >= _AT_ONCE)
        known = self._edits.get(entry.key)
        if known is None:
            self._edits[entry.key] = _Edit(entry.heard, clear, uid)
        else:
            self._edits[entry.key] = _Edit(known.heard, known.clear and clear, uid)

    def _take_correction(self, entry: Entry, before: LivePolicy | None, after: LivePolicy | None) -> None:
        """Take that the operator wrote a policy that somebody else had changed."""
        edit = self._edits.pop(entry.key, None)
        whose = self._whose(entry.key, before, after)
        if edit is None or whose is None:
            return
        isolation = self._picture.isolations[whose]
        if isolation.deleting:
            return  # it takes its policies away, or releases them, changed or not
        if edit.uid != isolation.uid:
            self.result.foreign_edits[isolation.uid] += 1  # a successor mends what was done before it came
        _, since = self._stances[whose]
        wanted = self._wanted[entry.key[0]].get(entry.key[1])
        changed = max(since, -_ALWAYS if wanted is None else wanted[1])
        doubt = self._absence(edit.heard, entry.heard)
        if doubt is None and (not edit.clear or changed > edit.heard):
            doubt = "the resource changed at the same time"
        self.result.corrections.append(
            Correction(
                uid=isolation.uid,
                isolation=whose,
                key=entry.key,
                heard=entry.heard,
                seconds=entry.heard - edit.heard,
                doubt=doubt,
            )
        )

    def _whose(self, key: Key, before: LivePolicy | None, after: LivePolicy | None) -> str | None:
        """Name the isolation, of those that are there, that a policy concerns."""
        wanted = self._wanted[key[0]].get(key[1])
        if wanted is not None:
            return wanted[0].isolation
        for live in (after, before):
            isolation = None if live is None else self._picture.owner(live)
            if isolation is not None:
                return isolation.name
        return None

    def _is_audited(self, key: Key) -> bool:
        """Whether Enforce would put a policy back that was deleted while its isolation is in Audit."""
        return key[1] in self._picture.desired(key[0], rehearsal=True)

    def _absence(self, edited: float, corrected: float) -> str | None:
        """Tell why an operator that was not there may not have counted a correction."""
        for absence in self._ledger.absences:
            end = _ALWAYS if absence.end is None else absence.end
            if edited <= end and corrected >= absence.begin:
                return "no operator was there to see the change"
            if absence.killed and absence.begin - _UNSAVED <= corrected <= absence.begin:
                return "corrected within 2 s before a SIGKILL"
        return None

    def _check(self, entry: Entry, before: LivePolicy | None, after: LivePolicy | None) -> None:
        """Hold what the operator did against what it must never do."""
        namespace, name = entry.key
        wanted = self._wanted[namespace].get(name)
        if wanted is not None:
            self._check_wanted(entry, *wanted, after)
            return
        live = before or after
        assert live is not None
        owner = owner_of(live, self._picture.isolations)
        isolation = None if owner is None else self._picture.isolations.get(owner)
        if isolation is not None:
            stance, since = self._stances[isolation.name]
            audited = stance is Stance.AUDIT and not isolation.deleting and entry.heard - since >= _LAG
            self.result.checked["policies of resources in Audit" if audited else "policies no longer wanted"] += 1
            if audited:
                self._violation(entry, f"it belongs to {isolation.name}, which is in Audit")
        elif owner is None:
            self.result.checked["policies of others"] += 1
            asked = entry.heard - self._removing.get(namespace, -_ALWAYS) < _LAG
            if entry.kind != "DELETED" or not asked or live.retained or live.controlled:
                self._violation(entry, "it belongs to somebody else, or was retained")

    def _check_wanted(self, entry: Entry, policy: Policy, since: float, after: LivePolicy | None) -> None:
        if entry.heard - since < _LAG:
            return
        self.result.checked["denials" if policy.reach is Reach.DENY else "allowances"] += 1
        if after is None or not after.matches(policy):
            self._violation(entry, f"it is wanted as it was, for {policy.isolation}")

    def _violation(self, entry: Entry, why: str) -> None:
        what = f"{entry.kind} {'/'.join(entry.key)} at {entry.version}"
        self.result.violations.append(f"the operator did: {what}, but {why}")

"""Where every namespace stands, by isolation: the state that the status, and later the metrics, are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any

from namespace_isolation.compare.unmanaged import unmanaged_in
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.isolation import Isolation, Stance
from namespace_isolation.model.outcome import Failure, Outcome, Rehearsal, Result, StepResult
from namespace_isolation.model.plan import Delete, Why
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.unmanaged import Unmanaged
from namespace_isolation.model.view import View
from namespace_isolation.report.drift_log import DriftLog
from namespace_isolation.report.standing import Standing, standing_of

__all__ = ["Board"]


class Board:
    """Takes outcomes and keeps the standing of every isolation in every namespace it concerns."""

    def __init__(self, *, now: Callable[[], datetime], on_news: Callable[[str], None]) -> None:
        """`on_news(isolation)` is called whenever the standing of an isolation may have changed."""
        self._now = now
        self._on_news = on_news
        self._standings: dict[str, dict[str, Standing]] = {}
        self._concerned: dict[str, set[str]] = {}
        self._uids: dict[str, str] = {}
        self._drift: dict[str, DriftLog] = {}
        self._wrote: set[str] = set()
        self._looked_at: set[str] = set()

    def open(self, isolation: Isolation, status: Mapping[str, Any]) -> None:
        """Start the account of an isolation from its status."""
        self._uids[isolation.name] = isolation.uid
        self._drift[isolation.name] = DriftLog(status)
        self._standings[isolation.name] = {}
        self._wrote.discard(isolation.name)

    def close(self, isolation: str) -> None:
        """Drop the account of an isolation that is gone."""
        self._uids.pop(isolation, None)
        self._drift.pop(isolation, None)
        self._standings.pop(isolation, None)
        self._wrote.discard(isolation)

    def leave(self, isolation: str, namespace: str) -> None:
        """Drop a namespace that an isolation has nothing to do with any more."""
        if isolation in self._drift:
            self._drift[isolation].forget(namespace)
        self._forget(isolation, namespace)
        if self._standings.get(isolation, {}).pop(namespace, None) is not None:
            self._on_news(isolation)

    def standings(self, isolation: str) -> Mapping[str, Standing]:
        """Give the standing of an isolation in every namespace."""
        return self._standings.get(isolation, {})

    def concerned(self, namespace: str) -> Iterable[str]:
        """Name the isolations that have a standing in a namespace."""
        return self._concerned.get(namespace, ())

    def drift(self, isolation: str) -> DriftLog:
        """Give the drift log of an isolation."""
        return self._drift[isolation]

    def looked_at(self, namespaces: Iterable[str]) -> bool:
        """Whether every one of these namespaces was looked at since this process started."""
        return self._looked_at.issuperset(namespaces)

    def wrote(self, isolation: str) -> bool:
        """Whether anything was written or failed for an isolation since this process started."""
        return isolation in self._wrote

    def record(
        self,
        view: View,
        desired: Mapping[str, Policy],
        outcome: Outcome,
        rehearsal: Rehearsal,
        fights: Iterable[Fight],
    ) -> tuple[StepResult, ...]:
        """Take what came of one namespace, and give what of it is news to people."""
        if view.namespace is None:
            self._looked_at.discard(view.name)
        else:
            self._looked_at.add(view.name)
        wanted = Counter(policy.isolation for policy in (*desired.values(), *rehearsal.desired.values()))
        in_place = Counter(isolation for isolation, _ in (*outcome.kept, *rehearsal.kept))
        results: dict[str, list[StepResult]] = {}
        for each in (*outcome.results, *rehearsal.findings):
            results.setdefault(each.step.isolation, []).append(each)
            if each.result is Result.DONE and each.step.name in desired and not isinstance(each.step, Delete):
                in_place[each.step.isolation] += 1
        fought: dict[str, list[Fight]] = {}
        for fight in _going_on(fights, view, desired):
            fought.setdefault(fight.isolation, []).append(fight)
        governing = {isolation.name for isolation in view.governing}
        concerned = governing | results.keys() | fought.keys()
        for name in self._concerned.get(view.name, set()) - concerned:
            self.leave(name, view.name)  # no longer selected, and nothing of it is left
        ours = desired.keys() | outcome.gone
        news: list[StepResult] = []
        for isolation in self._accounts(view, concerned):
            done = results.get(isolation.name, [])
            news += self._note(view.name, isolation.name, done)
            standing = standing_of(
                generation=isolation.generation,
                desired=wanted[isolation.name],
                in_place=in_place[isolation.name],
                results=done,
                fights=fought.get(isolation.name, ()),
                unmanaged=_unmanaged(view, isolation, ours, rehearsal) if isolation.name in governing else (),
            )
            self._post(isolation.name, view.name, standing, keep=isolation.name in governing)
        return tuple(news)

    def _note(self, namespace: str, isolation: str, done: Sequence[StepResult]) -> Iterator[StepResult]:
        """Enter results into the drift log, and give those that people want to hear of."""
        log, now = self._drift[isolation], self._now()
        first_look = namespace not in self._standings[isolation]
        if any(each.result is not Result.REPORTED for each in done):
            self._wrote.add(isolation)
        log.forget(namespace, {each.step.name for each in done if each.result is not Result.DONE})
        blocked = any(each.result is Result.FAILED or each.fight is not None for each in done)
        for each in done:
            if each.result is Result.HELD and not blocked:
                continue  # only because the isolations changed meanwhile: the next look is due
            noted = log.add(namespace, each, now, first_look=first_look)
            taken = each.result is Result.DONE and each.step.why in {Why.TAKEN_OVER, Why.UNMANAGED}
            if noted or taken or (each.fight is not None and each.result is not Result.HELD):
                yield each

    def record_trouble(self, view: View, failure: Failure) -> None:
        """Take that a namespace could not be reconciled at all: nobody knows what is in place there."""
        for isolation in self._accounts(view, {each.name for each in view.governing}):
            self._wrote.add(isolation.name)
            standing = Standing(generation=isolation.generation, undone=1, failures=(failure,))
            self._post(isolation.name, view.name, standing, keep=True)

    def _accounts(self, view: View, names: Iterable[str]) -> Iterator[Isolation]:
        """Give those isolations, as they were viewed, whose status is still kept: not gone, nor another of the name."""
        governing = {each.name: each for each in view.governing}
        for name in sorted(names):
            isolation = governing.get(name) or view.isolations.get(name)
            if isolation is not None and self._uids.get(name) == isolation.uid:
                yield isolation

    def _post(self, isolation: str, namespace: str, standing: Standing, *, keep: bool) -> None:
        """Keep a standing; of a namespace that is no longer selected, only what still fails there."""
        if keep or standing.failing or standing.pending:
            self._standings[isolation][namespace] = standing
            self._concerned.setdefault(namespace, set()).add(isolation)
        else:
            self._standings[isolation].pop(namespace, None)
            self._forget(isolation, namespace)
        self._on_news(isolation)

    def _forget(self, isolation: str, namespace: str) -> None:
        concerned = self._concerned.get(namespace, set())
        concerned.discard(isolation)
        if not concerned:
            self._concerned.pop(namespace, None)


def _going_on(fights: Iterable[Fight], view: View, desired: Container[str]) -> Iterator[Fight]:
    """Leave out fights over what is not asked for any more: they end by being forgotten."""
    for fight in fights:
        isolation = view.isolations.get(fight.isolation)
        standing = isolation is not None and view.stance_of(isolation).is_standing
        if not standing and fight.wanted is (fight.policy in desired):
            yield fight


def _unmanaged(view: View, isolation: Isolation, ours: AbstractSet[str], rehearsal: Rehearsal) -> tuple[Unmanaged, ...]:
    """Name the policies that widen an isolation; one in Audit is asked what it would do."""
    if isolation.stance is not Stance.AUDIT:
        return unmanaged_in(view, isolation, ours)
    return unmanaged_in(replace(view, rehearsal=True), isolation, ours | rehearsal.desired.keys())

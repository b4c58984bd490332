"""Where every namespace stands, by isolation: the state that the status, and later the metrics, are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Delete
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View
from namespace_isolation.report.drift_log import DriftLog

__all__ = ["Board", "Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One isolation in one namespace, as of a generation of the isolation: policies desired and in place.

    `undone`: steps that failed or were held; `outstanding`: those of them that are to correct drift.
    """

    generation: int
    desired: int
    in_place: int
    undone: int
    outstanding: int
    failures: tuple[Failure, ...]

    @property
    def in_sync(self) -> bool:
        """Whether everything is as it should be."""
        return self.desired == self.in_place and not self.undone


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
        self._forget(isolation, namespace)
        if self._standings.get(isolation, {}).pop(namespace, None) is not None:
            self._on_news(isolation)

    def standings(self, isolation: str) -> Mapping[str, Standing]:
        """Give the standing of an isolation in every namespace."""
        return self._standings.get(isolation, {})

    def drift(self, isolation: str) -> DriftLog:
        """Give the drift log of an isolation."""
        return self._drift[isolation]

    def wrote(self, isolation: str) -> bool:
        """Whether anything was written or failed for an isolation since this process started."""
        return isolation in self._wrote

    def record(self, view: View, desired: Mapping[str, Policy], outcome: Outcome) -> None:
        """Take the outcome of one namespace."""
        wanted = Counter(policy.isolation for policy in desired.values())
        in_place = Counter(isolation for isolation, _ in outcome.kept)
        results: dict[str, list[StepResult]] = {}
        for each in outcome.results:
            results.setdefault(each.step.isolation, []).append(each)
            if each.result is Result.DONE and each.step.name in desired and not isinstance(each.step, Delete):
                in_place[each.step.isolation] += 1
        now = self._now()
        governing = {isolation.name for isolation in view.governing}
        for name in self._concerned.get(view.name, set()) - governing - results.keys():
            self.leave(name, view.name)  # no longer selected, and nothing of it is left
        for isolation in self._accounts(view, governing | results.keys()):
            done = results.get(isolation.name, [])
            undone = [each for each in done if each.result in {Result.FAILED, Result.HELD}]
            if done:
                self._wrote.add(isolation.name)
            for each in done:
                self._drift[isolation.name].add(view.name, each, now)
            standing = Standing(
                generation=isolation.generation,
                desired=wanted[isolation.name],
                in_place=in_place[isolation.name],
                undone=len(undone),
                outstanding=sum(each.step.why.is_drift for each in undone),
                failures=tuple(each.failure for each in undone if each.failure is not None),
            )
            self._post(isolation.name, view.name, standing, keep=isolation.name in governing)

    def record_trouble(self, view: View, failure: Failure) -> None:
        """Take that a namespace could not be reconciled at all: nobody knows what is in place there."""
        for isolation in self._accounts(view, {each.name for each in view.governing}):
            self._wrote.add(isolation.name)
            standing = Standing(
                generation=isolation.generation, desired=0, in_place=0, undone=1, outstanding=0, failures=(failure,)
            )
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
        if keep or standing.undone:
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

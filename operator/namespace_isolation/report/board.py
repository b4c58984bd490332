"""Where every namespace stands, by isolation: the state that the status, and later the metrics, are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from namespace_isolation.model.outcome import Failure, Outcome, Result, StepResult
from namespace_isolation.model.plan import Delete
from namespace_isolation.model.policy import Policy
from namespace_isolation.model.view import View
from namespace_isolation.report.drift_log import DriftLog

__all__ = ["Board", "Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One isolation in one namespace, as of a generation of the isolation: policies desired and in place."""

    generation: int
    desired: int
    in_place: int
    outstanding: int
    failures: tuple[Failure, ...]

    @property
    def in_sync(self) -> bool:
        """Whether everything is as it should be."""
        return self.desired == self.in_place and not self.failures and not self.outstanding


class Board:
    """Takes outcomes and keeps the standing of every isolation in every namespace it concerns."""

    def __init__(self, *, now: Callable[[], datetime], on_news: Callable[[str], None]) -> None:
        """`on_news(isolation)` is called whenever the standing of an isolation may have changed."""
        self._now = now
        self._on_news = on_news
        self._standings: dict[str, dict[str, Standing]] = {}
        self._concerned: dict[str, set[str]] = {}
        self._drift: dict[str, DriftLog] = {}
        self._wrote: set[str] = set()

    def open(self, isolation: str, status: Mapping[str, Any]) -> None:
        """Start the account of an isolation from its status."""
        self._drift[isolation] = DriftLog(status)
        self._standings[isolation] = {}

    def close(self, isolation: str) -> None:
        """Drop the account of an isolation that is gone."""
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
        governing = {isolation.name: isolation.generation for isolation in view.governing}
        now = self._now()
        for isolation in self._concerned.get(view.name, set()) - governing.keys() - results.keys():
            self.leave(isolation, view.name)  # no longer selected, and nothing of it is left
        for isolation in governing.keys() | results.keys():
            if isolation not in self._drift:
                continue  # gone: nobody reads its status
            done = results.get(isolation, [])
            if done:
                self._wrote.add(isolation)
            for each in done:
                self._drift[isolation].add(view.name, each, now)
            self._post(
                isolation,
                view.name,
                Standing(
                    generation=governing.get(isolation, view.isolations[isolation].generation),
                    desired=wanted[isolation],
                    in_place=in_place[isolation],
                    outstanding=sum(_is_outstanding(each) for each in done),
                    failures=tuple(each.failure for each in done if each.failure is not None),
                ),
                keep=isolation in governing,
            )

    def _post(self, isolation: str, namespace: str, standing: Standing, *, keep: bool) -> None:
        """Keep a standing; of a namespace that is no longer selected, only what still fails there."""
        if keep or standing.failures:
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


def _is_outstanding(each: StepResult) -> bool:
    return each.step.why.is_drift and each.result in {Result.FAILED, Result.HELD}

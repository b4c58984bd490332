"""Fights: policies that somebody changes back as often as we repair them. Repairs of such a one back off, alone.

Recognised at the fifth repair in quick succession. From then on the pause before the next one doubles, up to five
minutes; a policy that is left alone for a minute beyond its pause is at peace again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from namespace_isolation.apply.carry_out import Writer
from namespace_isolation.apply.policies import CHANGED_ON_WRITE
from namespace_isolation.model.fight import Fight
from namespace_isolation.model.outcome import Failure, Result, StepResult
from namespace_isolation.model.plan import UNKNOWN, Create, Step, Update, Why

__all__ = ["FightGuard", "Fights", "failure_of"]

_ROUNDS: Final = 5
_CALM: Final = 60.0
"""Seconds without a repair, on top of the pause, after which it was no fight, or is none any more."""
_LONGEST_PAUSE: Final = 300.0
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The repairs of one policy in quick succession: how many, when the last was, and what was to be in place."""

    count: int
    last: float
    intent: tuple[object, ...]
    wanted: bool
    isolation: str
    opponent: str
    by_admission: bool

    @property
    def pause(self) -> float:
        if self.count < _ROUNDS:
            return 0.0
        return min(2.0 ** min(self.count - _ROUNDS, _MOST_DOUBLINGS), _LONGEST_PAUSE)

    @property
    def due(self) -> float:
        return self.last + self.pause

    def is_calm(self, now: float) -> bool:
        return now >= self.due + _CALM


class Fights:
    """Remembers repairs for as long as another one would be in quick succession."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start at peace; `clock` is monotonic, in seconds."""
        self._clock = clock
        # The oldest repair first: what was repaired once is forgotten from that end, also after 40,000 of them.
        self._rounds: OrderedDict[tuple[str, str], _Rounds] = OrderedDict()
        self._fought: dict[str, set[str]] = {}

    def __len__(self) -> int:
        """Count the fights."""
        return sum(len(self.fought_in(namespace)) for namespace in list(self._fought))

    def holding(self, namespace: str, step: Step) -> Fight | None:
        """Give the fight because of which a step has to wait now; what is wanted anew is tried at once."""
        rounds = self._rounds.get((namespace, step.name))
        if rounds is None or rounds.intent != _intent(step) or self._clock() >= rounds.due:
            return None
        return _fight(namespace, step.name, rounds)

    def repaired(self, namespace: str, done: StepResult) -> Fight | None:
        """Count a repair, and give the fight that it is a round of."""
        now = self._clock()
        self._forget_old(now)
        step, key = done.step, (namespace, done.step.name)
        known = self._rounds.get(key)
        if known is not None and (known.intent != _intent(step) or known.is_calm(now)):
            known = None
        rounds = _Rounds(
            count=1 if known is None else known.count + 1,
            last=now,
            intent=_intent(step),
            wanted=isinstance(step, Create | Update),
            isolation=step.isolation,
            by_admission=done.failure is not None,
            opponent=_opponent(done, UNKNOWN if known is None else known.opponent),
        )
        self._rounds[key] = rounds
        self._rounds.move_to_end(key)
        if rounds.count < _ROUNDS:
            self._make_peace(namespace, step.name)
            return None
        self._fought.setdefault(namespace, set()).add(step.name)
        return _fight(namespace, step.name, rounds)

    def settled(self, namespace: str, name: str) -> None:
        """Hear that something else was done with a policy than to repair it: what it was fought over is no more."""
        if (namespace, name) in self._rounds:
            self._forget(namespace, name)

    def fought_in(self, namespace: str) -> tuple[Fight, ...]:
        """Give the fights in a namespace that are not at peace yet, by policy."""
        return tuple(_fight(namespace, name, rounds) for name, rounds in self._going_on(namespace))

    def due_in(self, namespace: str, *, since: float | None = None) -> float | None:
        """Tell after how many seconds a repair may be tried again, or peace may have come; None: there is no fight.

        `since`: the moment at which the last look began (None: now). What fell due after that was perhaps held just
        before it did, and is to be tried now.
        """
        now = self._clock()
        began = now if since is None else since
        times = [each.due if each.due > began else each.due + _CALM for _, each in self._going_on(namespace)]
        return min((max(0.0, time - now) for time in times), default=None)

    def _going_on(self, namespace: str) -> list[tuple[str, _Rounds]]:
        """Give the fights of a namespace, and forget those that have ended."""
        now = self._clock()
        found = []
        for name in sorted(self._fought.get(namespace, ())):
            rounds = self._rounds[namespace, name]
            if rounds.is_calm(now):
                self._forget(namespace, name)
            else:
                found.append((name, rounds))
        return found

    def _forget_old(self, now: float) -> None:
        while self._rounds:
            (namespace, name), rounds = next(iter(self._rounds.items()))
            if not rounds.is_calm(now):
                return
            self._forget(namespace, name)

    def _forget(self, namespace: str, name: str) -> None:
        del self._rounds[namespace, name]
        self._make_peace(namespace, name)

    def _make_peace(self, namespace: str, name: str) -> None:
        fought = self._fought.get(namespace, set())
        fought.discard(name)
        if not fought:
            self._fought.pop(namespace, None)


class FightGuard:
    """A Writer that lets policies that are fought over wait, and counts the repairs of the others."""

    def __init__(self, writer: Writer, fights: Fights) -> None:
        """Guard `writer`."""
        self._writer = writer
        self._fights = fights

    async def read(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Give a policy as served; None where it is gone."""
        return await self._writer.read(namespace, name)

    async def carry_out(self, namespace: str, step: Step) -> StepResult:
        """Carry out a step unless its policy is fought over and not due."""
        fight = self._fights.holding(namespace, step)
        if fight is not None:
            return StepResult(step=step, result=Result.HELD, failure=failure_of(fight), fight=fight)
        done = await self._writer.carry_out(namespace, step)
        if not _is_repair(done):
            if done.result is Result.DONE:
                self._fights.settled(namespace, step.name)
            return done
        return replace(done, fight=self._fights.repaired(namespace, done))


def failure_of(fight: Fight) -> Failure:
    """Tell a fight as a problem."""
    find = f"kubectl get networkpolicy -n {fight.namespace} {fight.policy} -o yaml --show-managed-fields"
    if fight.by_admission:  # which writes under our own name
        find = "kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies"
    message = (
        f"{fight.policy} was changed back {fight.rounds} times in quick succession, last by {fight.manager}; repairs "
        f"now wait {fight.pause:.0f} s. Who changes it: {find}"
    )
    return Failure(reason="Fight", message=message)


def _is_repair(done: StepResult) -> bool:
    """Whether a write undid somebody's change, or was itself changed on its way by admission."""
    if done.failure is not None:
        return done.failure.reason == CHANGED_ON_WRITE
    return done.result is Result.DONE and (done.step.why.is_drift or done.step.why is Why.UNMANAGED)


def _intent(step: Step) -> tuple[object, ...]:
    """Tell what is to be, or why it is to go: another answer is another intent, which waits for no old fight."""
    return (step.policy.digest, step.policy.owner) if isinstance(step, Create | Update) else (step.why,)


def _opponent(done: StepResult, before: str) -> str:
    if done.failure is not None:
        return "an admission webhook or policy"
    if done.drift is None or done.drift.manager == UNKNOWN:
        return before
    return f"field manager {done.drift.manager}"


def _fight(namespace: str, policy: str, rounds: _Rounds) -> Fight:
    return Fight(
        namespace=namespace,
        policy=policy,
        isolation=rounds.isolation,
        wanted=rounds.wanted,
        by_admission=rounds.by_admission,
        rounds=rounds.count,
        pause=rounds.pause,
        manager=rounds.opponent,
    )

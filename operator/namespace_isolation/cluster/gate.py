"""The one way to the API server: whose request goes next, how many are under way, and when to hold still."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from namespace_isolation.cluster.limit import Limit
from namespace_isolation.cluster.rate import WriteRate
from namespace_isolation.model.lane import LANES, Lane, Turns

__all__ = ["Gate", "Passage"]

_FOR_URGENT: Final = 8
"""One place for so many is added, for urgent requests alone."""
_BESIDE_URGENT: Final = 8
_HURRY: Final = 1.0
"""While urgent requests come, and for so many seconds after the last, few others are under way.

What is urgent takes several requests, one after the other. Behind 32 others each would wait 20 ms, behind 8 it is 6
(measured, see `limit`); and where one namespace came, or one policy was changed, often others follow.
"""
_LONGEST_HOLD: Final = 60.0
"""Seconds; a proxy that asks for an hour shall not leave namespaces open for an hour."""


class Passage(NamedTuple):
    """A request under way, and since when by the gate's clock."""

    lane: Lane
    write: bool
    sent: float


class Gate:
    """Admits requests lane by lane; every request but a watch passes, each try of it anew.

    An urgent one goes at once while there is a place at all. The others go below the adaptive limit, against which
    urgent ones count as well, and of which few places are left while these come; and each lane has its share of turns,
    so that none starves. What the API server refuses (429) holds its lane and those behind it for as long as is asked:
    they would be refused as well, because API Priority and Fairness counts all requests of ours as one flow. A lane
    before it may try.
    """

    def __init__(
        self, in_flight: int, *, writes_per_second: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Let at most `in_flight` requests be under way, and a few urgent ones more; `clock` is in seconds."""
        self.most = in_flight + max(1, in_flight // _FOR_URGENT)
        self.under_way = dict.fromkeys(LANES, 0)
        self.waited = dict.fromkeys(LANES, 0.0)
        """Seconds that requests stood at the gate."""
        self._clock = clock
        self._limit = Limit(top=in_flight)
        self._rate = WriteRate(writes_per_second)
        self._turns = Turns()
        self._together = 0
        self._reads: dict[Lane, deque[asyncio.Future[Passage]]] = {lane: deque() for lane in LANES}
        self._writes: dict[Lane, deque[asyncio.Future[Passage]]] = {lane: deque() for lane in LANES}
        self._hurry_until = -math.inf
        self._held_until = dict.fromkeys(LANES, 0.0)
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """How many requests may be under way where one goes that is not urgent."""
        return self._places(self._clock())

    async def enter(self, lane: Lane, *, write: bool, again: bool = False) -> Passage:
        """Wait until a request may be sent; the caller must say `leave` when it ended.

        `again`: it was refused before, and goes before the others of its lane.
        """
        line = (self._writes if write else self._reads)[lane]
        turn: asyncio.Future[Passage] = asyncio.get_running_loop().create_future()
        if again:
            line.appendleft(turn)
        else:
            line.append(turn)
        self._admit()
        if turn.done():
            return turn.result()
        began = self._clock()
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.leave(turn.result())
            elif turn in line:
                line.remove(turn)
            raise
        finally:
            self.waited[lane] += self._clock() - began

    def answered(self) -> None:
        """Hear that the API server did what was asked."""
        self._limit.answered()

    def overloaded(self, passage: Passage) -> None:
        """Hear that the API server failed, or did not answer in time."""
        self._limit.overloaded(sent=passage.sent, now=self._clock())

    def refused(self, passage: Passage, seconds: float) -> None:
        """Hear that the API server has no room for a request (429), and for how long not to ask."""
        now = self._clock()
        self._limit.refused(together=self._together, sent=passage.sent, now=now)
        until = now + min(seconds, _LONGEST_HOLD)
        for lane in LANES:
            if lane >= passage.lane:
                self._held_until[lane] = max(self._held_until[lane], until)

    def leave(self, passage: Passage) -> None:
        """Hear that a request ended."""
        self.under_way[passage.lane] -= 1
        self._together -= 1
        self._note_hurry(passage.lane, write=passage.write, now=self._clock())
        self._admit()

    def _note_hurry(self, lane: Lane, *, write: bool, now: float) -> None:
        if lane is Lane.URGENT and write:  # the lists at the start are in no hurry of this kind
            self._hurry_until = now + _HURRY

    def _admit(self) -> None:
        """Let go whoever may."""
        while standing := [lane for lane in LANES if self._reads[lane] or self._writes[lane]]:
            now = self._clock()
            lane = self._whose_turn(standing, now)
            if lane is None:
                self._set_alarm(standing, now)
                return
            self._let_go(lane, standing, now)

    def _whose_turn(self, standing: list[Lane], now: float) -> Lane | None:
        cap = self._limit.cap(now)
        if self._together >= (self.most if cap is None else min(cap, self.most)):
            return None
        may_write = self._rate.wait(now) <= 0
        ready = [lane for lane in standing if now >= self._held_until[lane] and (may_write or self._reads[lane])]
        lane = self._turns.next(ready)
        if lane is None or lane is Lane.URGENT or self._is_open_to(lane, self._places(now)):
            return lane
        return Lane.URGENT if Lane.URGENT in ready else None

    def _places(self, now: float) -> int:
        """Tell how many may be under way where one goes that is not urgent: few while urgent ones come."""
        places = self._limit.places(now)
        return min(places, _BESIDE_URGENT) if now < self._hurry_until else places

    def _is_open_to(self, lane: Lane, places: int) -> bool:
        """Whether a request that is not urgent may go; those before it do not keep it from its share.

        What can be told later does not take free places beside bulk: there are more of these as soon as some end, and
        an API server that is busy with statuses is slower with policies.
        """
        if self._turns.is_due(lane):
            return self._together - self.under_way[Lane.URGENT] < places
        return self._together < places and not (lane is Lane.LATER and self.under_way[Lane.BULK])

    def _let_go(self, lane: Lane, standing: list[Lane], now: float) -> None:
        """Let the first of a lane go, reads before writes: something in the same lane waits for what they read."""
        write = not self._reads[lane]
        turn = (self._writes if write else self._reads)[lane].popleft()
        if turn.cancelled():
            return
        self._turns.taken(lane, standing)
        if write:
            self._rate.sent(now)
        self.under_way[lane] += 1
        self._note_hurry(lane, write=write, now=now)
        self._together += 1
        turn.set_result(Passage(lane, write, now))

    def _set_alarm(self, standing: list[Lane], now: float) -> None:
        """Come back when time lets somebody go; everything else that does is the end of a request."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        for_writes = self._rate.wait(now)
        if for_writes <= 0 and now >= self._held_until[Lane.LATER]:
            return  # what holds a lane holds the last one, too
        waits = [max(self._held_until[lane] - now, 0.0 if self._reads[lane] else for_writes) for lane in standing]
        due = min((seconds for seconds in waits if seconds > 0), default=None)
        if due is not None:
            self._alarm = asyncio.get_running_loop().call_later(due, self._admit)

"""How many requests that can wait may be under way at once: as many as the API server takes.

Measured on the sandbox's API server, which shares two cores with the client (raw creates of NetworkPolicies):

    under way               1      2      4      8     16     32
    creates a second      580    760    980  1,150  1,400  1,500
    p50 in ms             1.5    2.1    3.5    5.9     11     19
    p99 in ms               6     10     17     26     36     70

So many under way pay: etcd commits together what waits. What is in a hurry then waits behind the others, so there are
few of these while it comes (`Gate`). A limit that follows the latency instead was tried and dropped: on a machine that
does other work as well, it took the noise for a queue, and a convergence took twice as long.
"""

from __future__ import annotations

import math
from typing import Final

__all__ = ["Limit"]

_FLOOR: Final = 4
_PATIENCE: Final = 10.0
"""Seconds until more are tried again than the API server took."""


class Limit:
    """The adaptive limit; times are in seconds of one monotonic clock, which the caller reads.

    Failures and silence of the API server halve it, and answers let it grow again, as TCP does (RFC 5681), between four
    and `top`. What the API server refuses (429) caps it, down to one: a priority level has so many seats for us, and
    each refusal would cost the pause that it asks for.
    """

    def __init__(self, *, top: int) -> None:
        """Start with all places."""
        self._floor = min(_FLOOR, top)
        self._top = top
        self._limit = float(top)
        self._cut = -math.inf
        self._cap: int | None = None
        self._cap_until = 0.0

    def places(self, now: float) -> int:
        """Tell how many may be under way."""
        cap = self.cap(now)
        return int(self._limit) if cap is None else min(int(self._limit), cap)

    def cap(self, now: float) -> int | None:
        """Tell how many the API server takes of any kind before it refuses; None where that is not known."""
        while self._cap is not None and now >= self._cap_until:
            self._cap += max(1, self._cap // 4)
            self._cap_until += _PATIENCE
            if self._cap > self._top:
                self._cap = None
        return self._cap

    def answered(self) -> None:
        """Hear that the API server did what was asked: one place more for each round of all places."""
        self._limit = min(self._limit + 1 / self._limit, self._top)

    def overloaded(self, *, sent: float, now: float) -> None:
        """Hear that the API server failed, or was silent: half as many, once for all that were under way together."""
        if sent >= self._cut:
            self._cut = now
            self._limit = max(self._limit / 2, self._floor)

    def refused(self, *, together: int, sent: float, now: float) -> None:
        """Hear that the API server refused a request while `together` were under way, itself counted.

        Not when it was sent: over many connections requests do not arrive in the order in which they were sent.
        """
        self.overloaded(sent=sent, now=now)
        cap = self.cap(now)
        self._cap = max(1, together - 1 if cap is None else min(together - 1, cap))
        self._cap_until = now + _PATIENCE

"""How many writes a second may be sent, where somebody set a limit: a token bucket without a bucket."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["WriteRate"]

_BURST_SECONDS: Final = 0.1


class WriteRate:
    """At most so many writes in any second, and a tenth of a second's worth more; times are in seconds.

    As in the generic cell rate algorithm, all that is kept is when the next write would be due if they came evenly.
    """

    def __init__(self, per_second: int | None) -> None:
        """Let so many through a second; None: any number."""
        self._pause = 0.0 if per_second is None else 1 / per_second
        self._ahead = 0.0 if per_second is None else max(0.0, _BURST_SECONDS - self._pause)
        self._due = -math.inf

    def wait(self, now: float) -> float:
        """Tell for how many seconds no write may be sent; 0: one may be sent now."""
        return max(0.0, self._due - self._ahead - now)

    def sent(self, now: float) -> None:
        """Hear that a write is sent."""
        self._due = max(self._due, now) + self._pause

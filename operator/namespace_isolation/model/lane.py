"""How urgent a piece of work is, and whose turn it is where several wait: for a worker, or for the API server."""

from __future__ import annotations

import math
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

__all__ = ["LANES", "Lane", "Turns"]


class Lane(IntEnum):
    """Kinds of work in the order of their precedence."""

    URGENT = 0
    """Somebody changed a policy, or a namespace came or changed: pods may be open, or cut off, right now."""
    BULK = 1
    """What an isolation that came, changed or went asks for, and the first look at everything after a start."""
    LATER = 2
    """What tells of work that is done: statuses, events; and our finalizer on what has it not yet."""


LANES: Final = tuple(Lane)
"""All of them in their order; to go through the enumeration itself takes five times as long."""

_PASSED_OVER: Final = (math.inf, 7, 15)
"""How often in a row each lane may be passed over while it waits: one turn in eight is bulk's, one in sixteen later's.

Without these shares, whoever deletes policies in a loop could keep every other isolation from being carried out.
"""


class Turns:
    """Gives the turn to the most urgent lane that waits, and to each of the others often enough."""

    def __init__(self) -> None:
        """Start with nobody passed over."""
        self._passed = [0] * len(LANES)

    def is_due(self, lane: Lane) -> bool:
        """Whether a lane was passed over as often as it may be."""
        return self._passed[lane] >= _PASSED_OVER[lane]

    def next(self, waiting: Iterable[Lane]) -> Lane | None:
        """Tell whose turn it is of those that wait, given in their order; None where nobody waits."""
        first: Lane | None = None
        for lane in waiting:
            if self._passed[lane] >= _PASSED_OVER[lane]:
                return lane
            if first is None:
                first = lane
        return first

    def taken(self, lane: Lane, waiting: Iterable[Lane]) -> None:
        """Hear that a lane had its turn while these were `waiting`: the others were passed over."""
        for each in waiting:
            self._passed[each] += 1
        self._passed[lane] = 0

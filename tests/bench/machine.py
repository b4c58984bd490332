"""The machine: what it is, and how much of it went to programs that have nothing to do with the benchmark."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.process import cpu_of

__all__ = ["Usage", "describe", "read_busy", "usage"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MOMENT: Final = 1.0
"""Seconds of all cores together."""
_BUSY: Final = (0, 1, 2, 5, 6, 7)
"""user, nice, system, irq, softirq and steal among the numbers of /proc/stat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """CPU seconds up to a moment: of all programs, of the benchmark's own processes, and all there could be."""

    busy: float
    ours: float
    total: float

    def share_of_others(self, before: Usage) -> float:
        """Tell what share (0 to 1) of the machine went to others since then, the host's other guests among them.

        Of a moment the clock ticks of the kernel tell nothing: then it is 0.
        """
        total = self.total - before.total
        if total < _MOMENT:
            return 0.0
        return max(0.0, (self.busy - before.busy) - (self.ours - before.ours)) / total


def usage(pids: Iterable[int]) -> Usage:
    """Look at the machine; `pids` are our processes that run now, besides this one and those that ended."""
    busy, total = read_busy(Path("/proc/stat").read_text())
    ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    known = sum(each.ru_utime + each.ru_stime for each in ours)
    return Usage(busy=busy, total=total, ours=known + sum(cpu_of(pid) for pid in pids))


def read_busy(stat: str) -> tuple[float, float]:
    """Read /proc/stat: the seconds in which a core did something, and all seconds of all cores."""
    ticks = [int(field) for field in stat.splitlines()[0].split()[1:9]]
    return sum(ticks[place] for place in _BUSY) / _TICKS, sum(ticks) / _TICKS


def describe() -> dict[str, object]:
    """Tell what the machine is, as far as it matters for the figures."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }

"""CPU time and memory of a process, as Linux counts them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Memory", "cpu_of", "memory_of", "read_cpu", "read_memory"]

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_USER, _KERNEL = 11, 12
"""Where utime and stime stand behind the program's name in /proc/PID/stat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Resident memory in MiB: now, and the most there was."""

    now: float
    peak: float


def cpu_of(pid: int) -> float:
    """Tell the seconds of CPU time that a process has used, in user and kernel mode; to 10 ms."""
    return read_cpu(Path(f"/proc/{pid}/stat").read_text())


def memory_of(pid: int) -> Memory:
    """Tell the memory of a process."""
    return read_memory(Path(f"/proc/{pid}/status").read_text())


def read_cpu(stat: str) -> float:
    """Read /proc/PID/stat; the program's name in it may hold anything but ends with the last bracket."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_USER]) + int(fields[_KERNEL])) / _TICKS


def read_memory(status: str) -> Memory:
    """Read /proc/PID/status; its sizes are in KiB."""
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return Memory(now=now, peak=peak)

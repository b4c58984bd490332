"""One program of the control plane as a child process: its output goes to a file, its stop is bounded."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["ChildProcess", "tail"]

_TAIL_BYTES = 16_384
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tail(log: Path, lines: int = 15) -> str:
    """Read the last lines of a log, indented for an error message."""
    if not log.exists():
        return "    (no output)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = file.read().decode(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in text[-lines:]) or "    (no output)"


class ChildProcess:
    """A running program, its log, and how to end it."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        """Start the program; its output is appended to `log`."""
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the programs that the sandbox itself found or built
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                preexec_fn=_die_with_parent(),  # noqa: PLW1509 - the supervisor has a single thread
            )

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Tell how the process ended, or None while it runs."""
        return self._process.poll()

    def stop(self, grace: float) -> None:
        """Ask the process to end, and after `grace` seconds make it end."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """Give what a child must call so that Linux ends it when the supervisor is killed; elsewhere None."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

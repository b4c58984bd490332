"""Run a command that ends with its parent: `python -m namespace_isolation.sandbox.tether COMMAND…`.

The command gets a process group of its own. When standard input closes - the parent ended, in whatever way -
the group is ended; otherwise the exit code is the command's.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

__all__ = ["main"]

_STDIN = 0
_GRACE = 5.0


def main(command: list[str]) -> int:
    """Run the command until it ends or the parent does."""
    ended, notify = os.pipe()
    os.set_blocking(notify, False)
    signal.set_wakeup_fd(notify)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the wakeup pipe tells
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603 - the caller's command
    while child.poll() is None:
        readable, _, _ = select.select([_STDIN, ended], [], [])
        signals = os.read(ended, 64) if ended in readable else b""
        if _STDIN in readable or set(signals) & {signal.SIGTERM, signal.SIGINT}:
            return _end(child)
    return child.returncode


def _end(child: subprocess.Popen[bytes]) -> int:
    """End the command and what it started."""
    os.killpg(child.pid, signal.SIGTERM)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    return 128 + signal.SIGTERM


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

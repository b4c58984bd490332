"""Processes that tests start, and waiting for those that are not their children."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["IGNORING_SIGINT", "started", "wait_for_end"]

IGNORING_SIGINT = ("/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh")
"""Put before a command, it starts as in the background of a script."""


@contextlib.contextmanager
def started(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Start a command in a process group of its own, with pipes; what is left of the group at the end is killed."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_for_end(pid: int, within: float = 20.0) -> None:
    """Return when the process has ended; AssertionError if it has not within so many seconds."""
    with contextlib.ExitStack() as stack:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        stack.callback(os.close, descriptor)
        readable, _, _ = select.select([descriptor], [], [], within)
        assert readable, f"process {pid} still runs after {within} s"

"""Waiting for processes that are not children of the test."""

from __future__ import annotations

import contextlib
import os
import select

__all__ = ["wait_for_end"]


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

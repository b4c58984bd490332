"""A lock between processes of one machine, on a file; it is free again when its holder is gone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["acquire", "exclusive"]


def acquire(file: Path) -> int | None:
    """Take the lock if it is free: a descriptor that holds it until closed; None where another has it."""
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def exclusive(file: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock, waiting for it if need be; `on_wait` is called once if so."""
    descriptor = acquire(file)
    if descriptor is None:
        on_wait()
        descriptor = _open(file)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

"""Records of sandboxes that run on without their starter: who holds a name, and how to find and end it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from namespace_isolation.sandbox import places
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.lock import acquire, exclusive
from namespace_isolation.sandbox.own_name import own_name

__all__ = ["DEFAULT_NAME", "Record", "file_of", "find", "lock_of", "reservation", "starting", "stop"]

DEFAULT_NAME = "default"

_STOP_WITHIN = 30.0
_INTERVAL = 0.05
_LOOK_LASTS = 0.5
"""Seconds that another process's look at a name may hold its lock."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A detached sandbox as its supervisor describes it; `ended`: exit codes of programs that should run."""

    name: str
    server: str
    etcd_endpoint: str
    kubeconfig: Path
    directory: Path
    certificate: Path
    kubectl: Path
    origin: str
    missing: tuple[str, ...]
    supervisor: int
    pids: Mapping[str, int]
    ended: Mapping[str, int]


def file_of(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Name the file of a record; SandboxError for a name that is no DNS label."""
    if not _NAME.fullmatch(name):
        raise SandboxError(f"{name!r} is no name for a sandbox: use at most 63 of a-z, 0-9 and -")
    return places.records_directory(environment) / f"{name}.json"


def lock_of(name: str) -> Path:
    """Name the file whose lock the sandbox of a name holds as long as its supervisor lives."""
    return file_of(name).with_suffix(".lock")


@contextmanager
def reservation(name: str | None) -> Iterator[tuple[int, ...]]:
    """Hold a name while its supervisor is started, which inherits the descriptor and with it the name."""
    if name is None:
        yield ()
        return
    deadline = time.monotonic() + _LOOK_LASTS
    while (descriptor := acquire(lock_of(name))) is None and time.monotonic() < deadline:
        time.sleep(_INTERVAL)
    if descriptor is None:
        raise SandboxError(
            f"a sandbox called {name!r} runs already: {own_name()} sandbox down --name {name}, or end its process"
        )
    try:
        _forget(name)  # of a supervisor that was killed: nobody holds the name
        yield (descriptor,)
    finally:
        os.close(descriptor)


def starting(name: str, on_wait: Callable[[], None]) -> AbstractContextManager[None]:
    """Be the only one who decides whether a name has to be started; a second one waits, then finds it."""
    return exclusive(file_of(name).with_suffix(".starting"), on_wait=on_wait)


def find(name: str) -> Record | None:
    """Find the running sandbox of a name; None where there is none."""
    record = _read(name)
    if record is None:  # nor is a lock to be left behind by looking
        return None
    descriptor = acquire(lock_of(name))
    if descriptor is None:
        return record
    os.close(descriptor)
    return None


def stop(name: str) -> bool:
    """Stop the sandbox of a name and wait for its end; False where none runs. Removes what a killed one left."""
    record = find(name)
    if record is None:
        return _sweep(name)
    os.kill(record.supervisor, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN
    while (descriptor := acquire(lock_of(name))) is None:  # the supervisor's end frees the lock
        if time.monotonic() > deadline:
            raise SandboxError(f"the supervisor (pid {record.supervisor}) did not end in {_STOP_WITHIN:.0f} s")
        time.sleep(_INTERVAL)
    os.close(descriptor)
    return True


def _sweep(name: str) -> bool:
    if not lock_of(name).exists():  # there never was one
        return False
    descriptor = acquire(lock_of(name))
    if descriptor is None:
        raise SandboxError(f"a sandbox called {name!r} belongs to a running process; stop that process instead")
    try:
        _forget(name)
    finally:
        os.close(descriptor)
    return False


def _forget(name: str) -> None:
    """Remove what a killed supervisor left; the caller holds the name's lock."""
    record = _read(name)
    if record is not None:
        shutil.rmtree(record.directory, ignore_errors=True)
        file_of(name).unlink()


def _read(name: str) -> Record | None:
    try:
        found: dict[str, Any] = json.loads(file_of(name).read_text())
    except FileNotFoundError:
        return None
    return Record(
        name=found["name"],
        server=found["server"],
        etcd_endpoint=found["etcd_endpoint"],
        kubeconfig=Path(found["kubeconfig"]),
        directory=Path(found["directory"]),
        certificate=Path(found["certificate"]),
        kubectl=Path(found["kubectl"]),
        origin=found["origin"],
        missing=tuple(found["missing"]),
        supervisor=found["supervisor"],
        pids=found["pids"],
        ended=found["ended"],
    )

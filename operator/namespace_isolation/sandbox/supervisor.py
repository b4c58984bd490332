"""The process that holds one control plane and outlives nobody by accident.

It reads orders, one JSON object a line, from its standard input and answers on its standard output. When the
input closes - its parent ended, in whatever way - it stops everything in order, removes its files and ends.
A sandbox that shall stay is detached: from then on only SIGTERM ends it. The same code serves both.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from namespace_isolation.sandbox.control_plane import ControlPlane, Settings
from namespace_isolation.sandbox.fault import SandboxError

__all__ = ["main"]

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_END = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class _EndedError(Exception):
    """The parent is gone or a signal asked for the end."""


class _Inbox:
    """Orders of the parent and signals, waited for together."""

    def __init__(self) -> None:
        self._buffer = b""
        self._sources = [_STDIN]
        self._signals, wakeup = os.pipe()
        os.set_blocking(wakeup, False)
        signal.set_wakeup_fd(wakeup)
        for number in (*_END, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)  # the wakeup pipe tells
        self.on_child_end: Callable[[], None] = lambda: None

    def pause(self, seconds: float) -> None:
        """Wait so many seconds, unless the end comes first."""
        self._wait(seconds)

    def next_order(self) -> dict[str, Any]:
        """Wait for the next order of the parent."""
        while b"\n" not in self._buffer:
            self._wait(None)
        line, self._buffer = self._buffer.split(b"\n", 1)
        order: dict[str, Any] = json.loads(line)
        return order

    def leave_parent(self) -> None:
        """From now on the parent's end means nothing."""
        self._sources.clear()

    def _wait(self, seconds: float | None) -> None:
        readable, _, _ = select.select([*self._sources, self._signals], [], [], seconds)
        if self._signals in readable:
            if _END & set(os.read(self._signals, 64)):
                raise _EndedError
            self.on_child_end()
        if _STDIN in readable:
            received = os.read(_STDIN, 65_536)
            if not received:
                raise _EndedError
            self._buffer += received


class _Journal:
    """What others learn of this sandbox: answers to the parent, and a record once it is detached."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._record: Path | None = None
        self._extra: dict[str, object] = {}

    def describe(self) -> dict[str, object]:
        """List endpoints, files and processes."""
        layout = self._plane.layout
        return {
            "server": layout.server,
            "etcd_endpoint": layout.etcd_endpoint,
            "kubeconfig": str(layout.kubeconfig),
            "directory": str(layout.directory),
            "audit_log": str(layout.audit_log),
            "certificate": str(layout.certificate),
            "supervisor": os.getpid(),
            "pids": self._plane.pids(),
            "ended": self._plane.ended(),
        }

    def open_record(self, record: Path, extra: dict[str, object]) -> None:
        """Write the record by which others find this sandbox; `extra` is what only the parent knows."""
        self._record, self._extra = record, extra
        self._write()

    def note_ends(self) -> None:
        """Say in the log and the record that a program ended though nobody stopped it."""
        for program, code in self._plane.ended().items():
            sys.stderr.write(f"{program} ended with exit code {code}; see {program}.log\n")
        sys.stderr.flush()
        self._write()

    def close(self) -> None:
        """Remove the record."""
        if self._record is not None:
            self._record.unlink(missing_ok=True)

    def _write(self) -> None:
        if self._record is None:
            return
        draft = self._record.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({**self.describe(), **self._extra}, indent=2))
        draft.replace(self._record)


def _answer(**event: object) -> None:
    """Tell the parent; that it is gone is noticed by the next read."""
    with contextlib.suppress(BrokenPipeError):
        os.write(_STDOUT, json.dumps(event).encode() + b"\n")


def _redirect(target: Path, descriptor: int) -> None:
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, descriptor)
    os.close(file)


def _serve(inbox: _Inbox, plane: ControlPlane, journal: _Journal) -> None:
    """Carry out orders until the end comes."""
    while True:
        order = inbox.next_order()
        try:
            _obey(order, plane, journal)
        except SandboxError as error:
            _answer(event="failed", message=str(error))
            continue
        _answer(event="done", **journal.describe())
        if order["do"] == "detach":
            inbox.leave_parent()
            _redirect(Path(os.devnull), _STDOUT)


def _obey(order: dict[str, Any], plane: ControlPlane, journal: _Journal) -> None:
    match order["do"]:
        case "stop_apiserver":
            plane.stop_apiserver()
        case "start_apiserver":
            plane.start_apiserver()
        case "detach":
            journal.open_record(Path(order["record"]), order["extra"])
        case unknown:
            raise SandboxError(f"the supervisor does not know the order {unknown!r}")


def _settings(order: dict[str, Any]) -> Settings:
    manager = order["controller_manager"]
    return Settings(
        etcd=Path(order["etcd"]),
        apiserver=Path(order["apiserver"]),
        controller_manager=None if manager is None else Path(manager),
        context=order["context"],
        audit=order["audit"],
        apiserver_flags=tuple(order["apiserver_flags"]),
        ready_within=order["ready_within"],
    )


def main() -> None:
    """Hold one control plane from the first order to the end of the parent."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    inbox = _Inbox()
    directory = Path(tempfile.mkdtemp(prefix="nsiso-sandbox-"))
    try:
        _redirect(directory / "supervisor.log", _STDERR)
        _hold(inbox, directory)
    except _EndedError:
        pass
    except SandboxError as error:
        _answer(event="failed", message=str(error))
    except BaseException:
        _answer(event="failed", message=f"the supervisor failed:\n{traceback.format_exc()}")
        raise
    finally:
        shutil.rmtree(directory)


def _hold(inbox: _Inbox, directory: Path) -> None:
    plane = ControlPlane(directory, _settings(inbox.next_order()), inbox.pause)
    journal = _Journal(plane)
    try:
        plane.start()
        inbox.on_child_end = journal.note_ends
        _answer(event="done", **journal.describe())
        _serve(inbox, plane, journal)
    finally:
        plane.stop()
        journal.close()


if __name__ == "__main__":
    main()

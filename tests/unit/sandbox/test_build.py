"""Builds: once for two that ask, whole or not at all, and gone with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from namespace_isolation.sandbox.build import package_environment
from namespace_isolation.sandbox.versions import PROGRAMS
from tests.support.processes import wait_for_end

# Plays Go: names itself on the pipe `started`, leaves half a file, and goes on when `gate` is written to.
_FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then echo '{"GOVERSION": "go1.26.8"}'; exit; fi
for word in "$@"; do [ "$previous" = -o ] && output=$word; previous=$word; done
echo "$(basename "$output") CGO_ENABLED=$CGO_ENABLED GOTOOLCHAIN=$GOTOOLCHAIN GOPROXY=$GOPROXY" >> "$FAKE/calls"
echo half > "$output"
echo compiled/package >&2
if [ -p "$FAKE/gate" ]; then echo $$ > "$FAKE/started"; read line < "$FAKE/gate"; fi
if [ "$line" = fail ]; then echo 'cannot find module' >&2; exit 1; fi
echo whole > "$output"
chmod +x "$output"
"""
_BUILD = """
import sys
from pathlib import Path
from namespace_isolation.sandbox import Progress, SandboxError
from namespace_isolation.sandbox.build import build
try:
    build(sys.argv[2:], Path(sys.argv[1]), Progress())
except SandboxError as error:
    sys.exit(f"SandboxError: {error}")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workshop:
    """A machine whose Go is under the test's control."""

    directory: Path
    started: list[subprocess.Popen[str]]

    @property
    def target(self) -> Path:
        """Where programs are built into."""
        return self.directory / "cache" / "control-plane"

    def ask(self, *programs: str) -> subprocess.Popen[str]:
        """Ask for programs from a process of its own."""
        path = f"{self.directory}{os.pathsep}{os.environ['PATH']}"
        process = subprocess.Popen(
            [sys.executable, "-c", _BUILD, str(self.target), *programs],
            env={**package_environment(), "PATH": path, "FAKE": str(self.directory), "GOPROXY": "of-the-user"},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def hold(self) -> None:
        """Let Go wait for `release` from now on."""
        os.mkfifo(self.directory / "started")
        os.mkfifo(self.directory / "gate")

    def wait_for_go(self) -> int:
        """Wait until Go is in the middle of a build; answer its process number."""
        return int((self.directory / "started").read_text())

    def release(self, word: str = "go on") -> None:
        """Let the Go that waits finish, and every later one run through."""
        gate = (self.directory / "gate").open("w")
        (self.directory / "gate").unlink()
        with gate:
            gate.write(f"{word}\n")

    def calls(self) -> list[str]:
        """Tell what Go was asked to build, and with which settings."""
        return (self.directory / "calls").read_text().splitlines()

    def programs(self) -> set[str]:
        """Tell what lies in the cache under a program's name."""
        return {file.name for file in self.target.iterdir() if file.name in PROGRAMS}


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[_Workshop]:
    """Give a machine with a Go that only plays."""
    (tmp_path / "go").write_text(_FAKE_GO)
    (tmp_path / "go").chmod(0o755)
    workshop = _Workshop(directory=tmp_path, started=[])
    yield workshop
    for process in workshop.started:
        process.kill()
        process.communicate()


def test_two_processes_that_ask_at_once_build_once(workshop: _Workshop) -> None:
    """The second says that it waits, then uses what the first has built."""
    workshop.hold()
    first = workshop.ask(*PROGRAMS)
    workshop.wait_for_go()
    second = workshop.ask(*PROGRAMS)
    assert second.stderr is not None
    assert second.stderr.readline() == "Another process builds the control plane; waiting for it.\n"
    workshop.release()
    assert [first.wait(30), second.wait(30)] == [0, 0]
    assert [call.split()[0] for call in workshop.calls()] == list(PROGRAMS)
    assert workshop.programs() == set(PROGRAMS)


def test_only_what_is_missing_is_built(workshop: _Workshop) -> None:
    """A build that was cut off goes on where it was."""
    assert workshop.ask("etcd").wait(30) == 0
    assert workshop.ask(*PROGRAMS).wait(30) == 0
    assert [call.split()[0] for call in workshop.calls()].count("etcd") == 1


def test_go_gets_fixed_settings_and_keeps_those_of_the_user(workshop: _Workshop) -> None:
    """No C compiler and no toolchain download; module proxy and caches stay the user's."""
    assert workshop.ask("etcd").wait(30) == 0
    assert workshop.calls() == ["etcd CGO_ENABLED=0 GOTOOLCHAIN=local GOPROXY=of-the-user"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_build_that_is_cut_off_leaves_no_program_and_no_go(workshop: _Workshop, number: signal.Signals) -> None:
    """Go ends with the process that asked, and half a program is never taken for a whole one."""
    workshop.hold()
    asked = workshop.ask("etcd")
    go = workshop.wait_for_go()
    asked.send_signal(number)
    asked.wait(30)
    wait_for_end(go)
    assert workshop.programs() == set()
    (workshop.directory / "gate").unlink()
    assert workshop.ask("etcd").wait(30) == 0
    assert (workshop.target / "etcd").read_text() == "whole\n"
    assert [file.name for file in workshop.target.iterdir()] == ["etcd"]


def test_a_build_that_fails_says_what_go_said(workshop: _Workshop) -> None:
    """The last words of Go are in the error, and nothing is installed."""
    workshop.hold()
    asked = workshop.ask("etcd")
    workshop.wait_for_go()
    workshop.release("fail")
    _, said = asked.communicate(timeout=30)
    assert asked.returncode == 1
    assert "SandboxError: building etcd 3.7.3 (1 of 1) failed; Go said:\n" in said
    assert "    cannot find module" in said
    assert workshop.programs() == set()

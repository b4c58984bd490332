"""Build programs of the control plane from Go modules, once per machine and set of sources.

Each program is built beside its place and renamed into it, so a file that is there is whole.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from namespace_isolation.sandbox import places
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.lock import exclusive
from namespace_isolation.sandbox.progress import Progress
from namespace_isolation.sandbox.versions import KUBERNETES_VERSION

__all__ = ["build", "find_go", "package_environment"]

_ETCD_PACKAGE = "go.etcd.io/etcd/server/v3"
_VERSION_VARIABLES = {
    "gitVersion": f"v{KUBERNETES_VERSION}",
    "gitMajor": KUBERNETES_VERSION.split(".")[0],
    "gitMinor": KUBERNETES_VERSION.split(".")[1],
    "gitTreeState": "clean",
}
_GO_SETTINGS = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}
_KEPT_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    sources: Path
    package: str
    link_flags: str


def find_go(environment: Mapping[str, str] = os.environ) -> Path:
    """Find a Go that is new enough for the sources; SandboxError says what to install."""
    go = shutil.which("go", path=environment.get("PATH", ""))
    wanted = _wanted_go()
    install = f"Install Go {wanted} or newer (https://go.dev/dl) and put it on the PATH"
    if go is None:
        raise SandboxError(f"there is no Go on the PATH. {install}")
    asked = subprocess.run(  # noqa: S603 - the Go that the user has on the PATH
        [go, "env", "-json", "GOVERSION"],
        env={**environment, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode != 0:
        raise SandboxError(f"{go} does not work: {asked.stderr.strip()}. {install}")
    found = str(json.loads(asked.stdout)["GOVERSION"])
    if _numbers(found) < _numbers(wanted):
        raise SandboxError(f"{go} is {found}, too old to build Kubernetes {KUBERNETES_VERSION}. {install}")
    return Path(go)


def build(
    programs: Sequence[str], target: Path, progress: Progress, environment: Mapping[str, str] = os.environ
) -> None:
    """Build what is missing of `programs` into `target`; a second process that asks waits for the first."""
    builder = _Builder(go=find_go(environment), progress=progress, environment=environment)

    def tell_wait() -> None:
        progress.say("Another process builds the control plane; waiting for it.")

    with exclusive(target.parent / f"{target.name}.lock", on_wait=tell_wait):
        missing = [name for name in programs if not (target / name).exists()]
        target.mkdir(parents=True, exist_ok=True)
        for leftover in target.glob(".building-*"):  # of a build that was cut off; nobody else holds the lock
            shutil.rmtree(leftover)
        for number, name in enumerate(missing, start=1):
            label = f"building {name} {_version(name)} ({number} of {len(missing)})"
            with tempfile.TemporaryDirectory(prefix=".building-", dir=target) as draft:
                builder.run(name, Path(draft), label).replace(target / name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builder:
    """Runs Go."""

    go: Path
    progress: Progress
    environment: Mapping[str, str]

    def run(self, program: str, directory: Path, label: str) -> Path:
        """Build one program in an empty directory and show what Go is at; Go is tethered to this process."""
        recipe = _recipe(program)
        # A copy: an installed package may be read-only, and Go wants to lock go.mod.
        sources = shutil.copytree(recipe.sources, directory / "sources")
        output = directory / program
        arguments = ["build", "-v", "-trimpath", "-mod=readonly", f"-ldflags={recipe.link_flags}"]
        self.progress.begin(label)
        with self._start([*arguments, "-o", str(output), recipe.package], sources) as process:
            last = self._follow(process, label)
        if process.returncode != 0:
            said = "\n".join(f"    {line}" for line in last)
            raise SandboxError(f"{label} failed; Go said:\n{said}")
        self.progress.end(f"{label}: done")
        return output

    def _start(self, arguments: Sequence[str], directory: Path) -> subprocess.Popen[bytes]:
        tether = [sys.executable, "-m", "namespace_isolation.sandbox.tether"]
        return subprocess.Popen(  # noqa: S603 - the Go that the user has on the PATH
            [*tether, str(self.go), *arguments],
            cwd=directory,
            env={**package_environment(self.environment), **_GO_SETTINGS},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def _follow(self, process: subprocess.Popen[bytes], label: str) -> Sequence[str]:
        """Show Go's words until its end and answer the last ones; when interrupted, end Go first."""
        assert process.stderr is not None  # noqa: S101 - asked for in _start
        words = _Words()
        try:
            while words.read(process.stderr):
                self.progress.update(", ".join([label, *words.counts()]))
        except BaseException:
            assert process.stdin is not None  # noqa: S101 - asked for in _start
            process.stdin.close()  # lets go of the tether
            process.wait()
            raise
        return words.last


class _Words:
    """What Go says while it builds with -v: `go: downloading …`, and a line for each package it compiles."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=_KEPT_LINES)
        self._rest = b""
        self._downloads = self._packages = 0

    def read(self, stream: IO[bytes]) -> bool:
        """Take in what comes within a second; False at the end."""
        readable, _, _ = select.select([stream], [], [], 1.0)
        if not readable:
            return True
        received = os.read(stream.fileno(), 65_536)
        *lines, self._rest = (self._rest + (received or b"\n")).split(b"\n")
        for line in (raw.decode(errors="replace") for raw in lines if raw):
            self.last.append(line)
            self._downloads += line.startswith("go: downloading ")
            self._packages += not line.startswith(("go: ", "#"))
        return bool(received)

    def counts(self) -> list[str]:
        """Tell how far Go is, for people."""
        fetched = [f"{self._downloads} modules fetched"] if self._downloads else []
        return fetched + ([f"{self._packages} packages"] if self._packages else [])


def package_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Give the environment in which a new Python finds this package, installed or not."""
    root = str(Path(__file__).parents[2])
    path = [root, *filter(None, [environment.get("PYTHONPATH")])]
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def _recipe(program: str) -> _Recipe:
    if program == "etcd":
        return _Recipe(sources=places.SOURCES / "etcd", package=_ETCD_PACKAGE, link_flags="-s -w")
    values = [f"-X k8s.io/component-base/version.{key}={value}" for key, value in _VERSION_VARIABLES.items()]
    return _Recipe(
        sources=places.SOURCES / "kubernetes",
        package=f"k8s.io/kubernetes/cmd/{program}",
        link_flags=" ".join(["-s", "-w", *values]),
    )


def _wanted_go() -> str:
    """Read the Go version that the sources ask for."""
    text = (places.SOURCES / "kubernetes" / "go.mod").read_text()
    found = re.search(r"^go (\S+)$", text, re.MULTILINE)
    if found is None:
        raise SandboxError(f"{places.SOURCES / 'kubernetes' / 'go.mod'} has no go directive")
    return found[1]


def _numbers(version: str) -> tuple[int, ...]:
    """Order Go versions: `go1.26.8` and `1.26.0`; a release candidate counts as its release."""
    found = re.match(r"(?:go)?(\d+)(?:\.(\d+))?(?:\.(\d+))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else (sys.maxsize,)


def _version(program: str) -> str:
    if program != "etcd":
        return KUBERNETES_VERSION
    found = re.search(rf"{_ETCD_PACKAGE} v(\S+)", (places.SOURCES / "etcd" / "go.mod").read_text())
    return found[1] if found else ""

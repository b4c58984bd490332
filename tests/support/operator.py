"""`nsiso run` as a process of its own, with the identity that the manifests give it, and its log."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from namespace_isolation.sandbox.build import package_environment
from tests.support.cluster import Cluster

__all__ = ["ACCOUNT", "OPERATOR_USER", "SYSTEM", "Line", "Operator", "free_port", "install", "operator_kubeconfig"]

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
SYSTEM = "nsiso-system"
ACCOUNT = "nsiso-operator"
OPERATOR_USER = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"
CRD = "namespaceisolations.nsiso.dev"

_READY_WITHIN = 30.0
_STOP_WITHIN = 10.0
_SHOWN = 80

# Linux ends the operator with the tests, in whatever way they end; the module is what the command `nsiso` runs.
_PROGRAM = """
import ctypes, runpy, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
runpy.run_module("namespace_isolation", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the operator's log; `fields` is empty where it is not JSON."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def event(self) -> str:
        """What happened."""
        return str(self.fields.get("event", self.text))

    @property
    def level(self) -> str:
        """How severe it is; a line that is not JSON was not meant to be there."""
        return str(self.fields.get("level", "unexpected"))


class Operator:
    """At most one operator process on the cluster: started, signalled, ended, and read.

    To be started from the main thread only, whose end is the operator's.
    """

    def __init__(self, kubeconfig: Path) -> None:
        """Start nothing yet; `kubeconfig` is used unless `start` gets another."""
        self.lines: list[Line] = []
        self.health_port = 0
        self.started_with: tuple[object, ...] | None = None
        self.kubeconfig = kubeconfig
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._news = threading.Condition()
        self._since_start = 0
        self._paused = False

    @property
    def working(self) -> bool:
        """Whether there is a process and it is not stopped."""
        return self.running and not self._paused

    @property
    def running(self) -> bool:
        """Whether there is a process, be it stopped."""
        return self._process is not None and self._process.poll() is None

    def start(self, *arguments: str, kubeconfig: Path | None = None) -> None:
        """Start the process; `ready` waits until it works."""
        if self.running:
            raise AssertionError("an operator is running already: two on one cluster would race")
        self._paused = False
        self.health_port = free_port()
        self.started_with = (arguments, kubeconfig)
        self._since_start = len(self.lines)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _PROGRAM, "run", f"--kubeconfig={kubeconfig or self.kubeconfig}"),
                *("--log-format=json", "--health-host=127.0.0.1", f"--health-port={self.health_port}"),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(),
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    async def ready(self, within: float = _READY_WITHIN) -> None:
        """Wait until the operator says that its caches are complete."""
        await self.logged("caches complete", since=self._since_start, within=within)

    async def logged(
        self,
        event: str,
        *,
        since: int | None = None,
        within: float = _READY_WITHIN,
        **fields: object,
    ) -> Line:
        """Wait for a line whose event holds the text and that has the fields; `since`: from which line on."""
        first = self._since_start if since is None else since

        def matches(line: Line) -> bool:
            return event in line.event and all(line.fields.get(key) == value for key, value in fields.items())

        return await asyncio.to_thread(self._line, matches, first, within, f"log line {event!r} {fields or ''}")

    def mark(self) -> int:
        """Give the present end of the log."""
        return len(self.lines)

    def complaints(self, since: int = 0) -> list[Line]:
        """Give the lines that are warnings, errors, or no proper lines, from a mark on."""
        return [line for line in self.lines[since:] if line.level not in {"debug", "info"}]

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process is not None
        self._paused = number is signal.SIGSTOP
        self._process.send_signal(number)

    async def ended(self, within: float = _STOP_WITHIN) -> int:
        """Wait for the end of the process and give its exit code."""
        process = self._process
        assert process is not None
        try:
            code = await asyncio.to_thread(process.wait, within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the operator did not end within {within} s\n{self.tail()}") from None
        self._close()
        return code

    async def stop(self, within: float = _STOP_WITHIN) -> int:
        """Ask the operator to stop and give its exit code."""
        self.send(signal.SIGTERM)
        return await self.ended(within)

    def kill(self) -> None:
        """End the process at once, if there is one, whatever state it is in."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def tail(self, since: int | None = None) -> str:
        """Give the last lines of the log as they were written, the last 80 by default."""
        lines = self.lines[-_SHOWN:] if since is None else self.lines[since:][-_SHOWN:]
        return "\n".join(line.text for line in lines)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for text in process.stdout:
            with self._news:
                self.lines.append(_line(text.rstrip("\n")))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _line(self, matches: Callable[[Line], bool], first: int, within: float, what: str) -> Line:
        deadline = time.monotonic() + within
        with self._news:
            while True:
                found = next((line for line in self.lines[first:] if matches(line)), None)
                if found is not None:
                    return found
                if self._reader is None or not self._reader.is_alive():
                    raise AssertionError(f"the operator ended before {what}\n{self.tail()}")
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{what}: not within {within} s\n{self.tail()}")

    def _close(self) -> None:
        assert self._process is not None
        if self._reader is not None:
            self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()


def install(cluster: Cluster) -> None:
    """Apply the manifests but the Deployment: the tests run the operator themselves, under its identity."""
    deployed = cluster.run_kubectl(
        "get", "deployment", ACCOUNT, "-n", SYSTEM, "--ignore-not-found", "-o", "jsonpath={.status.readyReplicas}"
    )
    if deployed.stdout.strip() not in {"", "0"}:
        raise AssertionError(f"an operator is running in this cluster: scale {SYSTEM}/{ACCOUNT} down first")
    rendered = yaml.safe_load_all(cluster.run_kubectl("kustomize", str(MANIFESTS)).stdout)
    items = [document for document in rendered if document["kind"] != "Deployment"]
    bundle = {"apiVersion": "v1", "kind": "List", "items": items}
    cluster.run_kubectl("apply", "-f", "-", stdin=json.dumps(bundle))
    cluster.run_kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")


def operator_kubeconfig(cluster: Cluster, path: Path, *, server: str | None = None, token: str | None = None) -> Path:
    """Write a kubeconfig with the operator's token and nothing else; `server` for another way to the cluster."""
    if token is None:
        request = ("create", "token", ACCOUNT, "-n", SYSTEM, "--duration=2h")
        token = cluster.run_kubectl(*request).stdout.strip()
    view = ("config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    admin = json.loads(cluster.run_kubectl(*view).stdout)
    target = admin["clusters"][0]["cluster"]
    if server is not None:
        target = {**target, "server": server}
    own = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "operator",
        "clusters": [{"name": "cluster", "cluster": target}],
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [{"name": "operator", "context": {"cluster": "cluster", "user": "operator"}}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(own))
    return path


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Give the tests' environment without other ways to a cluster."""
    hidden = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAMESPACE")
    return {key: value for key, value in package_environment().items() if key not in hidden}


def _line(text: str) -> Line:
    try:
        fields = json.loads(text)
    except ValueError:
        return Line(text)
    return Line(text, fields) if isinstance(fields, dict) else Line(text)

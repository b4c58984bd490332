"""A running sandbox as demo, tests and command line hold it; its processes live under a supervisor."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from namespace_isolation.sandbox import records
from namespace_isolation.sandbox.build import package_environment
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.programs import Programs, obtain
from namespace_isolation.sandbox.progress import Progress

__all__ = ["Sandbox"]

_READY_WITHIN = 120.0
_ANSWER_WITHIN = 4 * _READY_WITHIN
_STOP_WITHIN = 30.0
_ETCD_TIMEOUT = 10.0


class Sandbox:
    """A throwaway control plane: etcd, kube-apiserver and kube-controller-manager on loopback, with RBAC.

    It ends with the `with` block, with `stop`, and with this process, in whatever way that ends.
    """

    def __init__(self, supervisor: subprocess.Popen[bytes], programs: Programs, name: str | None) -> None:
        """Take over a supervisor that was just started; use `Sandbox.start` instead."""
        self._supervisor = supervisor
        self._name = name
        self._detached = False
        self._facts: dict[str, Any] = {}
        self.programs = programs

    @classmethod
    def start(
        cls,
        *,
        audit: bool = False,
        name: str | None = None,
        programs: Programs | None = None,
        progress: Progress | None = None,
        apiserver_flags: Sequence[str] = (),
    ) -> Self:
        """Start a control plane and return when it is ready; SandboxError says why it is not.

        `audit`: record every request at level Metadata in `audit_log`. `name`: what it is known by once it is
        detached; only one of a name runs. `apiserver_flags`: further flags of kube-apiserver.
        """
        programs = programs or obtain(progress or Progress())
        manager = programs.kube_controller_manager
        order = {
            "etcd": str(programs.etcd),
            "apiserver": str(programs.kube_apiserver),
            "controller_manager": None if manager is None else str(manager),
            "context": "nsiso-sandbox" if name in {None, records.DEFAULT_NAME} else f"nsiso-sandbox-{name}",
            "audit": audit,
            "apiserver_flags": list(apiserver_flags),
            "ready_within": _READY_WITHIN,
        }
        with records.reservation(name) as held:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "namespace_isolation.sandbox.supervisor"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=package_environment(),
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for this process; the supervisor then ends in order
                pass_fds=held,
            )
        sandbox = cls(supervisor, programs, name)
        try:
            sandbox._order(order)
        except BaseException:
            sandbox.stop()
            raise
        return sandbox

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator (group system:masters)."""
        return Path(self._facts["kubeconfig"])

    @property
    def server(self) -> str:
        """URL of the API server."""
        return str(self._facts["server"])

    @property
    def etcd_endpoint(self) -> str:
        """URL of etcd, without TLS."""
        return str(self._facts["etcd_endpoint"])

    @property
    def audit_log(self) -> Path:
        """The audit log, one JSON event a line; exists only with `audit=True`."""
        return Path(self._facts["audit_log"])

    @property
    def directory(self) -> Path:
        """Where certificates, data and logs (`<program>.log`) lie; removed at the end."""
        return Path(self._facts["directory"])

    @property
    def pids(self) -> dict[str, int]:
        """Process numbers by program, the supervisor's among them."""
        return {"supervisor": self._supervisor.pid, **self._facts["pids"]}

    @property
    def missing(self) -> tuple[str, ...]:
        """Programs that this sandbox has to do without."""
        return self.programs.missing

    def stop_apiserver(self) -> None:
        """Stop the API server; its port stays reserved and its data stay."""
        self._order({"do": "stop_apiserver"})

    def start_apiserver(self) -> None:
        """Start the API server again on the same port and data, and return when it is ready."""
        self._order({"do": "start_apiserver"})

    def compact_watch_window(self) -> int:
        """Make every resourceVersion up to now answer 410 Gone, and answer the revision of that moment.

        etcd forgets its history at once; the API server's watch cache would still serve it, so the API server
        is stopped before and started after. Watches break as they do in any restart.
        """
        self.stop_apiserver()
        revision = int(self._etcd("/v3/kv/range", {"key": "AA=="})["header"]["revision"])
        self._etcd("/v3/kv/compaction", {"revision": revision, "physical": True})
        self.start_apiserver()
        return revision

    def detach(self) -> None:
        """Let the sandbox run on when this process ends; `nsiso sandbox down --name …` stops it."""
        if self._name is None:
            raise SandboxError("a sandbox without a name cannot be detached: pass name=… to Sandbox.start")
        extra = {
            "name": self._name,
            "kubectl": str(self.programs.kubectl),
            "origin": self.programs.origin,
            "missing": list(self.missing),
        }
        self._order({"do": "detach", "record": str(records.file_of(self._name)), "extra": extra})
        self._detached = True

    def stop(self) -> None:
        """Stop the control plane and remove its directory; bounded."""
        supervisor = self._supervisor
        if supervisor.stdin is not None:
            supervisor.stdin.close()
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(_STOP_WITHIN)
        except subprocess.TimeoutExpired:
            supervisor.kill()
            supervisor.wait()
            message = f"the sandbox's supervisor (pid {supervisor.pid}) did not end and was killed"
            raise SandboxError(message) from None
        finally:
            if supervisor.stdout is not None:
                supervisor.stdout.close()

    def __enter__(self) -> Self:
        """Hand out the running sandbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it, unless it was detached."""
        if not self._detached:
            self.stop()

    def _order(self, order: dict[str, Any]) -> None:
        """Have the supervisor do something and take over what it answers."""
        assert self._supervisor.stdin is not None  # noqa: S101 - asked for in start
        try:
            self._supervisor.stdin.write(json.dumps(order).encode() + b"\n")
        except BrokenPipeError:
            raise SandboxError(f"the sandbox's supervisor (pid {self._supervisor.pid}) has ended") from None
        answer = self._answer()
        if answer["event"] != "done":
            raise SandboxError(answer["message"])
        self._facts.update(answer)

    def _answer(self) -> dict[str, Any]:
        assert self._supervisor.stdout is not None  # noqa: S101 - asked for in start
        descriptor = self._supervisor.stdout.fileno()
        deadline = time.monotonic() + _ANSWER_WITHIN
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            received = os.read(descriptor, 65_536) if readable else b""
            if not received:
                state = "ended" if readable else f"said nothing for {_ANSWER_WITHIN:.0f} s"
                raise SandboxError(f"the sandbox's supervisor (pid {self._supervisor.pid}) {state}")
            line += received
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _etcd(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        """Ask etcd through its JSON interface; past any proxy that the environment names."""
        address = self.etcd_endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=_ETCD_TIMEOUT)
        try:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            said = response.read()
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            raise SandboxError(f"etcd answered {path} with {response.status}: {said.decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(said)
        return answer

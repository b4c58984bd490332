"""Start and stop of one control plane, in order: etcd, API server, controller manager, and back."""

from __future__ import annotations

import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from namespace_isolation.sandbox import components
from namespace_isolation.sandbox.components import Layout
from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.process import ChildProcess, tail
from namespace_isolation.sandbox.versions import CONTROLLER_MANAGER

__all__ = ["ControlPlane", "Settings"]

Pause = Callable[[float], None]
"""Wait so many seconds; raises when the sandbox is to end."""

_INTERVAL = 0.05
_REQUEST_TIMEOUT = 2.0
_GRACE = {
    "etcd": 5.0,
    "kube-apiserver": 2.0,
    CONTROLLER_MANAGER: 3.0,
}  # open watches hold an API server
_FIRST_OBJECTS = tuple(
    f"/api/v1/namespaces/{name}" for name in ("default", "kube-system", "kube-public", "kube-node-lease")
)
_DEFAULT_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a control plane is made of; `controller_manager` is None where there is no such program."""

    etcd: Path
    apiserver: Path
    controller_manager: Path | None
    context: str
    audit: bool
    apiserver_flags: tuple[str, ...]
    ready_within: float


class ControlPlane:
    """The processes of one sandbox in one directory, on ports that stay reserved while they are down."""

    def __init__(self, directory: Path, settings: Settings, pause: Pause) -> None:
        """Reserve ports; nothing is started yet."""
        self._settings = settings
        self._pause = pause
        self._ports = ExitStack()
        self.layout = Layout(directory=directory, etcd_port=self._reserve_port(), apiserver_port=self._reserve_port())
        self._children: dict[str, ChildProcess] = {}
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Start everything and return when the API server serves the first objects of a cluster."""
        manager_token = secrets.token_hex(16)
        self.layout.tokens.touch(mode=0o600)
        self.layout.tokens.write_text(
            f'{self._token},sandbox-admin,sandbox-admin,"system:masters"\n'
            f'{manager_token},sandbox-controller-manager,sandbox-controller-manager,"system:masters"\n'
        )
        self._launch("etcd", components.etcd_command(self._settings.etcd, self.layout))
        self._wait_for("etcd", "/health", self._etcd_answers)
        self.start_apiserver()
        for path in _FIRST_OBJECTS:
            self._wait_for("kube-apiserver", path, partial(self._apiserver_has, path))
        context = self._settings.context
        self._write_kubeconfig(self.layout.kubeconfig, "sandbox-admin", self._token, context)
        if self._settings.controller_manager is not None:
            target = self.layout.controller_manager_kubeconfig
            self._write_kubeconfig(target, "sandbox-controller-manager", manager_token, context)
            command = components.controller_manager_command(self._settings.controller_manager, self.layout)
            self._launch(CONTROLLER_MANAGER, command)
            # The first default service account shows that the controllers work.
            self._wait_for(CONTROLLER_MANAGER, _DEFAULT_ACCOUNT, partial(self._apiserver_has, _DEFAULT_ACCOUNT))

    def start_apiserver(self) -> None:
        """Start the API server on its port and its data, and return when it is ready."""
        if self._runs("kube-apiserver"):
            return
        command = components.apiserver_command(
            self._settings.apiserver,
            self.layout,
            audit=self._settings.audit,
            service_accounts=self._settings.controller_manager is not None,
            extra=self._settings.apiserver_flags,
        )
        self._launch("kube-apiserver", command)
        self._wait_for("kube-apiserver", "/readyz", partial(self._apiserver_has, "/readyz"))

    def stop_apiserver(self) -> None:
        """Stop the API server; etcd and the controller manager go on."""
        self._stop("kube-apiserver")

    def stop(self) -> None:
        """Stop everything; the API server before etcd, without which it would not end."""
        for name in (CONTROLLER_MANAGER, "kube-apiserver", "etcd"):
            self._stop(name)
        self._ports.close()

    def pids(self) -> dict[str, int]:
        """Tell the processes that run."""
        return {name: child.pid for name, child in self._children.items() if child.exit_code() is None}

    def ended(self) -> dict[str, int]:
        """Tell the exit codes of processes that ended though nobody stopped them."""
        codes = {name: child.exit_code() for name, child in self._children.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def _reserve_port(self) -> int:
        """Bind a free port without listening: with SO_REUSEPORT only our own programs can listen on it."""
        reservation = self._ports.enter_context(socket.socket())
        reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reservation.bind(("127.0.0.1", 0))
        return int(reservation.getsockname()[1])

    def _launch(self, name: str, command: list[str]) -> None:
        self._children[name] = ChildProcess(name, command, self.layout.log(name))

    def _runs(self, name: str) -> bool:
        child = self._children.get(name)
        return child is not None and child.exit_code() is None

    def _stop(self, name: str) -> None:
        child = self._children.pop(name, None)
        if child is not None:
            child.stop(_GRACE[name])

    def _wait_for(self, name: str, what: str, answers: Callable[[], bool]) -> None:
        """Poll a foreign process until it answers; SandboxError with its last output if not."""
        child = self._children[name]
        deadline = time.monotonic() + self._settings.ready_within
        while not answers():
            code = child.exit_code()
            if code is not None:
                reason = f"{name} ended with exit code {code} before it was ready"
                raise SandboxError(f"{reason}. Its last output:\n{tail(child.log)}")
            if time.monotonic() > deadline:
                reason = f"{name} did not answer {what} within {self._settings.ready_within:.0f} s"
                raise SandboxError(f"{reason}. Its last output:\n{tail(child.log)}")
            self._pause(_INTERVAL)

    def _etcd_answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.layout.etcd_port, timeout=_REQUEST_TIMEOUT)
        return _status(connection, "/health", {}) == http.HTTPStatus.OK

    def _apiserver_has(self, path: str) -> bool:
        """Tell whether the API server answers 200; False while it has not even written its certificate."""
        try:
            context = ssl.create_default_context(cafile=self.layout.certificate)
        except (FileNotFoundError, ssl.SSLError):  # not written yet, or half written
            return False
        port = self.layout.apiserver_port
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_REQUEST_TIMEOUT, context=context)
        return _status(connection, path, {"Authorization": f"Bearer {self._token}"}) == http.HTTPStatus.OK

    def _write_kubeconfig(self, target: Path, user: str, token: str, context: str) -> None:
        target.touch(mode=0o600)
        target.write_text(components.kubeconfig(self.layout, user=user, token=token, context=context))


def _status(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> int | None:
    """Answer the HTTP status, or None where nobody answers yet."""
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

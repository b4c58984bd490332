"""The cluster that integration tests run on: the sandbox, a kind cluster, or kubectl's current context."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from namespace_isolation.sandbox import Sandbox

__all__ = ["Cluster", "current_cluster", "sandbox_cluster"]

_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster and the administrator's way into it; `sandbox` is None on clusters that are not ours."""

    kubeconfig: Path
    kubectl: Path
    sandbox: Sandbox | None = None

    def run_kubectl(
        self, *args: str, stdin: str | None = None, check: bool = True, timeout: float = _TIMEOUT
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as cluster administrator; AssertionError with its words if it fails under `check`."""
        done = subprocess.run(
            [self.kubectl, f"--kubeconfig={self.kubeconfig}", *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            message = f"kubectl {' '.join(args)} ended with {done.returncode}:\n{done.stderr}{done.stdout}"
            raise AssertionError(message)
        return done

    def get(self, *args: str) -> Any:  # noqa: ANN401 - JSON as served
        """Read objects as JSON: `kubectl get … -o json`."""
        return json.loads(self.run_kubectl("get", *args, "-o", "json").stdout)

    def own_sandbox(self) -> Sandbox:
        """Give the sandbox, for tests marked `sandbox_only`."""
        if self.sandbox is None:
            raise AssertionError("this needs the sandbox: mark the test with @pytest.mark.sandbox_only")
        return self.sandbox

    def audit_position(self) -> int:
        """Mark the present end of the audit log, in bytes, for `audit_events`."""
        return self.own_sandbox().audit_log.stat().st_size

    def audit_events(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Read the audit log from a position on; an event is written before the request is answered."""
        with self.own_sandbox().audit_log.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.endswith(b"\n"):
                    yield json.loads(line)

    def audited_writes(self, since: int = 0, *, user: str | None = None) -> list[dict[str, Any]]:
        """Read the writes from a position on: of one user, or of all but the control plane itself."""
        return [
            event
            for event in self.audit_events(since)
            if event["verb"] in {"create", "update", "patch", "delete", "deletecollection"}
            and event["stage"] == "ResponseComplete"
            and _concerns(event["user"]["username"], user)
        ]


def _concerns(found: str, wanted: str | None) -> bool:
    if wanted is not None:
        return found == wanted
    return found not in {"system:apiserver", "sandbox-controller-manager"}


def sandbox_cluster(sandbox: Sandbox) -> Cluster:
    """Describe a running sandbox."""
    return Cluster(kubeconfig=sandbox.kubeconfig, kubectl=sandbox.programs.kubectl, sandbox=sandbox)


def current_cluster(directory: Path) -> Cluster:
    """Describe the cluster of kubectl's current context, with a kubeconfig of its own in `directory`."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise RuntimeError("--cluster=current needs kubectl on the PATH")
    view = [kubectl, "config", "view", "--raw", "--minify", "--flatten"]
    shown = subprocess.run(view, capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        raise RuntimeError(f"--cluster=current: kubectl finds no current context: {shown.stderr.strip()}")
    kubeconfig = directory / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(shown.stdout)
    return Cluster(kubeconfig=kubeconfig, kubectl=Path(kubectl))

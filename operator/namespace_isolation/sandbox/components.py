"""How etcd, the API server and the controller manager are called: paths and ports in, command lines out."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Layout", "apiserver_command", "controller_manager_command", "etcd_command", "kubeconfig"]

CONTROLLERS = (
    "namespace-controller",
    "garbage-collector-controller",
    "serviceaccount-controller",
    "clusterrole-aggregation-controller",
)
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The files and endpoints of one sandbox."""

    directory: Path
    etcd_port: int
    apiserver_port: int

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://127.0.0.1:{self.apiserver_port}"

    @property
    def etcd_endpoint(self) -> str:
        """URL of etcd, for its gRPC and its JSON interface; no TLS, loopback only."""
        return f"http://127.0.0.1:{self.etcd_port}"

    @property
    def certificate(self) -> Path:
        """The serving certificate with its authority, written by the API server at its first start."""
        return self.directory / "certificates" / "apiserver.crt"

    @property
    def key(self) -> Path:
        """The API server's own key; it signs service account tokens, too, so nothing else makes keys."""
        return self.directory / "certificates" / "apiserver.key"

    @property
    def tokens(self) -> Path:
        """The static tokens of the administrators."""
        return self.directory / "tokens.csv"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.directory / "kubeconfig"

    @property
    def controller_manager_kubeconfig(self) -> Path:
        """The controller manager's kubeconfig: a user of its own, so that audit logs tell the two apart."""
        return self.directory / "controller-manager.kubeconfig"

    @property
    def audit_policy(self) -> Path:
        """What the API server records."""
        return self.directory / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """One JSON event a line, level Metadata."""
        return self.directory / "audit.log"

    def log(self, program: str) -> Path:
        """Where a program's output goes."""
        return self.directory / f"{program}.log"


def etcd_command(program: Path, layout: Layout) -> list[str]:
    """Call etcd for data that nobody misses after a crash of the machine."""
    return [
        str(program),
        f"--data-dir={layout.directory / 'etcd'}",
        f"--listen-client-urls={layout.etcd_endpoint}",
        f"--advertise-client-urls={layout.etcd_endpoint}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--socket-reuse-port",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=8589934592",
        "--log-level=warn",
    ]


def apiserver_command(
    program: Path, layout: Layout, *, audit: bool, service_accounts: bool, extra: tuple[str, ...] = ()
) -> list[str]:
    """Call kube-apiserver on loopback with RBAC.

    `service_accounts`: whether the controller manager makes the default service accounts; without it
    the ServiceAccount admission plugin would refuse every pod.
    """
    command = [
        str(program),
        f"--etcd-servers={layout.etcd_endpoint}",
        f"--secure-port={layout.apiserver_port}",
        "--permit-port-sharing",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # 127.0.0.1 cannot be an endpoint of the kubernetes Service
        f"--cert-dir={layout.certificate.parent}",
        f"--token-auth-file={layout.tokens}",
        f"--service-account-key-file={layout.key}",
        f"--service-account-signing-key-file={layout.key}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
    ]
    if not service_accounts:
        command.append("--disable-admission-plugins=ServiceAccount")
    if audit:
        layout.audit_policy.write_text(json.dumps(_AUDIT_POLICY))
        command += [f"--audit-policy-file={layout.audit_policy}", f"--audit-log-path={layout.audit_log}"]
        command += ["--audit-log-maxsize=4096"]  # megabytes; a rotated log would hide events from its readers
    return [*command, *extra]


def controller_manager_command(program: Path, layout: Layout) -> list[str]:
    """Call kube-controller-manager with the controllers that namespaces, owners and roles need."""
    return [
        str(program),
        f"--kubeconfig={layout.controller_manager_kubeconfig}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def kubeconfig(layout: Layout, *, user: str, token: str, context: str) -> str:
    """Render a kubeconfig (JSON, which is YAML) that trusts the API server's own certificate."""
    authority = base64.b64encode(layout.certificate.read_bytes()).decode()
    cluster = {"server": layout.server, "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": user, "namespace": "default"}}],
    }
    return json.dumps(config, indent=2) + "\n"

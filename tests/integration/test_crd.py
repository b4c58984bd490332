"""The API server refuses what `parse_spec` refuses and accepts what it accepts, and `kubectl explain` teaches."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from namespace_isolation.cluster.connection import connection_from
from namespace_isolation.model.names import API_VERSION, GROUP, KIND, PLURAL, VERSION
from namespace_isolation.model.resource import IsolationSpec, parse_spec, wire
from namespace_isolation.model.resource_status import IsolationStatus
from tests.support.cluster import Cluster
from tests.tables.bad_inputs import BAD_INPUTS
from tests.tables.good_inputs import GOOD_INPUTS
from tests.tables.shapes import UNKNOWN_FIELD, BadInput, Spec, spec

CRD = Path(__file__).resolve().parents[2] / "crds" / f"{PLURAL}.{GROUP}.yaml"
ISOLATIONS = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
OPENAPI = f"/openapi/v3/apis/{GROUP}/{VERSION}"
PUBLISHED_WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the API server said."""

    code: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        """The whole message, for people."""
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Path and message of each fault."""
        details = self.body.get("details") or {}
        return [(each.get("field", ""), each["message"]) for each in details.get("causes", ())]


class Server:
    """One kept connection to the API server as administrator: a process of kubectl per case takes minutes."""

    def __init__(self, kubeconfig: Path) -> None:
        """Connect as the kubeconfig says."""
        asyncio.run(self._connect(kubeconfig))

    async def _connect(self, kubeconfig: Path) -> None:
        connection = await connection_from(kubeconfig=kubeconfig)
        address = urlsplit(connection.server)
        self._headers = {**await connection.authorization(), "Content-Type": "application/json"}
        self._http = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=connection.ssl_context(), timeout=60
        )

    def request(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request."""
        self._http.request(method, path, None if body is None else json.dumps(body), self._headers)
        response = self._http.getresponse()
        return Answer(code=response.status, body=json.loads(response.read()))

    def try_isolation(self, given_spec: object, name: str = "table-case") -> Answer:
        """Create an isolation without storing it, with strict field validation as kubectl asks for by default."""
        return self._try(ISOLATIONS, API_VERSION, KIND, name, given_spec)

    def try_policy(self, given_spec: object) -> Answer:
        """Create a NetworkPolicy without storing it."""
        return self._try(POLICIES, "networking.k8s.io/v1", "NetworkPolicy", "table-case", given_spec)

    def _try(self, path: str, version: str, kind: str, name: str, given_spec: object) -> Answer:
        body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": given_spec}
        return self.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", body)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Cluster:
    """Give a cluster with the CRD."""
    cluster.run_kubectl("apply", "-f", str(CRD))
    cluster.run_kubectl("wait", "--for=condition=Established", f"crd/{PLURAL}.{GROUP}", "--timeout=30s")
    return cluster


@pytest.fixture(scope="module")
def server(installed: Cluster) -> Iterator[Server]:
    """Give a connection to the API server that has the CRD."""
    connected = Server(installed.kubeconfig)
    yield connected
    connected.close()


@pytest.mark.parametrize("given_spec", [pytest.param(good.spec, id=good.title) for good in GOOD_INPUTS])
def test_good_input_is_accepted(server: Server, given_spec: Spec) -> None:
    """The API server takes every good input, and what it stores reads as the same."""
    answer = server.try_isolation(given_spec)

    assert answer.code == 201, answer.message
    assert parse_spec(answer.body["spec"]) == parse_spec(given_spec)


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.title) for bad in BAD_INPUTS])
def test_bad_input_is_refused(server: Server, bad: BadInput) -> None:
    """The API server refuses every bad input at its place, with the mend."""
    answer = server.try_isolation(bad.spec)
    path, says = bad.server_path or bad.path, bad.server_says or bad.says

    if says == UNKNOWN_FIELD:
        assert answer.code == 400
        assert f'{UNKNOWN_FIELD} "{path}"' in answer.message
        return
    assert answer.code == 422, answer.message
    assert [cause for cause in answer.causes if cause[0] == path and says in cause[1]], answer.causes


@pytest.mark.parametrize("given_spec", [pytest.param(good.spec, id=good.title) for good in GOOD_INPUTS])
def test_parts_of_a_good_input_make_policies(server: Server, given_spec: Spec) -> None:
    """Peers, ports and verbatim specs that we accept are accepted in a NetworkPolicy, too."""
    refused = [
        answer.message
        for policy in _policies(parse_spec(given_spec))
        if (answer := server.try_policy(policy)).code != 201
    ]

    assert refused == []


def _policies(accepted: IsolationSpec) -> Iterator[dict[str, Any]]:
    """Write one policy per verbatim policy, one for dns, and one of the first and last allow entries."""
    for policy in accepted.policies:
        yield wire(policy.spec)
    yield {"podSelector": {}, "egress": [{key: wire(accepted.dns).get(key, []) for key in ("to", "ports")}]}
    for entry in {entry.name: entry for entry in (*accepted.allow[:1], *accepted.allow[-1:])}.values():
        written = wire(entry)
        yield {
            "podSelector": {},
            "ingress": [{key: written[key] for key in ("from", "ports") if key in written}],
            "egress": [{key: written[key] for key in ("to", "ports") if key in written}],
        }


@pytest.mark.parametrize(("length", "code"), [(63, 201), (64, 422)])
def test_names_of_isolations_fit_into_labels(server: Server, length: int, code: int) -> None:
    """The name of an isolation has at most 63 characters, because it becomes a label."""
    answer = server.try_isolation(spec(), name="n" * length)

    assert answer.code == code
    assert code == 201 or "metadata.name must have at most 63 characters" in answer.message


def test_defaults_are_filled_in_as_we_read_them(server: Server) -> None:
    """What the API server fills in equals what `parse_spec` does."""
    assert server.try_isolation(spec()).body["spec"] == wire(parse_spec(spec()))


def test_kubectl_refuses_unknown_fields(installed: Cluster) -> None:
    """A misspelt field is noticed by kubectl as people use it."""
    isolation = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "misspelt"}, "spec": spec(alow=[])}
    done = installed.run_kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(isolation), check=False)

    assert done.returncode != 0
    assert 'unknown field "spec.alow"' in done.stderr


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("nsiso", "isolates namespaces from each other"),
        ("nsiso.spec.namespaces.names", "* stands for any characters"),
        ("nsiso.spec.allow.from", "A peer with only a podSelector is in the namespace itself"),
        ("nsiso.spec.allow.ports.endPort", "The last port of a range"),
        ("nsiso.spec.mode", "Audit writes and enforces nothing: status.audit says what Enforce would do"),
        ("nsiso.spec.unmanagedPolicies", "Report (default) them in status.unmanaged, Ignore them, or Remove them"),
        ("nsiso.spec.allow.ports.port", "The port's number without quotes, or the name"),
        ("nsiso.spec.dns.to", "Default: pods k8s-app=kube-dns in kube-system"),
        ("nsiso.spec.dns.to", "only a podSelector means pods of the isolated namespace itself"),
        ("nsiso.spec.policies.spec.policyTypes", "The directions that the policy isolates"),
        ("nsiso.status.drift.recent.manager", "unknown where managedFields do not tell"),
        ("nsiso.status.drift.recent.changed", "When that field manager made its last change"),
        ("nsiso.status.unmanaged.recent.wideOpen", "every peer on every port"),
        ("nsiso.status.unmanaged.recent.kept", "Why it is not removed"),
        ("nsiso.status.audit.first.why", "Unmanaged: it is somebody else's and allows more"),
    ],
)
def test_explain_teaches(installed: Cluster, server: Server, field: str, sentence: str) -> None:
    """`kubectl explain` says what a field does."""
    _wait_until_published(server)

    explained = installed.run_kubectl("explain", field).stdout

    assert sentence in " ".join(explained.split())


def _wait_until_published(server: Server) -> None:
    """Return when the API server has published the schema, which it does a moment after Established."""
    deadline = time.monotonic() + PUBLISHED_WITHIN
    while server.request("GET", OPENAPI).code != 200:
        assert time.monotonic() < deadline, f"no {OPENAPI} within {PUBLISHED_WITHIN} s"


def test_get_shows_the_state(installed: Cluster) -> None:
    """The full status is accepted by its schema, and `kubectl get nsiso` shows what matters in columns."""
    isolation = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "columns"},
        "spec": {"namespaces": {"names": ["no-such-namespace"]}, "mode": "Audit"},
    }
    installed.run_kubectl("apply", "-f", "-", stdin=json.dumps(isolation))
    try:
        patch = json.dumps({"status": _STATUS})
        installed.run_kubectl("patch", "nsiso", "columns", "--subresource=status", "--type=merge", "-p", patch)
        stored = installed.get("nsiso", "columns")["status"]
        header, row = installed.run_kubectl("get", "nsiso", "columns").stdout.splitlines()
        wide_header, wide_row = installed.run_kubectl("get", "nsiso", "columns", "-o", "wide").stdout.splitlines()
    finally:
        installed.run_kubectl("delete", "nsiso", "columns")

    assert stored == _STATUS
    assert wire(IsolationStatus.model_validate(stored)) == _STATUS
    assert header.split() == ["NAME", "MODE", "NAMESPACES", "POLICIES", "DRIFT", "READY", "AGE"]
    assert row.split()[:6] == ["columns", "Audit", "11/12", "47/48", "17", "False"]
    assert wide_header.split()[7:] == ["REASON", "OUTSTANDING", "FAILED", "UNMANAGED", "MESSAGE"]
    assert wide_row.split()[7:11] == ["Drifted", "1", "0", "2"]
    assert wide_row.rstrip().endswith("1 of 12 namespaces is not in sync")


def test_a_status_of_nobody_is_about_no_generation(installed: Cluster) -> None:
    """Before the operator has looked, the status says so: no tool that waits takes the resource for done."""
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "new"}, "spec": spec()}
    installed.run_kubectl("apply", "-f", "-", stdin=json.dumps(document))
    try:
        stored = installed.get("nsiso", "new")
    finally:
        installed.run_kubectl("delete", "nsiso", "new")
    assert stored["status"] == {"observedGeneration": -1}


_NOW = "2026-01-02T03:04:05Z"
_STATUS = {
    "observedGeneration": 3,
    "namespaces": {"summary": "11/12", "matched": 12, "inSync": 11, "drifted": 1, "failed": 0},
    "policies": {"summary": "47/48", "desired": 48, "inPlace": 47},
    "audit": {
        "create": 1,
        "update": 2,
        "delete": 3,
        "first": [{"namespace": "payments", "policy": "allow-all", "action": "Delete", "why": "Unmanaged"}],
    },
    "drift": {
        "corrected": 17,
        "outstanding": 1,
        "recent": [
            {
                "namespace": "payments",
                "policy": "team-payments.default-deny-all",
                "kind": "Modified",
                "fields": ["spec.egress"],
                "manager": "kubectl-edit",
                "changed": _NOW,
                "action": "Corrected",
                "time": _NOW,
            }
        ],
    },
    "problems": [{"namespace": "payments-eu", "reason": "Forbidden", "message": "may not create policies"}],
    "unmanaged": {
        "count": 2,
        "recent": [
            {
                "namespace": "payments",
                "policy": "allow-all",
                "widens": ["Ingress", "Egress"],
                "wideOpen": ["Ingress"],
                "kept": "another controller owns it",
            }
        ],
    },
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "observedGeneration": 3,
            "lastTransitionTime": _NOW,
            "reason": "Drifted",
            "message": "1 of 12 namespaces is not in sync",
        }
    ],
}

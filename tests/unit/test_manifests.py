"""What the manifests grant, run and show: the operator's rights word for word, its pod, and the samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from namespace_isolation.engine.settings import Settings
from namespace_isolation.model import names
from namespace_isolation.model.resource import parse_spec

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
SAMPLES = sorted((MANIFESTS / "samples").glob("*.yaml"))
OBJECTS = ("namespace.yaml", "rbac.yaml", "deployment.yaml")

RIGHTS = {
    ("nsiso.dev", "namespaceisolations"): {"get", "list", "watch", "patch"},
    ("nsiso.dev", "namespaceisolations/status"): {"patch"},
    ("events.k8s.io", "events"): {"create", "patch"},
    ("", "namespaces"): {"list", "watch"},
    ("networking.k8s.io", "networkpolicies"): {"get", "list", "watch", "create", "update", "delete"},
    ("apiextensions.k8s.io", "customresourcedefinitions"): {"list", "watch"},
}


def read(path: Path) -> list[dict[str, Any]]:
    """Read the objects of one file."""
    return list(yaml.safe_load_all(path.read_text()))


def find(kind: str) -> dict[str, Any]:
    """Find the one object of a kind in the manifests."""
    (found,) = (item for file in OBJECTS for item in read(MANIFESTS / file) if item["kind"] == kind)
    return found


def pod() -> dict[str, Any]:
    """Read the spec of the operator's pod."""
    spec: dict[str, Any] = find("Deployment")["spec"]["template"]["spec"]
    return spec


def container() -> dict[str, Any]:
    """Read the one container of the operator's pod."""
    (only,) = pod()["containers"]
    assert isinstance(only, dict)
    return only


def test_the_operator_has_these_rights_and_no_other() -> None:
    """The ClusterRole is the whole list: what is not in it, the operator cannot do."""
    rules = find("ClusterRole")["rules"]
    assert [set(rule) for rule in rules] == [{"apiGroups", "resources", "verbs"}] * len(rules)
    granted = {
        (group, resource): set(rule["verbs"])
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert granted == RIGHTS


def test_the_rights_go_to_the_operator_alone() -> None:
    """One binding gives the role to the ServiceAccount that the pod runs as; there is no other binding."""
    account, role, binding = find("ServiceAccount"), find("ClusterRole"), find("ClusterRoleBinding")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": role["metadata"]["name"],
    }
    assert binding["subjects"] == [
        {
            "kind": "ServiceAccount",
            "name": account["metadata"]["name"],
            "namespace": account["metadata"]["namespace"],
        }
    ]
    assert pod()["serviceAccountName"] == account["metadata"]["name"]
    kinds = [item["kind"] for file in OBJECTS for item in read(MANIFESTS / file)]
    assert sorted(kinds) == ["ClusterRole", "ClusterRoleBinding", "Deployment", "Namespace", "ServiceAccount"]


def test_everything_is_part_of_the_kustomization() -> None:
    """`kubectl apply -k manifests/` takes every file beside it, the resource's definition, and no sample."""
    listed = read(MANIFESTS / "kustomization.yaml")[0]["resources"]
    beside = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == beside | {"../crds"} == set(OBJECTS) | {"../crds"}
    crds = MANIFESTS.parent / "crds"
    definitions = {path.name for path in crds.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(read(crds / "kustomization.yaml")[0]["resources"]) == definitions != set()


def test_the_namespace_admits_only_restricted_pods() -> None:
    """Pod Security Admission holds the operator's namespace to the profile `restricted`."""
    labels = find("Namespace")["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_the_pod_can_write_nothing_and_become_nobody_else() -> None:
    """A numeric user, no privileges, a read-only root filesystem, and no volume to write to."""
    assert pod()["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "volumes" not in pod()


def test_only_one_operator_writes_at_a_time() -> None:
    """Without leader election the old pod must go before the new one comes."""
    spec = find("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_the_probes_ask_the_port_that_is_named() -> None:
    """Both probes go to the named port, each to its own path."""
    assert container()["ports"] == [{"name": "http", "containerPort": 8080}]
    probes = {kind: container()[kind]["httpGet"] for kind in ("livenessProbe", "readinessProbe")}
    assert probes == {
        "livenessProbe": {"path": "/healthz", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }


def test_an_outage_of_the_api_server_does_not_become_a_crash_loop() -> None:
    """Between two restarts the container runs longer than the 10 minutes after which the kubelet stops backing off."""
    probe = container()["livenessProbe"]
    assert Settings().contact_limit + probe["periodSeconds"] * probe["failureThreshold"] > 600
    assert not any(argument.startswith("--contact-limit") for argument in container()["args"])


def test_the_operator_knows_its_own_namespace() -> None:
    """POD_NAMESPACE comes from the downward API: the operator's namespace is protected wherever it runs."""
    (variable,) = container()["env"]
    assert variable == {
        "name": "POD_NAMESPACE",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
    }


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_a_valid_isolation(path: Path) -> None:
    """Every sample is one NamespaceIsolation whose spec has no fault."""
    (sample,) = read(path)
    assert (sample["apiVersion"], sample["kind"]) == (names.API_VERSION, names.KIND)
    assert set(sample) == {"apiVersion", "kind", "metadata", "spec"}
    parse_spec(sample["spec"])


def test_there_are_samples() -> None:
    """The table above is not empty, and the demo's sample is in it."""
    assert "payments" in {path.stem for path in SAMPLES}
    assert len(SAMPLES) >= 4

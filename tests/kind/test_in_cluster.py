"""The operator as users run it: its image in kind, rolled out from the manifests, a resource applied."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pytest_kind import KindCluster

from tests.support.cluster import Cluster

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "manifests" / "samples" / "payments.yaml"
POD = ("-n", "nsiso-system", "deployment/nsiso-operator")
POLICIES = {
    "payments.default-deny-all",
    "payments.allow-dns-egress",
    "payments.allow-frontend-to-backend-ingress",
    "payments.allow-frontend-to-backend-egress",
    "payments.allow-backend-to-database-ingress",
    "payments.allow-backend-to-database-egress",
    "payments.allow-prometheus-ingress",
    "payments.allow-payment-provider-egress",
}

# What a process in the pod is and can do, as one line of JSON.
PROBE = r"""
import json, os, pathlib
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
try:
    pathlib.Path("/tmp/file").write_text("")
    wrote = "a file"
except OSError as error:
    wrote = os.strerror(error.errno)
print(json.dumps([os.getuid(), os.getgid(), int(status["CapEff"], 16), status["NoNewPrivs"], wrote]))
"""


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    """Build the image under a name of its own, and remove it."""
    name = f"nsiso-test:{uuid.uuid4().hex[:12]}"
    build = ["docker", "build", "--quiet", "--tag", name]
    base = os.environ.get("PYTHON_IMAGE")
    if base:
        build += ["--build-arg", f"PYTHON_IMAGE={base}"]
    subprocess.run([*build, str(ROOT)], check=True)
    yield name
    subprocess.run(["docker", "image", "rm", "--force", name], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def operator(kind_cluster: KindCluster, image: str, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Roll the operator out with that image; where it does not come up, say what its pod says."""
    kind_cluster.load_docker_image(image)
    kind_cluster.ensure_kubectl()
    cluster = Cluster(
        kubeconfig=Path(kind_cluster.kubeconfig_path).resolve(),
        kubectl=Path(kind_cluster.kubectl_path).resolve(),
    )
    overlay = tmp_path_factory.mktemp("overlay").resolve()
    name, tag = image.split(":")
    kustomization = {
        "resources": [os.path.relpath(ROOT / "manifests", overlay)],
        "images": [{"name": "nsiso", "newName": name, "newTag": tag}],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    cluster.run_kubectl("apply", "-k", str(overlay))
    rollout = cluster.run_kubectl("rollout", "status", *POD, "--timeout=100s", check=False)
    if rollout.returncode != 0:
        pods = cluster.run_kubectl("describe", "pods", "-n", "nsiso-system").stdout
        log = cluster.run_kubectl("logs", *POD, "--tail=50", check=False).stdout
        raise AssertionError(f"the operator did not become ready: {rollout.stderr}\n{pods}\n{log}")
    return cluster


@pytest.fixture
def isolated(operator: Cluster) -> Iterator[Cluster]:
    """Make the namespace and the isolation of the sample; both are gone afterwards."""
    operator.run_kubectl("create", "namespace", "payments")
    operator.run_kubectl("apply", "-f", str(SAMPLE))
    yield operator
    operator.run_kubectl("delete", "-f", str(SAMPLE), "--ignore-not-found", "--timeout=60s")
    operator.run_kubectl("delete", "namespace", "payments", "--timeout=60s")


def policies(cluster: Cluster) -> set[str]:
    """Name the policies in the namespace."""
    return {item["metadata"]["name"] for item in cluster.get("networkpolicies", "-n", "payments")["items"]}


def test_a_namespace_is_isolated_and_set_free_again(isolated: Cluster) -> None:
    """The sample becomes Ready with every policy in place, and takes all of them away when it goes."""
    isolated.run_kubectl("wait", "--for=condition=Ready", "nsiso/payments", "--timeout=60s")
    assert policies(isolated) == POLICIES
    counted = isolated.get("nsiso", "payments")["status"]["policies"]
    assert (counted["desired"], counted["inPlace"]) == (len(POLICIES), len(POLICIES))

    isolated.run_kubectl("delete", "nsiso", "payments", "--timeout=60s")
    assert policies(isolated) == set()


def test_a_deleted_policy_comes_back(isolated: Cluster) -> None:
    """What somebody deletes by hand is there again, as another object."""
    isolated.run_kubectl("wait", "--for=condition=Ready", "nsiso/payments", "--timeout=60s")
    deny = ("networkpolicy", "payments.default-deny-all", "-n", "payments")
    before = isolated.get(*deny)["metadata"]["uid"]
    isolated.run_kubectl("delete", *deny)
    isolated.run_kubectl("wait", "--for=create", *deny, "--timeout=60s")
    assert isolated.get(*deny)["metadata"]["uid"] != before


def test_the_operator_runs_without_privileges(operator: Cluster) -> None:
    """In the pod: a numeric user, no capabilities, no new privileges, a filesystem that takes no file."""
    told = json.loads(operator.run_kubectl("exec", *POD, "--", "python", "-c", PROBE).stdout)
    assert told == [65532, 65532, 0, "1", "Read-only file system"]


def test_the_operator_has_not_been_restarted(operator: Cluster) -> None:
    """After all of that the first pod still runs, with its probes passing."""
    (pod,) = operator.get("pods", "-n", "nsiso-system")["items"]
    (container,) = pod["status"]["containerStatuses"]
    assert (container["restartCount"], container["ready"]) == (0, True)


def test_the_log_is_json(operator: Cluster) -> None:
    """Every line that the pod has written is one JSON object, Kopf's own lines among them."""
    lines = operator.run_kubectl("logs", *POD).stdout.splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)

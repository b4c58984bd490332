"""What the manifests do on a real API server: all of it applies, and the operator can do its work only."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cluster import Cluster

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
SAMPLES = sorted((MANIFESTS / "samples").glob("*.yaml"))
SYSTEM = "nsiso-system"
OPERATOR = "nsiso-operator"

# Group, resource and verbs as the API server itself adds them up; the last three belong to every identity.
RIGHTS = {
    "nsiso.dev namespaceisolations": "get list patch watch",
    "nsiso.dev namespaceisolations/status": "patch",
    " namespaces": "list watch",
    "networking.k8s.io networkpolicies": "create delete get list update watch",
    "apiextensions.k8s.io customresourcedefinitions": "list watch",
    "events.k8s.io events": "create patch",
    "authentication.k8s.io selfsubjectreviews": "create",
    "authorization.k8s.io selfsubjectaccessreviews": "create",
    "authorization.k8s.io selfsubjectrulesreviews": "create",
}
Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Cluster]:
    """Install everything, and take the Deployment away again: tests run operators of their own."""
    cluster.run_kubectl("apply", "-k", str(MANIFESTS))
    cluster.run_kubectl("wait", "--for=condition=Established", "crd/namespaceisolations.nsiso.dev", "--timeout=30s")
    yield cluster
    cluster.run_kubectl("delete", "deployment", OPERATOR, "-n", SYSTEM, "--wait=false")


@pytest.fixture(scope="module")
def namespace(installed: Cluster) -> Iterator[str]:
    """Make a namespace with a Secret, a policy, and an isolation of nothing, for requests to be tried on."""
    name = "rights-of-the-operator"
    installed.run_kubectl("create", "namespace", name)
    installed.run_kubectl("create", "secret", "generic", "password", "--from-literal=it=is", "-n", name)
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "kept", "namespace": name},
        "spec": {"podSelector": {}},
    }
    installed.run_kubectl("create", "-f", "-", stdin=json.dumps(policy))
    isolation = {
        "apiVersion": "nsiso.dev/v1alpha1",
        "kind": "NamespaceIsolation",
        "metadata": {"name": name},
        "spec": {"namespaces": {"names": ["no-such-namespace"]}},
    }
    installed.run_kubectl("create", "-f", "-", stdin=json.dumps(isolation))
    yield name
    removal = json.dumps({"metadata": {"finalizers": None}})
    installed.run_kubectl("patch", "nsiso", name, "--type=merge", "-p", removal)
    installed.run_kubectl("delete", "nsiso", name)
    installed.run_kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def as_operator(installed: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """Run kubectl as the operator, with a token of the TokenRequest API and no other credentials."""
    token = installed.run_kubectl("create", "token", OPERATOR, "-n", SYSTEM, "--duration=1h").stdout.strip()
    admin = json.loads(installed.run_kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json").stdout)
    context = {"name": "operator", "context": {"cluster": admin["clusters"][0]["name"], "user": "operator"}}
    own = admin | {
        "users": [{"name": "operator", "user": {"token": token}}],
        "contexts": [context],
        "current-context": "operator",
    }
    kubeconfig = tmp_path_factory.mktemp("operator") / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(own))
    operator = Cluster(kubeconfig=kubeconfig, kubectl=installed.kubectl)
    return operator.run_kubectl


def test_everything_applies_again_without_change_or_warning(installed: Cluster) -> None:
    """A second apply finds nothing to change, and Pod Security Admission does not warn of the Deployment."""
    again = installed.run_kubectl("apply", "-k", str(MANIFESTS))
    changed = [line for line in again.stdout.splitlines() if not line.endswith(" unchanged")]
    assert (changed, again.stderr) == ([], "")


def test_the_api_server_knows_every_field(installed: Cluster) -> None:
    """Replacing all of it under strict validation, in a server-side dry run, brings no error or warning."""
    replace = ("replace", "-k", str(MANIFESTS), "--dry-run=server", "--validate=strict")
    done = installed.run_kubectl(*replace)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 6


def test_the_image_can_be_replaced(cluster: Cluster, tmp_path: Path) -> None:
    """An overlay sets the image, as users and the test in kind do."""
    overlay = {
        "resources": [os.path.relpath(MANIFESTS, tmp_path.resolve())],
        "images": [{"name": "nsiso", "newName": "example.test/nsiso", "newTag": "1.2.3"}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    rendered = list(yaml.safe_load_all(cluster.run_kubectl("kustomize", str(tmp_path)).stdout))
    (deployment,) = (item for item in rendered if item["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "example.test/nsiso:1.2.3"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_accepted(installed: Cluster, path: Path) -> None:
    """The API server accepts every sample under strict validation."""
    done = installed.run_kubectl("create", "-f", str(path), "--dry-run=server", "--validate=strict")
    assert done.stderr == ""


def test_the_api_server_adds_up_exactly_these_rights(as_operator: Kubectl) -> None:
    """SelfSubjectRulesReview, asked with the operator's own token, gives the table and nothing else."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": "default"},
    }
    answer = json.loads(as_operator("create", "-f", "-", "-o", "json", stdin=json.dumps(review)).stdout)
    assert answer["status"]["incomplete"] is False
    assert _table(answer["status"]["resourceRules"]) == RIGHTS


NEEDED: dict[str, tuple[str, ...]] = {
    "see whether the resource exists": ("get", "customresourcedefinitions"),
    "list the isolations": ("get", "nsiso"),
    "read an isolation": ("get", "nsiso", "NAME"),
    "put a finalizer on an isolation": (
        "patch",
        "nsiso",
        "NAME",
        "--type=merge",
        '--patch={"metadata": {"finalizers": ["nsiso.dev/policies"]}}',
    ),
    "list the namespaces": ("get", "namespaces"),
    "list the policies": ("get", "networkpolicies", "-A"),
}


@pytest.mark.parametrize("request_", NEEDED.values(), ids=NEEDED)
def test_the_operator_can(as_operator: Kubectl, namespace: str, request_: tuple[str, ...]) -> None:
    """Each request of the operator's daily work succeeds with its own token."""
    as_operator(*(namespace if word == "NAME" else word for word in request_))


def test_the_operator_can_write_the_status(as_operator: Kubectl, namespace: str) -> None:
    """A PATCH of the subresource succeeds: by server-side apply, as `kubectl patch` would read it first."""
    status = {
        "apiVersion": "nsiso.dev/v1alpha1",
        "kind": "NamespaceIsolation",
        "metadata": {"name": namespace},
        "status": {"observedGeneration": 1},
    }
    as_operator("apply", "--server-side", "--subresource=status", "-f", "-", stdin=json.dumps(status))


def test_the_operator_can_keep_policies(installed: Cluster, as_operator: Kubectl, namespace: str) -> None:
    """The operator creates a policy that its isolation owns, replaces it and deletes it."""
    owner = installed.get("nsiso", namespace)["metadata"]
    policy: dict[str, Any] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "deny",
            "namespace": namespace,
            "ownerReferences": [
                {
                    "apiVersion": "nsiso.dev/v1alpha1",
                    "kind": "NamespaceIsolation",
                    "name": owner["name"],
                    "uid": owner["uid"],
                    "controller": False,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    as_operator("create", "-f", "-", stdin=json.dumps(policy))
    policy["spec"]["policyTypes"] = ["Ingress", "Egress"]
    as_operator("replace", "-f", "-", stdin=json.dumps(policy))
    as_operator("delete", "networkpolicy", "deny", "-n", namespace)


REFUSED: dict[str, tuple[str, ...]] = {
    "list Secrets": ("get", "secrets", "-A"),
    "read a Secret": ("get", "secret", "password", "-n", "NAME"),
    "list ConfigMaps": ("get", "configmaps", "-A"),
    "list pods": ("get", "pods", "-A"),
    "create pods": ("create", "-f", "POD"),
    "read a namespace": ("get", "namespace", "NAME"),
    "create a namespace": ("create", "namespace", "another"),
    "label a namespace": ("label", "namespace", "NAME", "team=payments"),
    "delete a namespace": ("delete", "namespace", "NAME", "--wait=false"),
    "patch a policy": (
        "patch",
        "networkpolicy",
        "kept",
        "-n",
        "NAME",
        "--type=merge",
        '--patch={"spec": {"policyTypes": ["Ingress", "Egress"]}}',
    ),
    "delete all policies at once": (
        "delete",
        "--raw",
        "/apis/networking.k8s.io/v1/namespaces/NAME/networkpolicies",
    ),
    "create an isolation": ("create", "-f", str(MANIFESTS / "samples" / "payments.yaml")),
    "delete an isolation": ("delete", "nsiso", "NAME", "--wait=false"),
    "change the resource's definition": ("delete", "crd", "namespaceisolations.nsiso.dev", "--wait=false"),
    "give itself more rights": (
        "create",
        "clusterrolebinding",
        "more",
        "--clusterrole=cluster-admin",
        f"--serviceaccount={SYSTEM}:{OPERATOR}",
    ),
    "ask for a token": ("create", "token", OPERATOR, "-n", SYSTEM),
    "be somebody else": ("get", "namespaces", "--as=somebody"),
    "write events": ("create", "-f", "EVENT"),
    "take a lease": ("get", "leases", "-n", SYSTEM),
}
BODIES: dict[str, dict[str, Any]] = {
    "POD": {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "intruder", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "example.test/intruder"}]},
    },
    "EVENT": {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "rumour", "namespace": "default"},
        "involvedObject": {"kind": "Namespace", "name": "default", "namespace": "default"},
    },
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_the_operator_cannot(as_operator: Kubectl, namespace: str, request_: tuple[str, ...]) -> None:
    """Whatever the operator does not need is answered with 403, with the same token."""
    body = next((BODIES[word] for word in request_ if word in BODIES), None)
    words = ["-" if word in BODIES else word.replace("NAME", namespace) for word in request_]
    done = as_operator(*words, stdin=None if body is None else json.dumps(body), check=False)
    assert done.returncode != 0
    assert "(Forbidden)" in done.stderr or "is forbidden" in done.stderr


def test_the_token_is_the_operators(as_operator: Kubectl) -> None:
    """The requests above came from the ServiceAccount of the manifests, not from the administrator."""
    answer = json.loads(as_operator("auth", "whoami", "-o", "json").stdout)
    assert answer["status"]["userInfo"]["username"] == f"system:serviceaccount:{SYSTEM}:{OPERATOR}"


def _table(rules: list[dict[str, Any]]) -> dict[str, str]:
    """Add up the rules of a review: `group resource` → verbs in order; names of single objects show, too."""
    rights: dict[str, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                place = " ".join((group, resource, *rule.get("resourceNames", ())))
                rights.setdefault(place, set()).update(rule["verbs"])
    return {place: " ".join(sorted(verbs)) for place, verbs in rights.items()}

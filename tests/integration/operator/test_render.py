"""What `nsiso render` prints is byte for byte what the operator put into the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.preview.text import as_yaml
from tests.support.cluster import Cluster
from tests.support.preview import Sample, nsiso, own_samples
from tests.support.stage import Stage, standard

pytestmark = pytest.mark.usefixtures("operator")

Json = dict[str, Any]

_SERVED = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"}


async def _converged(stage: Stage, folder: Path) -> list[Sample]:
    """Apply every sample and wait until all of it is in place."""
    samples = await own_samples(stage, folder)
    for sample in samples:
        await stage.isolation(sample.document["spec"], name=sample.name)
    for sample in samples:
        # Every namespace with the label `team` is one of the two samples that select by it.
        matched = 1 if "names" in sample.document["spec"]["namespaces"] else 2
        await stage.converged(sample.name, matched=matched)
    return samples


async def _live(stage: Stage, namespaces: list[str], isolations: set[str]) -> dict[tuple[str, str], str]:
    """Give the text of each policy of these isolations, without what only the API server sets."""
    found: dict[tuple[str, str], str] = {}
    for namespace in namespaces:
        for name, policy in (await stage.policies_in(namespace)).items():
            if policy["metadata"]["labels"]["nsiso.dev/isolation"] in isolations:
                metadata = {key: value for key, value in policy["metadata"].items() if key not in _SERVED}
                kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
                found[namespace, name] = as_yaml({**kind, **policy, "metadata": metadata})
    return found


def _documents(text: str) -> list[str]:
    return text.split("---\n") if text else []


async def test_every_sample_is_rendered_byte_for_byte(stage: Stage, cluster: Cluster, tmp_path: Path) -> None:
    """For the cluster's namespaces, each file alone and all together, whatever else is in the cluster."""
    samples = await _converged(stage, tmp_path)
    namespaces = sorted(sample.namespace for sample in samples)
    for chosen in [*([sample] for sample in samples), samples]:
        files = [sample.path for sample in chosen]
        shown = await nsiso("render", *files, "--kubeconfig", cluster.kubeconfig)
        assert (shown.code, shown.stderr) == (0, "")
        live = await _live(stage, namespaces, {sample.name for sample in chosen})
        assert sorted(_documents(shown.stdout)) == sorted(live.values())
        named = await nsiso("render", *files, "--kubeconfig", cluster.kubeconfig, "-o", "name")
        order = [(line.rpartition(" ")[2], line.split("/")[1].split(" ")[0]) for line in named.stdout.splitlines()]
        assert [namespace for namespace, _ in order] == sorted(namespace for namespace, _ in order)
        assert shown.stdout == "---\n".join(live[key] for key in order)


async def test_it_is_the_same_without_a_cluster_from_what_kubectl_prints(
    stage: Stage, cluster: Cluster, tmp_path: Path
) -> None:
    """The resources with their uids and the namespaces as files: no byte differs."""
    samples = await _converged(stage, tmp_path)
    resources, spaces = tmp_path / "resources" / "all.yaml", tmp_path / "resources" / "spaces.json"
    resources.parent.mkdir()
    names = [sample.name for sample in samples]
    resources.write_text(cluster.run_kubectl("get", "nsiso", *names, "-o", "yaml").stdout)
    spaces.write_text(cluster.run_kubectl("get", "namespaces", "-o", "json").stdout)
    in_cluster = await nsiso("render", *(each.path for each in samples), "--kubeconfig", cluster.kubeconfig)
    on_paper = await nsiso("render", "-", "--namespace-file", spaces, text=resources.read_text())
    assert on_paper == in_cluster
    assert in_cluster.stdout


async def test_what_is_rendered_can_be_applied_and_is_adopted(stage: Stage, cluster: Cluster) -> None:
    """`nsiso render | kubectl apply` before the resource is there; the operator then finds its own policies."""
    namespace = await stage.namespace()
    document = f"""
apiVersion: nsiso.dev/v1alpha1
kind: NamespaceIsolation
metadata: {{name: {stage.name}}}
spec: {{namespaces: {{names: [{namespace}]}}, deletionPolicy: Retain}}
"""
    shown = await nsiso("render", "-", text=document)
    assert (shown.code, shown.stderr) == (0, "")
    cluster.run_kubectl("apply", "-f", "-", stdin=shown.stdout)
    before = await stage.policies_in(namespace)
    assert before.keys() == standard(stage.name)
    await stage.isolation({"namespaces": {"names": [namespace]}, "deletionPolicy": "Retain"})
    await stage.converged(stage.name)
    after = await stage.policies_in(namespace)
    assert {name: each["metadata"]["uid"] for name, each in after.items()} == {
        name: each["metadata"]["uid"] for name, each in before.items()
    }


async def test_the_others_of_the_cluster_count_for_dns(stage: Stage, cluster: Cluster) -> None:
    """An isolation that denies no egress is rendered with DNS where another one there denies it."""
    namespace = await stage.namespace()
    await stage.isolation({"namespaces": {"names": [namespace]}, "defaultDeny": ["Egress"]})
    await stage.converged(stage.name)
    document = (await stage.admin.get(isolation_path(stage.name))) | {"metadata": {"name": f"{stage.name}-in"}}
    document["spec"]["defaultDeny"] = ["Ingress"]
    shown = await nsiso("render", "-", "--kubeconfig", cluster.kubeconfig, "-o", "name", text=as_yaml(document))
    assert [line.split("/")[1].split(" ")[0] for line in shown.stdout.splitlines()] == [
        f"{stage.name}-in.allow-dns-egress",
        f"{stage.name}-in.default-deny-ingress",
    ]

"""`nsiso diff` foretells what the operator does, and says nothing once it is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from namespace_isolation.observe.served_policy import policies_path
from tests.support.cluster import Cluster
from tests.support.operator import Operator, operator_kubeconfig
from tests.support.preview import Answer, nsiso, nsiso_on_a_terminal, own_samples
from tests.support.stage import Stage, standard

Json = dict[str, Any]

_REMOTE = [{"namespaceSelector": {"matchLabels": {"team": "other"}}}]


def _written(folder: Path, name: str, spec: Json) -> Path:
    path = folder / f"{name}.yaml"
    metadata = {"name": name}
    document = {"apiVersion": "nsiso.dev/v1alpha1", "kind": "NamespaceIsolation", "metadata": metadata, "spec": spec}
    path.write_text(yaml.safe_dump(document))
    return path


async def _told(cluster: Cluster, *arguments: str | Path) -> tuple[int, list[tuple[str, str, str, str]]]:
    """Give exit code, and namespace, policy, action and reason of each change."""
    shown = await nsiso("diff", *arguments, "--kubeconfig", cluster.kubeconfig, "-o", "json")
    keys = ("namespace", "policy", "action", "why")
    return shown.code, [(each[keys[0]], each[keys[1]], each[keys[2]], each[keys[3]]) for each in _list(shown)]


def _list(shown: Answer) -> list[Json]:
    found: list[Json] = json.loads(shown.stdout)
    return found


@pytest.mark.usefixtures("operator")
async def test_every_sample_is_foretold_and_the_same_once_it_is_in_place(
    stage: Stage, cluster: Cluster, tmp_path: Path
) -> None:
    """Before it is applied everything is to be created; after convergence stdout is empty and the exit code 0."""
    samples = await own_samples(stage, tmp_path)
    files = [sample.path for sample in samples]
    code, foretold = await _told(cluster, *files)
    assert code == 1
    assert {(action, why) for *_, action, why in foretold} == {("Create", "Wanted")}
    for sample in samples:
        await stage.isolation(sample.document["spec"], name=sample.name)
    for sample in samples:
        matched = 1 if "names" in sample.document["spec"]["namespaces"] else 2
        await stage.converged(sample.name, matched=matched)
    live = {(sample.namespace, name) for sample in samples for name in await stage.policies_in(sample.namespace)}
    assert {(namespace, policy) for namespace, policy, *_ in foretold} == live
    for chosen in [*([each] for each in files), files, [tmp_path]]:
        for output in ("diff", "name"):
            shown = await nsiso("diff", *chosen, "--kubeconfig", cluster.kubeconfig, "-o", output)
            assert shown == Answer(0, "", "")


async def test_drift_shows_and_is_gone_once_it_is_repaired(
    stage: Stage, stopped_operator: Operator, cluster: Cluster, tmp_path: Path
) -> None:
    """While nobody repairs: an opened rule, a policy missing and one too many; nothing hostile on the terminal."""
    namespace = await stage.namespace()
    spec = {"namespaces": {"names": [namespace]}}
    file = _written(tmp_path, stage.name, spec)
    deny, dns = f"{stage.name}.default-deny-all", f"{stage.name}.allow-dns-egress"
    stopped_operator.start()
    await stopped_operator.ready()
    await stage.isolation(spec)
    await stage.converged(stage.name)
    assert await stopped_operator.stop() == 0

    hostile = {"example.org/note": "\x1b[2J\x1b]0;owned\x07 \u202e\x85\x9b31m"}
    await stage.patch_policy(namespace, deny, {"spec": {"egress": [{}]}, "metadata": {"annotations": hostile}})
    await stage.admin.delete(policies_path(namespace, dns))
    extra = await stage.patch_policy(namespace, deny, {})
    extra["metadata"] = {key: extra["metadata"][key] for key in ("labels", "annotations", "ownerReferences")}
    extra["metadata"]["name"] = f"{stage.name}.allow-old-ingress"
    await stage.admin.create(policies_path(namespace), extra)
    assert await _told(cluster, file) == (
        1,
        [
            (namespace, dns, "Create", "Wanted"),
            (namespace, deny, "Update", "Modified"),
            (namespace, f"{stage.name}.allow-old-ingress", "Delete", "Extra"),
        ],
    )
    shown = await nsiso("diff", file, "--kubeconfig", cluster.kubeconfig)
    assert shown.code == 1
    assert shown.stderr == "1 namespace: 1 to create, 1 to update, 1 to delete\n"
    place = f"{namespace}/{deny}"
    assert f"--- live/{place}\n+++ wanted/{place}\n" in shown.stdout
    assert "\n-  egress:\n-  - {}\n" in shown.stdout
    assert all(line.isprintable() for line in shown.stdout.split("\n"))

    coloured = await nsiso_on_a_terminal("diff", file, "--kubeconfig", cluster.kubeconfig)
    assert f"\x1b[1m--- live/{place}\x1b[0m" in coloured
    assert "\x1b[31m-  - {}\x1b[0m" in coloured
    assert "\x1b[2J" not in coloured
    for arguments, environment in ((["--color", "never"], {}), ([], {"NO_COLOR": "1"})):
        plain = await nsiso_on_a_terminal("diff", file, "--kubeconfig", cluster.kubeconfig, *arguments, **environment)
        assert plain.replace("\r\n", "\n") == shown.stdout

    stopped_operator.start()
    await stopped_operator.ready()
    await stage.until_policies(namespace, standard(stage.name))
    await stage.until_exact(namespace, stage.name)
    assert await _told(cluster, file) == (0, [])


@pytest.mark.usefixtures("operator")
async def test_an_edit_of_the_file_is_foretold_and_carried_out(stage: Stage, cluster: Cluster, tmp_path: Path) -> None:
    """An entry goes, one comes, one changes, a namespace is left: exactly that happens, and then nothing differs."""
    stays, leaves = await stage.namespace("stays"), await stage.namespace("leaves")
    name = stage.name
    gone, kept = {"name": "gone", "from": _REMOTE, "to": [{"podSelector": {}}]}, {"name": "kept", "from": _REMOTE}
    before = {"namespaces": {"names": [stays, leaves]}, "allow": [gone, {**kept, "ports": [{"port": 80}]}]}
    after = {"namespaces": {"names": [stays]}, "allow": [{"name": "new", "to": _REMOTE}, {**kept, "ports": []}]}
    after["allow"][1]["ports"] = [{"port": 81}]  # type: ignore[index]  # a list of entries
    await stage.isolation(before)
    await stage.converged(name, matched=2)
    assert await _told(cluster, _written(tmp_path, name, before)) == (0, [])

    file = _written(tmp_path, name, after)
    code, foretold = await _told(cluster, file)
    assert code == 1
    old = ("default-deny-all", "allow-dns-egress", "allow-gone-ingress", "allow-kept-ingress")
    assert sorted(foretold) == sorted(
        [
            *((leaves, f"{name}.{each}", "Delete", "Unwanted") for each in old),
            (stays, f"{name}.allow-gone-ingress", "Delete", "Unwanted"),
            (stays, f"{name}.allow-new-egress", "Create", "Wanted"),
            (stays, f"{name}.allow-kept-ingress", "Update", "Outdated"),
        ]
    )
    summary = await nsiso("diff", file, "--kubeconfig", cluster.kubeconfig, "-o", "summary")
    assert [line.split() for line in summary.stdout.splitlines()[1:3]] == [
        [leaves, "0", "0", "4"],
        [stays, "1", "1", "1"],
    ]
    assert summary.stdout.endswith("2 namespaces: 1 to create, 1 to update, 5 to delete\n")
    await stage.edit(name, after)
    await stage.until_policies(leaves, ())
    await stage.until_exact(stays, name)
    assert await _told(cluster, file) == (0, [])


@pytest.mark.usefixtures("operator")
async def test_audit_tells_what_it_would_do_and_what_others_need_because_of_it(
    stage: Stage, cluster: Cluster, tmp_path: Path
) -> None:
    """A resource in Audit denies egress; another isolation's DNS policy becomes necessary."""
    namespace = await stage.namespace()
    inwards = await stage.isolation(
        {"namespaces": {"names": [namespace]}, "defaultDeny": ["Ingress"]}, name=f"{stage.name}-in"
    )
    await stage.converged(inwards)
    out = f"{stage.name}-out"
    spec = {"mode": "Audit", "namespaces": {"names": [namespace]}, "defaultDeny": ["Egress"], "dns": {"enabled": False}}
    shown = await nsiso("diff", _written(tmp_path, out, spec), "--kubeconfig", cluster.kubeconfig, "-o", "name")
    assert shown.code == 1
    assert shown.stdout.splitlines() == [
        f"networkpolicy.networking.k8s.io/{inwards}.allow-dns-egress -n {namespace}",
        f"networkpolicy.networking.k8s.io/{out}.default-deny-egress -n {namespace}",
    ]
    assert f"Note: mode Audit counts as Enforce here, to show what it would do: {out}" in shown.stderr


async def test_what_others_allow_is_told_or_removed(stage: Stage, cluster: Cluster, tmp_path: Path) -> None:
    """With Report it stays and is told on stderr; with Remove it shows as a removal."""
    namespace = await stage.namespace()
    metadata = {"name": "open"}
    await stage.admin.create(policies_path(namespace), {"metadata": metadata, "spec": {"ingress": [{}]}})
    spec = {"namespaces": {"names": [namespace]}}
    report = await nsiso("diff", _written(tmp_path, stage.name, spec), "--kubeconfig", cluster.kubeconfig)
    assert f"Note: {namespace}/open belongs to no isolation and allows Ingress" in report.stderr
    assert f"live/{namespace}/open" not in report.stdout
    remove = _written(tmp_path, stage.name, {**spec, "unmanagedPolicies": "Remove"})
    assert (namespace, "open", "Delete", "Unmanaged") in (await _told(cluster, remove))[1]


@pytest.fixture
def viewer(stage: Stage, cluster: Cluster) -> Iterator[str]:
    """Make a ServiceAccount without any right and give its name; its role and binding go with the test."""
    name = f"{stage.name}-viewer"
    cluster.run_kubectl("create", "serviceaccount", name, "-n", "default")
    yield name
    for kind, where in (("clusterrolebinding", ()), ("clusterrole", ()), ("serviceaccount", ("-n", "default"))):
        cluster.run_kubectl("delete", kind, name, "--ignore-not-found", "--wait=false", *where)


async def test_the_right_to_look_is_enough_and_without_it_the_error_says_what_is_missing(
    stage: Stage, cluster: Cluster, viewer: str, tmp_path: Path
) -> None:
    """Get and list of three kinds suffice for both commands."""
    namespace = await stage.namespace()
    file = _written(tmp_path, stage.name, {"namespaces": {"names": [namespace]}})
    token = cluster.run_kubectl("create", "token", viewer, "-n", "default").stdout.strip()
    kubeconfig = operator_kubeconfig(cluster, tmp_path / "kubeconfig", token=token)
    for command, code in (("diff", 2), ("render", 1)):
        refused = await nsiso(command, file, "--kubeconfig", kubeconfig)
        assert (refused.code, refused.stdout) == (code, "")
        assert "GET /apis/nsiso.dev/v1alpha1/namespaceisolations: 403, Forbidden:" in refused.stderr
        assert f'User "system:serviceaccount:default:{viewer}" cannot list' in refused.stderr
        assert "Needed, in the whole cluster, is the right to list namespaces, networkpolicies" in refused.stderr

    resources = "namespaces,networkpolicies.networking.k8s.io,namespaceisolations.nsiso.dev"
    cluster.run_kubectl("create", "clusterrole", viewer, "--verb=get,list", f"--resource={resources}")
    cluster.run_kubectl(
        "create", "clusterrolebinding", viewer, f"--clusterrole={viewer}", f"--serviceaccount=default:{viewer}"
    )
    async with asyncio.timeout(15):  # the authorizer follows at its own pace
        while (shown := await nsiso("diff", file, "--kubeconfig", kubeconfig, "-o", "name")).code == 2:
            pass
    assert (shown.code, shown.stderr) == (1, "")
    assert len(shown.stdout.splitlines()) == 2
    rendered = await nsiso("render", file, "--kubeconfig", kubeconfig, "-o", "name")
    assert (rendered.code, rendered.stdout) == (0, shown.stdout)

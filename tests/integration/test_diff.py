"""`nsiso diff` on a cluster that has never heard of isolations."""

from __future__ import annotations

from pathlib import Path

import pytest

from namespace_isolation.sandbox import Programs, Sandbox
from tests.support.cluster import sandbox_cluster
from tests.support.preview import nsiso

_RESOURCE = """
apiVersion: v1
kind: Namespace
metadata: {name: fresh}
---
apiVersion: nsiso.dev/v1alpha1
kind: NamespaceIsolation
metadata: {name: team}
spec: {namespaces: {names: [fresh]}}
"""


@pytest.mark.sandbox_only
async def test_a_missing_crd_means_that_nothing_is_there_yet(programs: Programs) -> None:
    """Namespace, resource and CRD would all be new; stderr says what the cluster lacks."""
    with Sandbox.start(programs=programs) as sandbox:
        kubeconfig = sandbox_cluster(sandbox).kubeconfig
        shown = await nsiso("diff", "-", "--kubeconfig", kubeconfig, "-o", "summary", text=_RESOURCE)
    assert (shown.code, shown.stdout.splitlines()[-1]) == (1, "1 namespace: 2 to create, 0 to update, 0 to delete")
    assert shown.stderr == "Note: the cluster does not know NamespaceIsolation (no CRD): no isolation is there yet\n"


async def test_a_server_that_does_not_answer_is_no_difference(tmp_path: Path) -> None:
    """Exit code 2, with the place that was tried."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        '{"apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}], '
        '"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], '
        '"contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}'
    )
    shown = await nsiso("diff", "-", "--kubeconfig", kubeconfig, text=_RESOURCE)
    assert (shown.code, shown.stdout) == (2, "")
    assert "no answer, Unreachable: cannot connect to 127.0.0.1:1" in shown.stderr

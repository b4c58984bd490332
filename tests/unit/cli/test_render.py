"""`nsiso render` without a cluster: what is printed where, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from namespace_isolation.cli.main import main
from namespace_isolation.preview.remarks import MORE_NAMESPACES

_SAMPLES = Path(__file__).resolve().parents[3] / "manifests" / "samples"
_ISOLATION = """\
apiVersion: nsiso.dev/v1alpha1
kind: NamespaceIsolation
metadata: {name: team}
spec:
  namespaces: {names: [shop, "shop-*"]}
"""
_GET = "networkpolicy.networking.k8s.io/"


def _render(*arguments: str, text: str = _ISOLATION) -> Result:
    return CliRunner().invoke(main, ["render", *arguments], input=text, env={"KUBECONFIG": "/nonexistent"})


def test_documents_of_the_namespaces_that_a_resource_names() -> None:
    """Each policy is a document; remarks go to stderr."""
    shown = _render("-")
    assert shown.exit_code == 0
    documents = list(yaml.safe_load_all(shown.stdout))
    assert [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in documents] == [
        ("shop", "team.allow-dns-egress"),
        ("shop", "team.default-deny-all"),
    ]
    assert shown.stdout.startswith("apiVersion: networking.k8s.io/v1\n")
    assert shown.stdout.count("---\n") == 1
    assert shown.stderr.splitlines() == [
        f"Note: NamespaceIsolation team may match more namespaces than it names: {MORE_NAMESPACES}",
        "Note: ownerReferences are left out, because they need the uid that a cluster gives: team",
    ]


def test_namespaces_by_flag() -> None:
    """They take the place of those that the resource names."""
    shown = _render("-", "-n", "shop-eu,team=a", "--namespace", "other", "-o", "name")
    assert shown.stdout.splitlines() == [
        f"{_GET}team.allow-dns-egress -n shop-eu",
        f"{_GET}team.default-deny-all -n shop-eu",
    ]
    assert shown.stderr == ""


def test_namespaces_from_files(tmp_path: Path) -> None:
    """From a file of their own and from among the resources."""
    spaces = tmp_path / "spaces.yaml"
    spaces.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-a"}}))
    shop = tmp_path / "shop.json"
    shop.write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-b"}}))
    shown = _render("-", str(shop), "--namespace-file", str(spaces), "-o", "name")
    assert {line.rpartition(" ")[2] for line in shown.stdout.splitlines()} == {"shop-a", "shop-b"}


def test_a_list_in_json() -> None:
    """As kubectl writes several objects."""
    shown = _render("-", "-o", "json")
    found = json.loads(shown.stdout)
    assert (found["kind"], found["apiVersion"], len(found["items"])) == ("List", "v1", 2)


def test_an_uid_in_the_document_becomes_the_owner() -> None:
    """As in what `kubectl get nsiso -o yaml` prints."""
    shown = _render("-", text=_ISOLATION.replace("name: team", "name: team, uid: u-1"))
    owners = [each["metadata"]["ownerReferences"] for each in yaml.safe_load_all(shown.stdout)]
    assert [owner["uid"] for (owner,) in owners] == ["u-1", "u-1"]
    assert "ownerReferences" not in shown.stderr


def test_what_is_passed_over_and_audit_are_told_once() -> None:
    """Each on one line, whatever the number."""
    text = _ISOLATION + "  mode: Audit\n" + "---\nkind: Pod\n" * 3
    shown = _render("-", text=text)
    assert shown.stderr.splitlines()[:2] == [
        "Note: passed over: 3 Pod",
        "Note: mode Audit counts as Enforce here, to show what it would do: team",
    ]
    assert len(list(yaml.safe_load_all(shown.stdout))) == 2


def test_what_the_operator_would_remark_is_told() -> None:
    """The notice of `Accepted`."""
    shown = _render("-", text=_ISOLATION + "  defaultDeny: []\n  unmanagedPolicies: Remove\n")
    assert "Note: NamespaceIsolation team: spec.unmanagedPolicies: Remove" in shown.stderr


def test_an_isolation_that_matches_nothing_is_told_with_the_mend() -> None:
    """The output is empty, and that is no fault."""
    shown = _render("-", "-n", "elsewhere")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr.startswith("Note: NamespaceIsolation team matches no namespace: name some with -n NAME,")


def test_every_fault_is_told_and_nothing_is_printed(tmp_path: Path) -> None:
    """Those of all files, a line each; exit code 1."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(_ISOLATION.replace("names", "nmaes"))
    shown = _render("-", str(bad), "missing.yaml")
    assert (shown.exit_code, shown.stdout) == (1, "")
    head, *lines = shown.stderr.splitlines()
    assert head == "Error: 4 faults in the input; nothing was rendered."
    assert [line.partition(": ")[0].strip() for line in lines] == [
        f"{bad}, document 1, NamespaceIsolation team",
        f"{bad}, document 1, NamespaceIsolation team",
        f"{bad}, document 1, NamespaceIsolation team",
        "missing.yaml",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument 'FILE...'"),
        (("-", "-n", "A"), '"A" is no name of a namespace'),
        (("-", "-n", "a", "--context", "c"), "namespaces come from the cluster, or from -n and --namespace-file"),
        (("-", "-o", "xml"), "'xml' is not one of"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], message: str) -> None:
    """As everywhere."""
    shown = _render(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert message in shown.stderr


def test_a_cluster_that_is_not_there_is_told() -> None:
    """Only where one is asked for."""
    shown = _render("-", "--context", "nowhere")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "no kubeconfig found: KUBECONFIG=/nonexistent is no file" in shown.stderr


def test_the_samples_render() -> None:
    """A folder, with two resources whose namespaces only a label tells."""
    shown = _render(str(_SAMPLES), "-n", "payments", "-n", "web", "-n", "catalog,team=catalog", "-o", "name")
    assert shown.exit_code == 0
    assert {line.split("/")[1].partition(".")[0] for line in shown.stdout.splitlines()} == {
        "payments",
        "team-catalog",
        "tenants",
        "web-ingress-only",
    }

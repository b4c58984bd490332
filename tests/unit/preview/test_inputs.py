"""Isolations and namespaces are found among whatever files hold; every fault is told with its place and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from namespace_isolation.preview.inputs import Inputs, read_inputs
from namespace_isolation.preview.namespaces import make_namespace
from namespace_isolation.preview.problem import BadInput

_HEAD = "apiVersion: nsiso.dev/v1alpha1\nkind: NamespaceIsolation\n"
_SPEC = "spec: {namespaces: {names: [a]}}\n"
_GOOD = f"{_HEAD}metadata: {{name: x}}\n{_SPEC}"
_NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {team: b}}\n"
_NOTHING = "holds no NamespaceIsolation (nsiso.dev/v1alpha1): name the files that do"

_BAD: dict[str, tuple[str, list[str]]] = {
    "nothing at all": ("", [f"-: {_NOTHING}"]),
    "only another kind": ("kind: ConfigMap\napiVersion: v1", [f"-: {_NOTHING}"]),
    "only a namespace": (_NAMESPACE, [f"-: {_NOTHING}"]),
    "another version": (
        f"apiVersion: nsiso.dev/v1\nkind: NamespaceIsolation\nmetadata: {{name: x}}\n{_SPEC}",
        ['stdin, document 1, NamespaceIsolation x: apiVersion: "nsiso.dev/v1" is not known: write nsiso.dev/v1alpha1'],
    ),
    "no version": (
        f"kind: NamespaceIsolation\nmetadata: {{name: x}}\n{_SPEC}",
        ["stdin, document 1, NamespaceIsolation x: apiVersion: nothing is not known: write nsiso.dev/v1alpha1"],
    ),
    "another group": (
        f"apiVersion: nsiso.io/v1alpha1\nkind: NamespaceIsolation\nmetadata: {{name: x}}\n{_SPEC}",
        [
            (
                "stdin, document 1, NamespaceIsolation x: apiVersion: "
                '"nsiso.io/v1alpha1" is not known: write nsiso.dev/v1alpha1'
            )
        ],
    ),
    "a kind that the group does not have": (
        f"apiVersion: nsiso.dev/v1alpha1\nkind: Namespaceisolation\nmetadata: {{name: x}}\n{_SPEC}",
        [
            (
                "stdin, document 1, Namespaceisolation x: kind: "
                '"Namespaceisolation" is not known in nsiso.dev: write NamespaceIsolation'
            )
        ],
    ),
    "no kind": (
        f"apiVersion: nsiso.dev/v1alpha1\nmetadata: {{name: x}}\n{_SPEC}",
        ["stdin, document 1: kind: is required: write NamespaceIsolation"],
    ),
    "no name": (
        f"{_HEAD}metadata: {{}}\n{_SPEC}",
        ["stdin, document 1, NamespaceIsolation: metadata.name: is required, and must be a string: name the resource"],
    ),
    "a name that is a number": (
        f"{_HEAD}metadata: {{name: 1}}\n{_SPEC}",
        ["stdin, document 1, NamespaceIsolation: metadata.name: is required, and must be a string: name the resource"],
    ),
    "a bad name": (
        f"{_HEAD}metadata: {{name: X_}}\n{_SPEC}",
        ["stdin, document 1, NamespaceIsolation X_: metadata.name: must be lower-case letters, digits, '-' and '.'"],
    ),
    "no metadata": (
        f"{_HEAD}{_SPEC}",
        ["stdin, document 1, NamespaceIsolation: metadata: must be an object, not nothing: write name: in it"],
    ),
    "a spec that is a list": (
        f"{_HEAD}metadata: {{name: x}}\nspec: [a]",
        ["stdin, document 1, NamespaceIsolation x: spec: must be an object, not a list: write its fields"],
    ),
    "faults of the spec and around it, all of them": (
        f"{_HEAD}metadata: {{name: x}}\nsepc: {{}}\nspec: {{allow: [{{name: A, from: []}}, {{name: b}}]}}",
        [
            "stdin, document 1, NamespaceIsolation x: sepc: is not a field of this resource",
            "stdin, document 1, NamespaceIsolation x: spec.namespaces: is required: add it",
            "stdin, document 1, NamespaceIsolation x: spec.allow[0].name: must be a DNS label",
            "stdin, document 1, NamespaceIsolation x: spec.allow[0].from: ",
            "stdin, document 1, NamespaceIsolation x: spec.allow[1]: name from, to, or both",
        ],
    ),
    "a name twice": (
        f"{_GOOD}---\n{_GOOD}",
        [
            (
                "stdin, document 2, NamespaceIsolation x: metadata.name: is in stdin, document 1 already: "
                "each name may be there once; rename or remove one of the two"
            )
        ],
    ),
    "a namespace twice, with other labels": (
        f"{_GOOD}---\n{_NAMESPACE}---\nkind: Namespace\napiVersion: v1\nmetadata: {{name: a}}",
        [
            (
                "stdin, document 3, Namespace a: metadata.name: is in stdin, document 2 already, with other labels: "
                "name each namespace once"
            )
        ],
    ),
    "a namespace without a proper name or labels": (
        f"{_GOOD}---\nkind: Namespace\napiVersion: v1\nmetadata: {{name: A, labels: {{a b: c, d: 1}}}}",
        [
            'stdin, document 2, Namespace A: metadata.name: "A" is no name of a namespace',
            'stdin, document 2, Namespace A: metadata.labels: "a b" is no key of a label',
            "stdin, document 2, Namespace A: metadata.labels[d]: must be a string, not 1: put it in quotes",
        ],
    ),
    "an item of a List": (
        f"kind: List\nitems:\n- {{apiVersion: nsiso.dev/v1alpha1, kind: NamespaceIsolation, {_SPEC.strip()}}}",
        ["stdin, document 1, item 1, NamespaceIsolation: metadata: must be an object, not nothing: write name: in it"],
    ),
    "control characters of the input": (
        f'{_HEAD}metadata: {{name: "x\\e[31m"}}\n{_SPEC}',
        [r"stdin, document 1, NamespaceIsolation x\x1b[31m: metadata.name: must be lower-case letters"],
    ),
}


def _read(text: str, **more: object) -> Inputs:
    return read_inputs(["-"], read_stdin=text.encode, **more)  # type: ignore[arg-type]  # of the test's choosing


@pytest.mark.parametrize(("text", "problems"), _BAD.values(), ids=_BAD)
def test_every_fault_is_told(text: str, problems: list[str]) -> None:
    """Each line starts with file, document, resource and field; none is missing, none too many."""
    with pytest.raises(BadInput) as refused:
        _read(text)
    found = [str(each) for each in refused.value.problems]
    assert [line[: len(start)] for line, start in zip(found, problems, strict=True)] == problems


def test_a_resource_as_the_api_server_serves_it_is_read() -> None:
    """`kubectl get -o yaml` can be handed in as it is: only name, uid and spec count."""
    text = f"{_HEAD}metadata: {{name: x, uid: u-1, resourceVersion: many, deletionTimestamp: now}}\n{_SPEC}status: {{}}"
    found = _read(text).isolations["x"]
    assert (found.uid, found.deleting, found.faults) == ("u-1", False, ())


def test_other_kinds_are_passed_over_and_counted() -> None:
    """Nothing else in a folder of manifests is in the way, and nothing goes unsaid."""
    text = f"{_GOOD}---\nkind: Pod\n---\nkind: Pod\n---\n- op: add\n---\nreplicas: 2\n---\nkind: Config\n"
    found = _read(text)
    assert list(found.isolations) == ["x"]
    assert found.passed_over == {"Pod": 2, "Config": 1, "what is no Kubernetes object": 2}


def test_namespaces_come_from_files_lists_and_the_command_line(tmp_path: Path) -> None:
    """All of them get the label that the API server sets; the same namespace twice is no fault."""
    path = tmp_path / "namespaces.yaml"
    path.write_text("kind: List\nitems: [{apiVersion: v1, kind: Namespace, metadata: {name: b}}, {kind: Pod}]")
    more = [make_namespace("c", {"team": "c"}), make_namespace("b", {})]
    found = _read(f"{_GOOD}---\n{_NAMESPACE}", namespace_files=[str(path)], more=more)
    assert {name: dict(each.labels) for name, each in found.namespaces.items()} == {
        "a": {"team": "b", "kubernetes.io/metadata.name": "a"},
        "b": {"kubernetes.io/metadata.name": "b"},
        "c": {"team": "c", "kubernetes.io/metadata.name": "c"},
    }
    assert found.passed_over == {"Pod": 1}


def test_a_namespace_that_a_cluster_was_deleting_is_ending() -> None:
    """`kubectl get namespaces -o yaml` shows it, and the operator writes nothing there."""
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, deletionTimestamp: 2026-01-01T00:00:00Z}"
    assert _read(f"{_GOOD}---\n{text}").namespaces["a"].ending


def test_an_isolation_in_a_namespace_file_is_none_of_the_files(tmp_path: Path) -> None:
    """It is passed over, and said so."""
    path = tmp_path / "namespaces.yaml"
    path.write_text(_GOOD.replace("name: x", "name: y"))
    found = _read(_GOOD, namespace_files=[str(path)])
    assert (list(found.isolations), found.passed_over) == (["x"], {"NamespaceIsolation": 1})


def test_stdin_cannot_be_both_files() -> None:
    """It could be read for one of the two only."""
    with pytest.raises(BadInput, match="stands for stdin twice"):
        _read(_GOOD, namespace_files=["-"])


def test_namespaces_alone_are_enough_where_that_is_asked_for() -> None:
    """A new namespace can be what makes a difference."""
    assert list(_read(_NAMESPACE, namespaces_suffice=True).namespaces) == ["a"]


def test_the_isolations_in_audit_are_known() -> None:
    """By name, for the remark on stderr."""
    text = _GOOD + "---\n" + _GOOD.replace("name: x", "name: y").replace("spec: {", "spec: {mode: Audit, ")
    assert _read(text).audited == ("y",)

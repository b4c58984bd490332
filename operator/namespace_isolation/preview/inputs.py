"""What a command was given: the isolations and the namespaces in its files, read and checked as the operator would."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.model import names
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.observe.isolations import read_isolation
from namespace_isolation.preview.documents import Document, read_documents
from namespace_isolation.preview.namespaces import faults_of_namespace, namespace_of, said
from namespace_isolation.preview.problem import BadInput, Place, Problem
from namespace_isolation.preview.source import STDIN, read_sources

__all__ = ["Inputs", "read_inputs"]

Json = dict[str, Any]

_FIELDS: Final = ("apiVersion", "kind", "metadata", "spec", "status")
_NAMELESS: Final = "what is no Kubernetes object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Isolations and namespaces by name; an isolation's uid is empty where its document has none.

    `passed_over`: how many documents of which other kinds there were.
    """

    isolations: Mapping[str, Isolation]
    namespaces: Mapping[str, Namespace]
    passed_over: Mapping[str, int]

    @property
    def audited(self) -> tuple[str, ...]:
        """Name the isolations in mode Audit."""
        specs = {name: each.spec for name, each in self.isolations.items()}
        return tuple(name for name, spec in specs.items() if spec is not None and spec.mode == "Audit")


def read_inputs(
    files: Iterable[str],
    *,
    namespace_files: Iterable[str] = (),
    more: Iterable[Namespace] = (),
    namespaces_suffice: bool = False,
    read_stdin: Callable[[], bytes],
) -> Inputs:
    """Read all files; `more` namespaces come from the command line. Raises BadInput with every fault.

    No isolation at all is a fault, too, unless `namespaces_suffice` and there are some.
    """
    found = _Found()
    files, namespace_files = tuple(files), tuple(namespace_files)
    for document in found.good(files, read_stdin):
        found.take(document, isolations=True)
    if STDIN in files and STDIN in namespace_files:
        message = "stands for stdin twice, which can be read only once: put one of the two into a file"
        found.problems.append(Problem(place=Place(file=STDIN), message=message))
    for document in found.good(tuple(each for each in namespace_files if each not in files), read_stdin):
        found.take(document, isolations=False)
    for namespace in more:
        found.add_namespace(namespace, Place(file="--namespace"))
    enough = found.isolations or (namespaces_suffice and found.namespaces)
    if not found.problems and not enough:
        message = f"holds no {names.KIND} ({names.API_VERSION}): name the files that do"
        found.problems.append(Problem(place=Place(file=", ".join(files)), message=message))
    if found.problems:
        raise BadInput(found.problems)
    return Inputs(
        isolations=dict(sorted(found.isolations.items())),
        namespaces=dict(sorted(found.namespaces.items())),
        passed_over=dict(sorted(found.passed_over.items())),
    )


@dataclass(slots=True)
class _Found:
    """What was read so far."""

    isolations: dict[str, Isolation] = field(default_factory=dict)
    namespaces: dict[str, Namespace] = field(default_factory=dict)
    passed_over: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)

    def good(self, files: Iterable[str], read_stdin: Callable[[], bytes]) -> Iterator[Document]:
        """Give the documents that can be read, and keep the problems of the others."""
        for source in read_sources(files, read_stdin):
            if isinstance(source, Problem):
                self.problems.append(source)
                continue
            for document in read_documents(source):
                if isinstance(document, Problem):
                    self.problems.append(document)
                else:
                    yield document

    def take(self, document: Document, *, isolations: bool) -> None:
        """Take one document for what it is."""
        content = document.content
        kind = content.get("kind") if isinstance(content, dict) else None
        version = content.get("apiVersion") if isinstance(content, dict) else None
        if not isinstance(content, dict) or not isinstance(kind, str):
            if isinstance(content, dict) and _is_ours(version):
                self._refuse(document.place, "", "kind", f"is required: write {names.KIND}")
            else:
                self.passed_over[_NAMELESS] += 1
        elif kind == "Namespace" and version == "v1":
            self._take_namespace(content, document.place)
        elif isolations and (kind == names.KIND or _is_ours(version)):
            self._take_isolation(content, document.place)
        else:
            self.passed_over[kind] += 1

    def add_namespace(self, namespace: Namespace, place: Place) -> None:
        """Take a namespace; the same one twice is no fault, two of one name are."""
        known = self.namespaces.setdefault(namespace.name, namespace)
        first = self.places.setdefault(("Namespace", namespace.name), place)
        if known.labels != namespace.labels:
            message = f"is in {first} already, with other labels: name each namespace once"
            self._refuse(place, f"Namespace {namespace.name}", "metadata.name", message)

    def _take_namespace(self, content: Json, place: Place) -> None:
        faults = faults_of_namespace(content)
        if not faults:
            self.add_namespace(namespace_of(content), place)
        for fault in faults:
            self._refuse(place, _called(content), fault.path, fault.message)

    def _take_isolation(self, content: Json, place: Place) -> None:
        called = _called(content)
        for path, message in _faults_outside_spec(content):
            self._refuse(place, called, path, message)
        metadata = content.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        known = isinstance(name, str) and bool(name)
        if "spec" in content and not isinstance(content["spec"], dict):
            self._refuse(place, called, "spec", f"must be an object, not {said(content['spec'])}: write its fields")
            return
        uid = metadata.get("uid") if isinstance(metadata, dict) else None
        served = {"name": name if known else "unnamed", "uid": uid if isinstance(uid, str) else ""}
        isolation = read_isolation({"metadata": {**served, "resourceVersion": "0"}, "spec": content.get("spec")})
        for fault in isolation.faults:
            self._refuse(place, called, fault.path, fault.message)
        if not known:
            return
        first = self.places.setdefault((names.KIND, isolation.name), place)
        if self.isolations.setdefault(isolation.name, isolation) is not isolation:
            message = f"is in {first} already: each name may be there once; rename or remove one of the two"
            self._refuse(place, called, "metadata.name", message)

    def _refuse(self, place: Place, resource: str, path: str, message: str) -> None:
        self.problems.append(Problem(place=place, resource=resource, path=path, message=message))


def _is_ours(version: object) -> bool:
    return isinstance(version, str) and version.partition("/")[0] == names.GROUP


def _called(content: Json) -> str:
    """Name a resource as far as it can be."""
    metadata = content.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{content['kind']} {name}" if isinstance(name, str) and name else str(content["kind"])


def _faults_outside_spec(content: Json) -> Iterator[tuple[str, str]]:
    """Find what is wrong around the spec, as path and message."""
    if content.get("apiVersion") != names.API_VERSION:
        yield "apiVersion", f"{said(content.get('apiVersion'))} is not known: write {names.API_VERSION}"
    if content["kind"] != names.KIND:
        yield "kind", f"{said(content['kind'])} is not known in {names.GROUP}: write {names.KIND}"
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        yield "metadata", f"must be an object, not {said(metadata)}: write name: in it"
    elif not isinstance(metadata.get("name"), str) or not metadata["name"]:
        yield "metadata.name", "is required, and must be a string: name the resource"
    for key in content:
        if key not in _FIELDS:
            yield str(key), "is not a field of this resource: correct its spelling or its place, or remove it"

"""Namespaces that no cluster tells of: from documents, from the command line, from what isolations name themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from namespace_isolation.model.fault import Fault
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.names import NAMESPACE_NAME_LABEL
from namespace_isolation.model.namespace import Namespace
from namespace_isolation.model.selection import is_glob
from namespace_isolation.model.syntax import is_dns_label, is_label_key

__all__ = ["faults_of_namespace", "make_namespace", "named_by", "namespace_from_flag", "namespace_of", "said"]

Json = dict[str, Any]

_NAME: Final = "must be lower-case letters, digits and '-', starting and ending with a letter or digit, 63 at most"


def make_namespace(name: str, labels: Mapping[str, str], *, ending: bool = False) -> Namespace:
    """Make a namespace with the label that the API server gives to each."""
    return Namespace(name=name, uid="", labels={**labels, NAMESPACE_NAME_LABEL: name}, ending=ending)


def namespace_of(content: Mapping[str, Any]) -> Namespace:
    """Read a Namespace without faults; one that a cluster was deleting gets nothing, as there."""
    metadata = content["metadata"]
    return make_namespace(metadata["name"], metadata.get("labels") or {}, ending="deletionTimestamp" in metadata)


def faults_of_namespace(content: Mapping[str, Any]) -> tuple[Fault, ...]:
    """Find what is wrong with a Namespace, as far as isolations look at it."""
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return (Fault(path="metadata", message=f"must be an object, not {said(metadata)}: write name: in it"),)
    return tuple(_faults(metadata))


def _faults(metadata: Json) -> Iterator[Fault]:
    name, labels = metadata.get("name"), metadata.get("labels")
    if not isinstance(name, str) or not is_dns_label(name):
        yield Fault(path="metadata.name", message=f"{said(name)} is no name of a namespace: {_NAME}")
    if labels is not None and not isinstance(labels, dict):
        yield Fault(path="metadata.labels", message=f"must be an object, not {said(labels)}: write key: value pairs")
    for key, value in (labels if isinstance(labels, dict) else {}).items():
        if not isinstance(key, str) or not is_label_key(key):
            yield Fault(path="metadata.labels", message=f"{said(key)} is no key of a label: correct it")
        elif not isinstance(value, str):
            message = f"must be a string, not {said(value)}: put it in quotes"
            yield Fault(path=f"metadata.labels[{key}]", message=message)


def namespace_from_flag(text: str) -> Namespace:
    """Read `NAME[,label=value…]`; ValueError with the mend where it is something else."""
    name, *pairs = text.split(",")
    if not is_dns_label(name):
        raise ValueError(f"{said(name)} is no name of a namespace: {_NAME}")
    labels: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not is_label_key(key):
            raise ValueError(f"{said(pair)} is no label: write NAME,label=value,label=value")
        labels[key] = value
    return make_namespace(name, labels)


def named_by(isolations: Iterable[Isolation]) -> dict[str, Namespace]:
    """Give the namespaces that isolations name exactly."""
    patterns = {name for each in isolations if each.spec is not None for name in each.spec.namespaces.names or ()}
    return {name: make_namespace(name, {}) for name in sorted(patterns) if not is_glob(name)}


def said(value: object) -> str:
    """Write a value of the input into a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else "a list" if isinstance(value, list) else "an object"

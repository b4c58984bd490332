"""The NamespaceIsolations of the cluster: read, checked, and kept with their last status."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from namespace_isolation.cluster.served import decoded, encoded
from namespace_isolation.model import names
from namespace_isolation.model.fault import Fault
from namespace_isolation.model.isolation import Isolation
from namespace_isolation.model.resource import InvalidSpec, IsolationSpec, faults_of_name, parse_spec

__all__ = ["ISOLATIONS_PATH", "IsolationStore", "isolation_path", "read_isolation"]

Json = dict[str, Any]

ISOLATIONS_PATH: Final = f"/apis/{names.API_VERSION}/{names.PLURAL}"
_ORPHAN: Final = "orphan"
"""The finalizer that the API server sets for `kubectl delete --cascade=orphan`.

The garbage collector takes it away once no policy has an ownerReference any more, perhaps before we have seen it.
"""


def isolation_path(name: str, subresource: str = "") -> str:
    """Give the path of one isolation, or of its `/status`."""
    return f"{ISOLATIONS_PATH}/{name}{subresource}"


def read_isolation(document: Mapping[str, Any]) -> Isolation:
    """Read a NamespaceIsolation as served; what is wrong with it becomes faults, never an exception."""
    metadata = document["metadata"]
    raw = document.get("spec")
    spec, faults = _read_spec(raw if isinstance(raw, Mapping) else {})
    faults = (*faults, *faults_of_name(metadata["name"]))
    finalizers = tuple(metadata.get("finalizers") or ())
    retain = isinstance(raw, Mapping) and raw.get("deletionPolicy") == "Retain"
    return Isolation(
        name=metadata["name"],
        uid=metadata["uid"],
        generation=metadata.get("generation", 0),
        resource_version=int(metadata["resourceVersion"]),
        spec=None if faults else spec,
        faults=faults,
        notices=tuple(_notices(spec)) if spec is not None else (),
        deleting="deletionTimestamp" in metadata,
        retain=retain or _ORPHAN in finalizers,
        finalizers=finalizers,
    )


class _Metadata(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    uid: str
    resource_version: str


class _Head(msgspec.Struct, frozen=True):
    metadata: _Metadata


_HEAD: Final = msgspec.json.Decoder(_Head)


class IsolationStore:
    """Isolations by name with their status as the cluster has it; calls `on_change(old, new)` for every news."""

    def __init__(self, on_change: Callable[[Isolation | None, Isolation | None], None]) -> None:
        """Start empty; None stands for absent."""
        self._on_change = on_change
        self._by_name: dict[str, Isolation] = {}
        self._status: dict[str, bytes] = {}  # as text: a tenth of what the objects take, and rarely asked for
        self._gone: dict[str, int] = {}
        self._orphaning: set[str] = set()
        self._listed_version = 0
        self._seen_version = 0

    @property
    def by_name(self) -> Mapping[str, Isolation]:
        """All isolations."""
        return self._by_name

    @property
    def seen_version(self) -> int:
        """The newest version seen so far: a list that is asked for now is not older."""
        return self._seen_version

    def status_of(self, name: str) -> Json:
        """Give the status of an isolation as last seen or written; empty where there is none."""
        status = self._status.get(name)
        return {} if status is None else decoded(status)

    def changed(self, document: Mapping[str, Any]) -> None:
        """Take one isolation as served; older news than what is known, its removal too, is dropped."""
        metadata = document["metadata"]
        version = int(metadata["resourceVersion"])
        self._seen_version = max(self._seen_version, version)
        old = self._by_name.get(metadata["name"])
        if (old is None or old.uid != metadata["uid"]) and version <= self._listed_version:
            return  # news, or the answer to a write of ours, of one that was gone when the list was made
        self._take(document)

    def removed(self, name: str, uid: str, resource_version: int) -> None:
        """Drop one isolation, if it is still that one; `resource_version` is that of its deletion."""
        self._seen_version = max(self._seen_version, resource_version)
        if resource_version > self._listed_version:
            self._gone[uid] = resource_version
        old = self._by_name.get(name)
        if old is not None and old.uid == uid:
            self._drop(old)

    def replaced(self, texts: Sequence[bytes | msgspec.Raw], resource_version: int, *, asked_at: int = 0) -> None:
        """Take the complete list, of objects as JSON texts; what is not in it and not newer is gone.

        Only news are decoded, one after the other: 10,000 of them at once would take 150 MB.

        `asked_at` is the `seen_version` when it was asked for (0: nothing was seen). A list older than that means that
        the API server's history went back: then only the list counts, and what it holds may be another than is known.
        """
        rewound = resource_version < asked_at
        if resource_version < self._listed_version and not rewound:
            return  # overtaken by a newer list
        heads = [_HEAD.decode(text).metadata for text in texts]
        present = {head.uid for head in heads}
        for old in list(self._by_name.values()):
            if rewound or (old.uid not in present and old.resource_version <= resource_version):
                self._drop(old)
        self._gone = {} if rewound else {uid: gone for uid, gone in self._gone.items() if gone > resource_version}
        self._listed_version = resource_version
        self._seen_version = resource_version if rewound else max(self._seen_version, resource_version)
        for head, text in zip(heads, texts, strict=True):
            if self._is_news(head.name, head.uid, int(head.resource_version)):
                self._take(decoded(text))

    def orphaned(self, isolation: Isolation) -> None:
        """Hear that an isolation goes and leaves its policies, although nothing in it says so any more."""
        self._orphaning.add(isolation.uid)
        if self._by_name.get(isolation.name) is isolation:
            retained = replace(isolation, retain=True)
            self._by_name[isolation.name] = retained
            self._on_change(isolation, retained)

    def _take(self, document: Mapping[str, Any]) -> None:
        metadata = document["metadata"]
        if not self._is_news(metadata["name"], metadata["uid"], int(metadata["resourceVersion"])):
            return
        old = self._by_name.get(metadata["name"])
        isolation = read_isolation(document)
        if _ORPHAN in isolation.finalizers:
            self._orphaning.add(isolation.uid)
        if isolation.uid in self._orphaning:
            isolation = replace(isolation, retain=True)
        self._by_name[isolation.name] = isolation
        self._status[isolation.name] = encoded(document.get("status") or {})
        self._on_change(old, isolation)

    def _is_news(self, name: str, uid: str, resource_version: int) -> bool:
        """Whether this version is newer than what is known, and was not overtaken by the deletion."""
        old = self._by_name.get(name)
        return uid not in self._gone and (old is None or old.resource_version < resource_version)

    def _drop(self, old: Isolation) -> None:
        del self._by_name[old.name]
        self._status.pop(old.name, None)
        self._orphaning.discard(old.uid)
        self._on_change(old, None)


def _read_spec(raw: Mapping[str, Any]) -> tuple[IsolationSpec | None, tuple[Fault, ...]]:
    try:
        spec = parse_spec(raw)
    except InvalidSpec as invalid:
        return None, invalid.faults
    return spec, ()


def _notices(spec: IsolationSpec) -> Iterator[Fault]:
    """Name what is accepted and yet not, or not quite, what one might expect."""
    if spec.unmanaged_policies == "Remove" and not spec.default_deny:
        message = "Remove takes away what allows more than defaultDeny leaves; with defaultDeny: [] that is nothing"
        yield Fault(path="spec.unmanagedPolicies", message=message)
    for index, entry in enumerate(spec.allow):
        local = {
            "Ingress": entry.to is None or entry.to[0].is_local,
            "Egress": entry.from_ is None or entry.from_[0].is_local,
        }
        open_ = [each for each, isolates in local.items() if isolates and each not in spec.default_deny]
        if open_:
            message = (
                f"isolates the pods it selects for {' and '.join(open_)}, which defaultDeny leaves open: these pods "
                "keep only what allow policies name"
            )
            yield Fault(path=f"spec.allow[{index}]", message=message)

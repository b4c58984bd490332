"""The namespaces of the cluster, as the watch has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from namespace_isolation.model.namespace import Namespace

__all__ = ["NAMESPACES_PATH", "NamespaceStore"]

NAMESPACES_PATH: Final = "/api/v1/namespaces"


class _Metadata(msgspec.Struct, frozen=True, rename="camel", gc=False):
    name: str
    uid: str
    labels: dict[str, str] | None = None
    deletion_timestamp: str | None = None


class _Document(msgspec.Struct, frozen=True, gc=False):
    metadata: _Metadata


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class NamespaceStore:
    """Namespaces by name; says which one changed in a way that could matter, and its old and new value."""

    def __init__(
        self,
        on_change: Callable[[Namespace | None, Namespace | None], None],
        *,
        on_arrival: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """Call `on_change(old, new)` for every difference; None stands for absent.

        `on_arrival(name)` tells of a namespace whose watch event came, so that it came just now. When those of a list
        came, nobody knows.
        """
        self._by_name: dict[str, Namespace] = {}
        self._on_change = on_change
        self._on_arrival = on_arrival

    @property
    def by_name(self) -> Mapping[str, Namespace]:
        """All namespaces."""
        return self._by_name

    def read(self, text: bytes | msgspec.Raw) -> Namespace:
        """Take what is kept of a Namespace as served."""
        metadata = _DOCUMENT.decode(text).metadata
        return Namespace(
            name=metadata.name,
            uid=metadata.uid,
            labels=metadata.labels or {},
            ending=metadata.deletion_timestamp is not None,
        )

    def replaced(self, values: list[Namespace], resource_version: int) -> None:  # noqa: ARG002 - the Store's form
        """Take the complete list: what is not in it is gone."""
        present = {namespace.name for namespace in values}
        for name in [name for name in self._by_name if name not in present]:
            self.removed(self._by_name[name])
        for namespace in values:
            self._take(namespace)

    def changed(self, value: Namespace) -> None:
        """Take one namespace that was added or modified."""
        old = self._by_name.get(value.name)
        if old is None or old.uid != value.uid:
            self._on_arrival(value.name)
        self._take(value)

    def removed(self, value: Namespace) -> None:
        """Drop one namespace."""
        old = self._by_name.pop(value.name, None)
        if old is not None:
            self._on_change(old, None)

    def _take(self, value: Namespace) -> None:
        old = self._by_name.get(value.name)
        self._by_name[value.name] = value
        if old is None or (old.uid, old.labels, old.ending) != (value.uid, value.labels, value.ending):
            self._on_change(old, value)

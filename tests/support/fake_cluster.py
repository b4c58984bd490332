"""A cluster in memory whose news arrive when the test lets them, each collection in its own order, all in any other.

It keeps what matters here: versions, uids, what storing does to a spec, preconditions, namespaces that end.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from namespace_isolation.cluster import ApiError
from namespace_isolation.cluster.client import MERGE_PATCH
from namespace_isolation.cluster.served import encoded
from namespace_isolation.engine.world import World
from tests.support.api_server import stored_spec
from tests.support.lanes import OneLane
from tests.support.objects import isolation_document, namespace_document
from tests.support.served import texts

__all__ = ["COLLECTIONS", "FakeCluster"]

Json = dict[str, Any]

COLLECTIONS: Final = ("namespaces", "isolations", "policies")
_END = "2026-01-01T00:00:00Z"


class FakeCluster(OneLane):
    """Objects by collection and key, and the events that the world has not heard of yet."""

    def __init__(self) -> None:
        """Start empty; `meanwhile` is called while a request is on its way, before and after it is carried out."""
        self.version = 1
        self.objects: dict[str, dict[str, Json]] = {each: {} for each in COLLECTIONS}
        self.events: dict[str, deque[tuple[str, Json]]] = {each: deque() for each in COLLECTIONS}
        self.lists: deque[Json] = deque()
        self.meanwhile: Callable[[], None] = lambda: None
        self.writes = 0
        """How many policies were written or deleted."""
        self.on_write: Callable[[str], None] = lambda _: None
        """Is told the key of each policy right before it is written or deleted by the operator."""
        self.patches: list[str] = []
        """The paths of isolations that were written."""

    # What people do.

    def put(self, collection: str, key: str, document: Json) -> Json:
        """Create or change an object, and tell; an unchanged one is no event."""
        before = self.objects[collection].get(key)
        metadata = {**document["metadata"], "uid": before["metadata"]["uid"] if before else f"uid-{self.version}"}
        document = {**copy.deepcopy(document), "metadata": metadata}
        if before is not None and _content(before) == _content(document):
            return before
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self.objects[collection][key] = document
        self._tell(collection, "MODIFIED" if before else "ADDED", document)
        return document

    def remove(self, collection: str, key: str) -> None:
        """Delete an object for good, and tell."""
        document = self.objects[collection].pop(key, None)
        if document is None:
            return
        self.version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.version)}
        self._tell(collection, "DELETED", {**document, "metadata": metadata})

    def set_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a namespace or change its labels."""
        if not self.is_ending(name):
            self.put("namespaces", name, namespace_document(name, labels))

    def end_namespace(self, name: str) -> None:
        """Begin to delete a namespace."""
        document = self.objects["namespaces"].get(name)
        if document is not None:
            metadata = {**document["metadata"], "deletionTimestamp": _END}
            self.put("namespaces", name, {**document, "metadata": metadata})

    def finish_namespace(self, name: str) -> None:
        """Delete what is in a namespace that is being deleted, and then it."""
        if self.is_ending(name):
            for key in [key for key in self.objects["policies"] if key.startswith(f"{name}/")]:
                self.remove("policies", key)
            self.remove("namespaces", name)

    def set_isolation(self, name: str, spec: Json) -> None:
        """Create an isolation or change its spec."""
        before = self.objects["isolations"].get(name)
        if before is not None and "deletionTimestamp" in before["metadata"]:
            return
        if before is None:
            self.put("isolations", name, isolation_document(name, spec))
            return
        generation = before["metadata"]["generation"] + (before["spec"] != spec)
        metadata = {**before["metadata"], "generation": generation}
        self.put("isolations", name, {**before, "metadata": metadata, "spec": spec})

    def end_isolation(self, name: str) -> None:
        """Delete an isolation, which stays until its finalizer goes."""
        document = self.objects["isolations"].get(name)
        if document is not None:
            # As the API server does: the deletion is a generation of its own.
            generation = document["metadata"]["generation"] + ("deletionTimestamp" not in document["metadata"])
            metadata = {**document["metadata"], "deletionTimestamp": _END, "generation": generation}
            self.put("isolations", name, {**document, "metadata": metadata})

    def is_ending(self, namespace: str) -> bool:
        """Whether a namespace is being deleted."""
        document = self.objects["namespaces"].get(namespace)
        return document is not None and "deletionTimestamp" in document["metadata"]

    # What the world hears.

    def deliver(self, collection: str, world: World) -> bool:
        """Let the world hear the next event of a collection; False where there is none."""
        if not self.events[collection]:
            return False
        kind, document = self.events[collection].popleft()
        if collection == "isolations":
            if kind == "DELETED":
                metadata = document["metadata"]
                world.isolations.removed(metadata["name"], metadata["uid"], int(metadata["resourceVersion"]))
            else:
                world.isolations.changed(document)
            return True
        store: Any = world.namespaces if collection == "namespaces" else world.policies
        match kind:
            case "LIST":
                store.replaced([store.read(encoded(each)) for each in document["items"]], document["version"])
            case "DELETED":
                store.removed(store.read(encoded(document)))
            case _:
                store.changed(store.read(encoded(document)))
        return True

    def break_watch(self, collection: str) -> None:
        """Lose what the world has not heard of a collection, and list it as it is now; what follows is heard again."""
        self.events[collection].clear()
        self._tell(collection, "LIST", self._list(collection))

    def begin_list(self) -> None:
        """List the isolations beside their watch, one list at a time; the answer arrives later, news overtake it."""
        if not self.lists:
            self.lists.append(self._list("isolations"))

    def end_list(self, world: World) -> None:
        """Let the oldest list of isolations arrive, if there is one on its way."""
        if self.lists:
            listed = self.lists.popleft()
            world.isolations.replaced(texts(listed["items"]), listed["version"])

    def list_for(self, world: World) -> None:
        """Let a world that starts now list everything as it is; what follows is heard by whoever is asked to."""
        stores: tuple[tuple[str, Any], ...] = (("namespaces", world.namespaces), ("policies", world.policies))
        for collection, store in stores:
            listed = self._list(collection)
            store.replaced([store.read(encoded(each)) for each in listed["items"]], listed["version"])
        listed = self._list("isolations")
        world.isolations.replaced(texts(listed["items"]), listed["version"])
        world.complete()

    def deliver_all(self, world: World) -> None:
        """Let the world hear everything."""
        while self.lists:
            self.end_list(world)
        for collection in COLLECTIONS:
            while self.deliver(collection, world):
                pass

    # What the writer asks: the part of Client that it uses.
    async def patch(self, path: str, body: Any, *, content_type: str = MERGE_PATCH) -> Json:  # noqa: ANN401 - any JSON
        """Write the finalizers of an isolation, or its status if it is still that one."""
        self.meanwhile()
        name = path.removesuffix("/status").rpartition("/")[2]
        before = self.objects["isolations"].get(name)
        if before is None:
            raise _refused(404, "NotFound", f'namespaceisolations.nsiso.dev "{name}" not found', path)
        self.patches.append(path)
        if content_type == MERGE_PATCH:
            if body["metadata"].pop("resourceVersion") != before["metadata"]["resourceVersion"]:
                raise _refused(409, "Conflict", "the object has been modified", path)
            after = self.put("isolations", name, {**before, "metadata": {**before["metadata"], **body["metadata"]}})
            if "deletionTimestamp" in after["metadata"] and not after["metadata"]["finalizers"]:
                self.remove("isolations", name)
            return after
        test, add = body
        if test["value"] != before["metadata"]["uid"]:
            raise _refused(422, "Invalid", "", path)
        return self.put("isolations", name, {**before, "status": add["value"]})

    async def get(self, path: str) -> Json:
        """Read a policy."""
        self.meanwhile()
        return copy.deepcopy(self._found(path))

    async def create(self, path: str, body: Json) -> Json:
        """Create a policy."""
        self.meanwhile()
        namespace, name = _key(path)[0], body["metadata"]["name"]
        self._check_namespace(namespace, path)
        key = f"{namespace}/{name}"
        if key in self.objects["policies"]:
            raise _refused(409, "AlreadyExists", f'networkpolicies "{name}" already exists', path)
        return self._stored(key, body)

    async def replace(self, path: str, body: Json) -> Json:
        """Replace a policy, if it is still the version that was read."""
        self.meanwhile()
        before = self._found(path)
        if body["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]:
            raise _refused(409, "Conflict", "the object has been modified", path)
        return self._stored("/".join(_key(path)), body)

    async def delete(self, path: str, *, uid: str | None = None, resource_version: int | None = None) -> Json:
        """Delete a policy, if it is still that one, and unchanged."""
        self.meanwhile()
        metadata = self._found(path)["metadata"]
        if metadata["uid"] != uid:
            raise _refused(409, "Conflict", "Precondition failed: UID in precondition: does not match", path)
        if resource_version is not None and int(metadata["resourceVersion"]) != resource_version:
            raise _refused(409, "Conflict", "the ResourceVersion in the precondition does not match", path)
        self.writes += 1
        self.on_write("/".join(_key(path)))
        self.remove("policies", "/".join(_key(path)))
        self.meanwhile()
        return {"kind": "Status", "status": "Success"}

    def _stored(self, key: str, body: Json) -> Json:
        self.writes += 1
        self.on_write(key)
        document = self.put("policies", key, {**body, "spec": stored_spec(body["spec"])})
        self.meanwhile()
        return copy.deepcopy(document)

    def _found(self, path: str) -> Json:
        document = self.objects["policies"].get("/".join(_key(path)))
        if document is None:
            raise _refused(404, "NotFound", f'networkpolicies.networking.k8s.io "{_key(path)[1]}" not found', path)
        return document

    def _check_namespace(self, namespace: str, path: str) -> None:
        if namespace not in self.objects["namespaces"]:
            raise _refused(404, "NotFound", f'namespaces "{namespace}" not found', path)
        if self.is_ending(namespace):
            raise _refused(403, "Forbidden", "the namespace is being terminated", path, cause="NamespaceTerminating")

    def _list(self, collection: str) -> Json:
        return copy.deepcopy({"items": list(self.objects[collection].values()), "version": self.version})

    def _tell(self, collection: str, kind: str, document: Json) -> None:
        self.events[collection].append((kind, copy.deepcopy(document)))


def _content(document: Json) -> Json:
    metadata = {key: value for key, value in document["metadata"].items() if key != "resourceVersion"}
    return {**document, "metadata": metadata}


def _key(path: str) -> tuple[str, str]:
    """Take the namespace and the name out of the path of a policy; of a collection, the name is of no use."""
    parts = path.split("/")
    return parts[parts.index("namespaces") + 1], parts[-1]


def _refused(status: int, reason: str, message: str, path: str, *, cause: str | None = None) -> ApiError:
    causes = () if cause is None else (cause,)
    return ApiError(status=status, reason=reason, message=message, request=path, causes=causes)

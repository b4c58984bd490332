"""Who disturbs the cluster in the soak test: carries out a plan, and remembers which changes were his."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from namespace_isolation.cluster import ApiError
from namespace_isolation.cluster.client import JSON_PATCH
from namespace_isolation.model import names
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path
from tests.support import soak_specs as specs
from tests.support.history import ISOLATIONS, NAMESPACES, History, Key
from tests.support.operator import Operator
from tests.support.soak_plan import Action
from tests.support.stage import Admin

__all__ = ["Absence", "Actor", "Ledger"]

Json = dict[str, Any]

_MISSED: Final = frozenset({403, 404, 409})
"""What was to be changed is gone or going, or is there already."""
_CONFLICT: Final = 409
_ABSENT_FOR: Final = 60.0
_REMEMBERED: Final = 40
_COUNT: Final = "example.test/soak"


@dataclass(slots=True)
class Absence:
    """A time without a working operator, in seconds (monotonic): from a signal to the next complete caches."""

    begin: float
    killed: bool
    end: float | None = None


@dataclass(slots=True)
class Ledger:
    """Which changes of policies were the actor's, and when there was no operator."""

    versions: set[int] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    absences: list[Absence] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)


class Actor:
    """Carries out actions one after the other; what has to wait until a name is free waits beside them."""

    def __init__(self, admin: Admin, operator: Operator, history: History) -> None:
        """Do nothing yet."""
        self.ledger = Ledger()
        self.last: deque[str] = deque(maxlen=_REMEMBERED)
        self._admin, self._operator, self._history = admin, operator, history
        self._coming: dict[tuple[str, str], tuple[asyncio.Task[None], Json]] = {}
        self._starting: list[asyncio.Task[None]] = []
        self._stopping = False

    async def act(self, actions: Iterable[Action], *, progress: Callable[[float], None]) -> None:
        """Carry out actions, each at its time, or as soon as the ones before it are done."""
        started = time.monotonic()
        for action in actions:
            # The pace is part of the plan: a gap between two actions is a wait by the clock.
            await asyncio.sleep(max(0.0, started + action.at - time.monotonic()))
            progress(time.monotonic() - started)
            self.last.append(str(action))
            try:
                await self._do(action)
            except ApiError as error:
                if error.status not in _MISSED:
                    raise
                self.ledger.missed[action.verb] += 1
                self.last.append(f"    missed: {error}")
            else:
                self.ledger.done[action.verb] += 1
        for task, _ in list(self._coming.values()):
            await task
        await asyncio.gather(*self._starting)

    async def _do(self, action: Action) -> None:
        facts = action.facts
        match action.verb:
            case "kill" | "terminate":
                self._end(killed=action.verb == "kill")
            case "start":
                await self._start()
            case "edit":
                patch = _counted(specs.EDITS[facts["how"]], action.number)
                path = policies_path(facts["namespace"], facts["policy"])
                self._wrote(await self._admin.patch(path, patch))
            case "delete":
                answer = await self._admin.delete(policies_path(facts["namespace"], facts["policy"]))
                self.ledger.deleted.add(answer["details"]["uid"])
            case "extra" | "foreign":
                body = await (self._extra(facts) if action.verb == "extra" else self._foreign(facts))
                self._wrote(await self._admin.create(policies_path(facts["namespace"]), body))
            case _:
                await self._do_whole(action.verb, facts)

    async def _do_whole(self, verb: str, facts: Json) -> None:
        """Change a namespace or an isolation."""
        match verb:
            case "label":
                labels = {"team": None, "zone": None, **facts["labels"]}
                path = f"{NAMESPACES_PATH}/{facts['namespace']}"
                await self._admin.patch(path, {"metadata": {"labels": labels}})
            case "create namespace":
                metadata = {"name": facts["namespace"], "labels": facts["labels"]}
                self._create(NAMESPACES, facts["namespace"], {"metadata": metadata})
            case "delete namespace":
                await self._delete(NAMESPACES, facts["namespace"], f"{NAMESPACES_PATH}/{facts['namespace']}")
            case "create isolation":
                self._create(ISOLATIONS, facts["isolation"], isolation_body(facts["isolation"], facts["spec"]))
            case "put isolation":
                await self._put(facts["isolation"], facts["spec"])
            case "delete isolation":
                await self._delete(ISOLATIONS, facts["isolation"], isolation_path(facts["isolation"]))
            case _:
                raise AssertionError(f"unknown verb {verb}")

    def _wrote(self, document: Json) -> None:
        self.ledger.versions.add(int(document["metadata"]["resourceVersion"]))

    def _end(self, *, killed: bool) -> None:
        self.ledger.absences.append(Absence(begin=time.monotonic(), killed=killed))
        self._stopping = not killed
        if killed:
            self._operator.kill()
        else:
            self._operator.send(signal.SIGTERM)

    async def _start(self) -> None:
        if self._stopping:
            code = await self._operator.ended()
            assert code == 0, f"after SIGTERM the operator ended with {code}\n{self._operator.tail()}"
        self._operator.start()
        self._starting.append(asyncio.create_task(self._ready()))

    async def _ready(self) -> None:
        begun = len(self.ledger.absences)
        try:
            await self._operator.ready()
        except AssertionError:
            if len(self.ledger.absences) == begun:
                raise  # nobody ended it
            return
        for absence in self.ledger.absences[:begun]:
            absence.end = absence.end or time.monotonic()

    async def _extra(self, facts: Json) -> Json:
        """Make up a policy that claims to be of an isolation."""
        isolation, number = facts["isolation"], facts["policy"]
        body: Json = {"metadata": {"name": f"extra-{number}"}, "spec": {"podSelector": {}, "ingress": [{}]}}
        match facts["how"]:
            case "labels":
                marks = {names.LABEL_MANAGED_BY: names.MANAGED_BY, names.LABEL_ISOLATION: isolation}
                body["metadata"]["labels"] = marks
            case "name":
                body["metadata"]["name"] = f"{isolation}.allow-x{number}-ingress"
            case "owner":
                owner = await self._admin.get(isolation_path(isolation))
                reference = {"apiVersion": names.API_VERSION, "kind": names.KIND, "name": isolation}
                body["metadata"]["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
        return body

    async def _foreign(self, facts: Json) -> Json:
        """Make up a policy of somebody else, if need be with his object as its controller."""
        metadata: Json = {"name": facts["policy"]}
        if facts["how"] == "controlled":
            path = f"/api/v1/namespaces/{facts['namespace']}/configmaps"
            owner = await self._admin.create(path, {"metadata": {"name": facts["policy"]}})
            reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": facts["policy"], "controller": True}
            metadata["ownerReferences"] = [{**reference, "uid": owner["metadata"]["uid"]}]
        return {"metadata": metadata, "spec": specs.FOREIGN[facts["how"]]}

    async def _put(self, isolation: str, spec: Json) -> None:
        coming = self._coming.get((ISOLATIONS, isolation))
        if coming is not None:
            coming[1]["spec"] = spec
            return
        change = [{"op": "replace", "path": "/spec", "value": spec}]
        await self._admin.patch(isolation_path(isolation), change, content_type=JSON_PATCH)

    async def _delete(self, collection: str, name: str, path: str) -> None:
        coming = self._coming.pop((collection, name), None)
        if coming is not None:
            coming[0].cancel()
            return
        await self._admin.delete(path)

    def _create(self, collection: str, name: str, body: Json) -> None:
        """Create a namespace or an isolation as soon as the one of that name that is going is gone."""
        path = NAMESPACES_PATH if collection == NAMESPACES else ISOLATIONS_PATH
        self._coming[collection, name] = asyncio.create_task(self._come(collection, name, path, body)), body

    async def _come(self, collection: str, name: str, path: str, body: Json) -> None:
        key: Key = ("", name)
        while True:
            await self._history.until(
                lambda: key not in self._history.now[collection], within=_ABSENT_FOR, what=f"{name} gone"
            )
            try:
                await self._admin.create(path, body)
            except ApiError as error:
                if error.status != _CONFLICT:
                    raise
                continue  # the news that it is there is on its way
            del self._coming[collection, name]
            return


def isolation_body(name: str, spec: Json) -> Json:
    """Write an isolation as it is created."""
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": {"name": name}, "spec": spec}


def _counted(patch: Json, number: int) -> Json:
    """Add an annotation that is new each time, so that every edit is a write of its own."""
    metadata = patch.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), _COUNT: str(number)}
    return {**patch, "metadata": {**metadata, "annotations": annotations}}

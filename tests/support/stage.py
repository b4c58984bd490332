"""What one test plays with: namespaces and isolations of names that no other test has, and their policies."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from namespace_isolation.cluster import ApiError, Client, connection_from
from namespace_isolation.desire.render import render
from namespace_isolation.model.names import API_VERSION, KIND
from namespace_isolation.model.policy import Policy
from namespace_isolation.observe.isolations import ISOLATIONS_PATH, isolation_path, read_isolation
from namespace_isolation.observe.namespaces import NAMESPACES_PATH
from namespace_isolation.observe.served_policy import policies_path, read_policy
from tests.support.watching import DEADLINE, Json, Watch, watching

__all__ = [
    "EDITOR",
    "Admin",
    "Stage",
    "accepted",
    "admin_of",
    "condition",
    "flow",
    "is_exact",
    "is_settled",
    "refused",
    "standard",
    "suppress_missing",
]

EDITOR = "kubectl-edit"
"""The field manager of what the tests change by hand."""

_NOT_FOUND = 404


class Admin(Client):
    """The cluster's administrator, whose writes carry a field manager of their own."""

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
    ) -> bytes:
        if params is not None and "fieldManager" in params:
            params = {**params, "fieldManager": EDITOR}
        return await super()._send(verb, path, params=params, body=body, content_type=content_type)


@asynccontextmanager
async def admin_of(kubeconfig: Path) -> AsyncIterator[Admin]:
    """Connect as the user of a kubeconfig."""
    async with Admin(await connection_from(kubeconfig=kubeconfig), user_agent="nsiso-tests") as admin:
        yield admin


class Stage:
    """The part of the cluster that belongs to one test; `clear` takes it away again."""

    def __init__(self, admin: Admin) -> None:
        """Make up the name that everything of this test starts with."""
        self.admin = admin
        self.name = f"t-{uuid.uuid4().hex[:8]}"
        self._namespaces: list[str] = []
        self._isolations: list[str] = []
        self._barriers = itertools.count(1)

    async def namespace(
        self, suffix: str = "ns", *, labels: Mapping[str, str] | None = None, finalizers: Collection[str] = ()
    ) -> str:
        """Create a namespace and give its name."""
        name = f"{self.name}-{suffix}"
        metadata = {"name": name, "labels": dict(labels or {}), "finalizers": list(finalizers)}
        await self.admin.create(NAMESPACES_PATH, {"metadata": metadata})
        self._namespaces.append(name)
        return name

    async def label(self, namespace: str, **labels: str | None) -> None:
        """Set labels of a namespace; None removes one."""
        await self.admin.patch(f"{NAMESPACES_PATH}/{namespace}", {"metadata": {"labels": labels}})

    async def isolation(self, spec: Json, *, name: str | None = None) -> str:
        """Create an isolation, by default of the stage's name, and give its name."""
        name = name or self.name
        self._isolations.append(name)
        document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}
        await self.admin.create(ISOLATIONS_PATH, document)
        return name

    async def edit(self, isolation: str, spec: Json) -> Json:
        """Merge into the spec of an isolation and give the object."""
        return await self.admin.patch(isolation_path(isolation), {"spec": spec})

    async def delete_isolation(self, name: str) -> None:
        """Delete an isolation and wait until it is gone."""
        async with self.isolations() as watch:
            await self.admin.delete(isolation_path(name))
            await watch.until(lambda state: name not in state, what=f"isolation {name} gone")

    def isolations(self) -> AbstractAsyncContextManager[Watch]:
        """Watch the isolations."""
        return watching(self.admin, ISOLATIONS_PATH)

    def policies(self, namespace: str) -> AbstractAsyncContextManager[Watch]:
        """Watch the policies of a namespace."""
        return watching(self.admin, policies_path(namespace))

    async def policies_in(self, namespace: str) -> dict[str, Json]:
        """Read the policies of a namespace by name."""
        found: dict[str, Json] = {}
        async for page in self.admin.pages(policies_path(namespace)):
            found |= {item["metadata"]["name"]: item for item in page.documents()}
        return found

    async def patch_policy(self, namespace: str, name: str, patch: Json) -> Json:
        """Edit a policy by hand."""
        return await self.admin.patch(policies_path(namespace, name), patch)

    async def delete_policies(self, namespace: str) -> None:
        """Delete all policies of a namespace with one request."""
        await self.admin.delete(policies_path(namespace))

    async def until_policies(self, namespace: str, names: Iterable[str], *, within: float = DEADLINE) -> None:
        """Wait until a namespace holds exactly the policies of these names."""
        wanted = set(names)
        async with self.policies(namespace) as watch:
            what = f"policies {sorted(wanted)} and no other in {namespace}"
            await watch.until(lambda state: state.keys() == wanted, within=within, what=what)

    async def until_exact(self, namespace: str, *isolations: str, within: float = DEADLINE) -> None:
        """Wait until a namespace holds what the isolations render to: each policy whole, and no other."""
        documents = [await self.admin.get(isolation_path(name)) for name in isolations]
        async with self.policies(namespace) as watch:
            what = f"exactly the policies of {isolations} in {namespace}"
            await watch.until(lambda state: is_exact(state, documents), within=within, what=what)

    async def status(self, isolation: str) -> Json:
        """Read the status of an isolation as it is now."""
        status: Json = (await self.admin.get(isolation_path(isolation))).get("status") or {}
        return status

    async def until_status(
        self, isolation: str, holds: Callable[[Json], Any], *, within: float = DEADLINE, what: str = ""
    ) -> Json:
        """Wait until the status of the isolation's present generation holds, and give it."""

        def found(state: Mapping[str, Json]) -> Json | None:
            document = state.get(isolation, {})
            status: Json = document.get("status") or {}
            current = status.get("observedGeneration") == document.get("metadata", {}).get("generation")
            return status if current and holds(status) else None

        async with self.isolations() as watch:
            try:
                status = await watch.until(found, within=within, what=f"status of {isolation} {what}")
            except AssertionError as error:
                raise AssertionError(f"{error}\nstatus: {watch.state.get(isolation, {}).get('status')}") from error
        assert status is not None
        return status

    async def converged(self, isolation: str, *, matched: int = 1, within: float = DEADLINE) -> Json:
        """Wait until the operator says that everything is in place in so many namespaces; give the status."""
        return await self.until_status(
            isolation, lambda status: is_settled(status, matched), within=within, what=f"settled with {matched}"
        )

    async def barrier(self) -> None:
        """Return once the operator has handled what happened before, to isolations, namespaces and policies."""
        suffix = f"barrier-{next(self._barriers)}"
        namespace = await self.namespace(suffix)
        name = await self.isolation({"namespaces": {"names": [namespace]}}, name=f"{self.name}-{suffix}")
        await self.until_policies(namespace, standard(name))
        await self.admin.delete(policies_path(namespace, f"{name}.allow-dns-egress"))
        await self.until_policies(namespace, standard(name))

    async def clear(self, *, operated: bool) -> None:
        """Delete everything; `operated`: an operator runs that lets go of the isolations."""
        for name in self._isolations:
            with suppress_missing():
                if not operated:
                    await self.admin.patch(isolation_path(name), {"metadata": {"finalizers": None}})
                await self.admin.delete(isolation_path(name))
        async with self.isolations() as watch:
            mine = set(self._isolations)
            await watch.until(lambda state: not mine & state.keys(), what=f"isolations {mine} gone")
        for namespace in self._namespaces:
            with suppress_missing():
                await self.admin.patch(f"{NAMESPACES_PATH}/{namespace}", {"metadata": {"finalizers": None}})
                await self.admin.delete(f"{NAMESPACES_PATH}/{namespace}")


def standard(isolation: str) -> set[str]:
    """Name the policies that every isolation with the defaults yields."""
    return {f"{isolation}.default-deny-all", f"{isolation}.allow-dns-egress"}


def flow(isolation: str, entry: str) -> set[str]:
    """Name the policies of a flow inside the namespace."""
    return {f"{isolation}.allow-{entry}-ingress", f"{isolation}.allow-{entry}-egress"}


def is_exact(live: Mapping[str, Json], isolations: Iterable[Json]) -> bool:
    """Whether policies as served are those that isolations with denied egress render to, each of them whole."""
    wanted: dict[str, Policy] = {}
    for document in isolations:
        rendering = render(read_isolation(document))
        policies = (*rendering.policies, *((rendering.dns,) if rendering.dns else ()))
        wanted |= {policy.name: policy for policy in policies}
    return live.keys() == wanted.keys() and all(
        read_policy(document).matches(wanted[name]) for name, document in live.items()
    )


def is_settled(status: Json, matched: int) -> bool:
    """Whether a status says that all is in place in so many namespaces."""
    return condition(status, "Ready").get("status") == "True" and status["namespaces"]["matched"] == matched


def condition(status: Json, kind: str) -> Json:
    """Find a condition; empty where there is none."""
    found: Json = next((each for each in status.get("conditions") or () if each["type"] == kind), {})
    return found


async def accepted(admin: Admin, path: str, body: Json, *, within: float = DEADLINE) -> None:
    """Ask until the API server would create an object: it says nowhere when a new schema or quota is in force."""
    async with asyncio.timeout(within):
        while await _refusal(admin, path, body) is not None:
            pass


async def refused(admin: Admin, path: str, body: Json, *, within: float = DEADLINE) -> None:
    """Ask until the API server would not create an object; `path` must ask for a dry run."""
    async with asyncio.timeout(within):
        while await _refusal(admin, path, body) is None:
            pass


async def _refusal(admin: Admin, path: str, body: Json) -> ApiError | None:
    try:
        await admin.create(path, body)
    except ApiError as error:
        return error
    return None


@contextmanager
def suppress_missing() -> Iterator[None]:
    """Let a 404 pass: what is gone need not be deleted."""
    try:
        yield
    except ApiError as error:
        if error.status != _NOT_FOUND:
            raise

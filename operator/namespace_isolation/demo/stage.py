"""What the acts of the story share: the cluster, the user's hands on it, the witnesses, the operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from namespace_isolation.cluster import Client, connection_from
from namespace_isolation.demo.chronicle import Alarm
from namespace_isolation.demo.kubectl import Kubectl, environment_of
from namespace_isolation.demo.narrator import Narrator
from namespace_isolation.demo.operator_process import OperatorProcess
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.demo.witness import Witness, watching
from namespace_isolation.sandbox import Sandbox

__all__ = ["DEFINITIONS", "NAMESPACES", "POLICIES", "Stage", "open_stage"]

NAMESPACES: Final = "/api/v1/namespaces"
POLICIES: Final = "/apis/networking.k8s.io/v1/networkpolicies"
DEFINITIONS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Stage:
    """The running demo. `lock` is held by whoever keeps the cluster alive."""

    def __init__(self, sandbox: Sandbox, lock: Path, narrator: Narrator, client: Client, stack: AsyncExitStack) -> None:
        """Make what the acts need; nothing is watched and no operator runs yet."""
        self.alarm = Alarm()
        self.sandbox = sandbox
        self.lock = lock
        self.narrator = narrator
        self.client = client
        self.kubectl = Kubectl(
            program=sandbox.programs.kubectl, environment=environment_of(sandbox.kubeconfig), narrator=narrator
        )
        self.namespaces = Witness(self.alarm)
        self.policies = Witness(self.alarm)
        self.definitions = Witness(self.alarm)
        self.isolations = Witness(self.alarm)
        self.operator: OperatorProcess | None = None
        self.operator_stays = False
        self._stack = stack

    @property
    def operator_kubeconfig(self) -> Path:
        """The operator's own way into the cluster, beside the administrator's; it goes with the sandbox."""
        return self.sandbox.directory / "operator.kubeconfig"

    @property
    def operator_log(self) -> Path:
        """Where the operator's log goes, beside those of the control plane."""
        return self.sandbox.directory / "operator.log"

    async def watch(self, path: str, witness: Witness) -> None:
        """Let a witness watch a collection until the curtain falls."""
        await self._stack.enter_async_context(watching(self.client, path, witness, self.alarm))

    async def objects(self, path: str) -> Sequence[dict[str, Any]]:
        """List a collection as it is now."""
        return [item async for page in self.client.pages(path) for item in page.documents()]


@asynccontextmanager
async def open_stage(sandbox: Sandbox, lock: Path, narrator: Narrator) -> AsyncIterator[Stage]:
    """Connect to the cluster as its administrator and watch; an operator is ended with the stage, unless it stays."""
    connection = await connection_from(kubeconfig=sandbox.kubeconfig)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(connection, user_agent="nsiso-demo"))
        stage = Stage(sandbox, lock, narrator, client, stack)
        await stage.watch(NAMESPACES, stage.namespaces)
        await stage.watch(POLICIES, stage.policies)
        await stage.watch(DEFINITIONS, stage.definitions)
        try:
            yield stage
        finally:
            if stage.operator is not None and not stage.operator_stays:
                with suppress(Unseen):  # what went wrong before is told already
                    await stage.operator.stop()

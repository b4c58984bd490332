"""Runs the demo: control plane, story, and what is left at the end - nothing, or with `keep` all of it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from namespace_isolation.cluster import ApiError
from namespace_isolation.demo.files import manifest
from namespace_isolation.demo.narrator import Narrator, spell
from namespace_isolation.demo.stage import open_stage
from namespace_isolation.demo.story import tell
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.sandbox import Progress, Sandbox, obtain
from namespace_isolation.sandbox.lock import acquire
from namespace_isolation.sandbox.own_name import own_name
from namespace_isolation.sandbox.records import lock_of

__all__ = ["show"]

_NAME: Final = "demo"
_LOG_LINES: Final = 20


def show(*, keep: bool) -> bool:
    """Show the demo and tell whether everything was seen; SandboxError, MissingManifestsError: it cannot start."""
    manifest("rbac.yaml")
    narrator = Narrator()
    started = time.monotonic()
    _open(narrator)
    with _control_plane(narrator, keep=keep) as (sandbox, lock):
        if not asyncio.run(_perform(sandbox, lock, narrator, keep=keep)):
            return False
        if keep:
            sandbox.detach()
            _hand_over(narrator, sandbox)
    if not keep:
        narrator.seen("the control plane is stopped and its files are removed; nothing is left running")
    narrator.say(f"\nEverything was seen. The demo took {spell(time.monotonic() - started)}.", indent="")
    return True


def _open(narrator: Narrator) -> None:
    narrator.title("One NamespaceIsolation keeps the NetworkPolicies of its namespaces in place")
    narrator.say(
        "All of this is real: etcd, kube-apiserver and kube-controller-manager on loopback, and the operator under "
        "its own restricted identity. There are no nodes: pods are accepted but never run, and enforcing policies "
        "would be the work of a cluster's network plugin.",
        indent="",
    )


@contextmanager
def _control_plane(narrator: Narrator, *, keep: bool) -> Iterator[tuple[Sandbox, Path]]:
    """Start a control plane, and name the lock whose holder keeps it alive: this process, or a sandbox that stays."""
    narrator.chapter("A control plane")
    programs = obtain(Progress())
    started = time.monotonic()
    with Sandbox.start(name=_NAME if keep else None, programs=programs) as sandbox:
        without = f", without {', '.join(sandbox.missing)}" if sandbox.missing else ""
        narrator.seen(f"Kubernetes answers at {sandbox.server}{without}", time.monotonic() - started)
        if keep:
            yield sandbox, lock_of(_NAME)
            return
        lock = sandbox.directory / "demo.lock"
        descriptor = acquire(lock)
        assert descriptor is not None  # noqa: S101 - nobody else knows the file
        try:
            yield sandbox, lock
        finally:
            os.close(descriptor)


async def _perform(sandbox: Sandbox, lock: Path, narrator: Narrator, *, keep: bool) -> bool:
    """Tell the story; where it breaks off, say what was expected and show the operator's last words."""
    async with open_stage(sandbox, lock, narrator) as stage:
        try:
            await tell(stage, keep=keep)
        except (Unseen, ApiError) as problem:
            details: list[tuple[str, Sequence[str]]] = []
            if isinstance(problem, Unseen) and problem.seen:
                details.append(("what was seen:", problem.seen))
            if stage.operator is not None:
                details.append(("the end of the operator's log:", stage.operator.lines.entries[-_LOG_LINES:]))
            narrator.unseen(str(problem), details)
            return False
    return True


def _hand_over(narrator: Narrator, sandbox: Sandbox) -> None:
    """Say how to look around, and how to end it."""
    narrator.say("\nIt is left running. To look around, in this shell:\n", indent="")
    kubectl = [] if shutil.which("kubectl") else [f"alias kubectl={shlex.quote(str(sandbox.programs.kubectl))}"]
    for line in (
        f"export KUBECONFIG={shlex.quote(str(sandbox.kubeconfig))}",
        *kubectl,
        "kubectl get nsiso",
        "kubectl get networkpolicies -A",
        "kubectl describe nsiso payments",
        "kubectl create namespace payments-us    # isolated at once",
        f"tail -f {sandbox.directory / 'operator.log'}",
    ):
        narrator.line(line)
    narrator.say("\nTo end it, the operator with it:\n", indent="")
    narrator.line(f"{own_name()} sandbox down --name {_NAME}")

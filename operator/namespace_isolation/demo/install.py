"""First acts: the resource, the operator's identity with a real token, and the operator under that identity alone."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

from namespace_isolation.demo.files import manifest, shown
from namespace_isolation.demo.operator_process import OperatorProcess
from namespace_isolation.demo.stage import Stage
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.demo.witness import Sighting
from namespace_isolation.model import names
from namespace_isolation.model.crd import custom_resource_definition

__all__ = ["install_identity", "install_resource", "start_operator"]

_NAMESPACE: Final = "nsiso-system"
_ACCOUNT: Final = "nsiso-operator"
_USER: Final = f"system:serviceaccount:{_NAMESPACE}:{_ACCOUNT}"
_LIFETIME: Final = "24h"


async def install_resource(stage: Stage) -> None:
    """Install the CRD and wait until the API server serves it."""
    stage.narrator.chapter("The resource: NamespaceIsolation")
    document = json.dumps(custom_resource_definition())
    started = time.monotonic()
    await stage.kubectl.run("apply", "-f", "-", piped=("nsiso crd", document))
    await stage.definitions.see(f"the CRD {names.PLURAL}.{names.GROUP} is Established", _established)
    await stage.watch(f"/apis/{names.API_VERSION}/{names.PLURAL}", stage.isolations)
    stage.narrator.seen(f"the CRD is Established: `kubectl explain {names.SHORT_NAMES[0]}` works", _since(started))


async def install_identity(stage: Stage) -> None:
    """Install the operator's ServiceAccount and role from manifests/, and make a kubeconfig of its token."""
    stage.narrator.chapter("The operator's identity: it may do what it needs, and no more")
    files = [word for name in ("namespace.yaml", "rbac.yaml") for word in ("-f", shown(manifest(name)))]
    await stage.kubectl.run("apply", *files)
    token = await stage.kubectl.run(
        "create", "token", _ACCOUNT, "-n", _NAMESPACE, f"--duration={_LIFETIME}", quiet=True
    )
    _write_kubeconfig(stage, token.strip())
    stage.narrator.seen("the TokenRequest API gave a token; a kubeconfig holds it and no other credentials")
    own = f"--kubeconfig={stage.operator_kubeconfig}"
    user = await stage.kubectl.run("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}", own)
    if user != _USER:
        raise Unseen(f"the token is that of {_USER}", [f"it is that of {user}"])
    stage.narrator.seen("the API server knows its bearer by the name of the ServiceAccount")
    await _expect_right(stage, "yes", "create", "networkpolicies", own)
    await _expect_right(stage, "no", "get", "secrets", own)


async def start_operator(stage: Stage) -> None:
    """Start the operator as a process of its own and wait until its caches are complete."""
    stage.narrator.chapter("The operator: a process of its own, with that token and nothing else")
    started = time.monotonic()
    stage.narrator.command(["nsiso", "run", f"--kubeconfig={stage.operator_kubeconfig}"])
    stage.operator = await OperatorProcess.start(
        kubeconfig=stage.operator_kubeconfig, lock=stage.lock, log=stage.operator_log, alarm=stage.alarm
    )
    await stage.operator.ready()
    stage.narrator.seen("it has seen every namespace and policy, and waits for an isolation", _since(started))


async def _expect_right(stage: Stage, answer: str, verb: str, resource: str, kubeconfig: str) -> None:
    given = await stage.kubectl.run(
        "auth", "can-i", verb, resource, "--all-namespaces", kubeconfig, quiet=True, codes=(0, 1)
    )
    if given.strip() != answer:
        raise Unseen(f"may {_USER} {verb} {resource}? {answer}", [given.strip()])
    stage.narrator.seen(f"{answer}: it {'may' if answer == 'yes' else 'may not'} {verb} {resource}")


def _write_kubeconfig(stage: Stage, token: str) -> None:
    """Take the cluster from the administrator's kubeconfig, and nothing else."""
    admin: dict[str, Any] = json.loads(stage.sandbox.kubeconfig.read_text())
    cluster = admin["clusters"][0]
    context = {"cluster": cluster["name"], "user": _ACCOUNT}
    own = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [cluster],
        "users": [{"name": _ACCOUNT, "user": {"token": token}}],
        "contexts": [{"name": _ACCOUNT, "context": context}],
        "current-context": _ACCOUNT,
    }
    stage.operator_kubeconfig.touch(mode=0o600)
    stage.operator_kubeconfig.write_text(json.dumps(own, indent=2))


def _established(events: Sequence[Sighting]) -> Sighting | None:
    wanted = f"{names.PLURAL}.{names.GROUP}"
    return next((event for event in events if event.name == wanted and _is_established(event)), None)


def _is_established(event: Sighting) -> bool:
    conditions = event.document.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


def _since(started: float) -> float:
    return time.monotonic() - started

"""Ends and beginnings of the operator: killed, cut off, stopped, started without what it needs."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from namespace_isolation.observe.isolations import isolation_path
from namespace_isolation.observe.served_policy import policies_path
from namespace_isolation.sandbox.build import package_environment
from tests.support.cluster import Cluster
from tests.support.operator import CRD, OPERATOR_USER, Operator, install, operator_kubeconfig
from tests.support.proxy import proxy_to
from tests.support.stage import Stage, admin_of, standard
from tests.support.watching import Json, watching

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _flows(count: int) -> list[Json]:
    return [
        {
            "name": f"flow-{index}",
            "from": [{"podSelector": {"matchLabels": {"app": f"from-{index}"}}}],
            "to": [{"podSelector": {"matchLabels": {"app": f"to-{index}"}}}],
        }
        for index in range(count)
    ]


async def test_killed_between_two_writes(stage: Stage, stopped_operator: Operator) -> None:
    """SIGKILL with some allows in place and no denial yet: the next process brings it to the exact end."""
    namespace = await stage.namespace()
    stopped_operator.start()
    await stopped_operator.ready()
    async with stage.policies(namespace) as watch:
        isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "allow": _flows(100)})
        await watch.event(lambda event: event.kind == "ADDED")
        stopped_operator.send(signal.SIGSTOP)
        stopped_operator.kill()
    half = await stage.policies_in(namespace)
    assert 0 < len(half) < 200
    assert f"{isolation}.default-deny-all" not in half
    stopped_operator.start()
    await stage.until_exact(namespace, isolation, within=30)
    status = await stage.converged(isolation)
    assert (status["policies"]["inPlace"], status["drift"]["corrected"]) == (202, 0)
    after = await stage.policies_in(namespace)
    assert {name: after[name]["metadata"]["uid"] for name in half} == {
        name: policy["metadata"]["uid"] for name, policy in half.items()
    }


async def test_killed_while_it_removes(stage: Stage, stopped_operator: Operator) -> None:
    """SIGKILL in the middle of a deletion: the next process removes the rest and lets the resource go."""
    namespace = await stage.namespace()
    stopped_operator.start()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}, "allow": _flows(60)})
    await stage.converged(isolation, within=30)
    async with stage.policies(namespace) as watch, stage.isolations() as isolations:
        await stage.admin.delete(isolation_path(isolation))
        await watch.event(lambda event: event.kind == "DELETED")
        stopped_operator.send(signal.SIGSTOP)
        stopped_operator.kill()
        assert isolation in isolations.state
        stopped_operator.start()
        await isolations.until(lambda state: isolation not in state, within=30, what="the isolation gone")
    assert await stage.policies_in(namespace) == {}


async def test_what_changes_while_it_is_away_is_caught_up(stage: Stage, stopped_operator: Operator) -> None:
    """Namespaces come and lose their label, policies go and are opened, isolations change: all is seen at the start."""
    labels = {stage.name: "yes"}
    stays, leaves = await stage.namespace("stays", labels=labels), await stage.namespace("leaves", labels=labels)
    stopped_operator.start()
    spec: Json = {"namespaces": {"selector": {"matchLabels": labels}}, "allow": _flows(2)}
    isolation = await stage.isolation(spec)
    await stage.converged(isolation, matched=2, within=30)
    assert await stopped_operator.stop() == 0

    comes = await stage.namespace("comes", labels=labels)
    await stage.label(leaves, **{stage.name: None})
    await stage.admin.delete(policies_path(stays, f"{isolation}.allow-dns-egress"))
    await stage.patch_policy(stays, f"{isolation}.default-deny-all", {"spec": {"egress": [{}]}})
    extra = {
        "metadata": {"name": f"{isolation}.allow-backdoor-ingress"},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    await stage.admin.create(policies_path(stays), extra)
    await stage.edit(isolation, {"allow": _flows(1)})

    stopped_operator.start()
    for namespace in (stays, comes):
        await stage.until_exact(namespace, isolation, within=30)
    await stage.until_policies(leaves, ())
    status = await stage.converged(isolation, matched=2)
    told = {entry["policy"].partition(".")[2]: entry["kind"] for entry in status["drift"]["recent"]}
    assert told["default-deny-all"] == "Modified"
    assert told["allow-backdoor-ingress"] == "Extra"


async def test_an_isolation_that_loses_its_finalizer_while_it_is_away(stage: Stage, stopped_operator: Operator) -> None:
    """Where the resource was forced away, its policies are removed at the next start (or by the garbage collector)."""
    namespace = await stage.namespace()
    stopped_operator.start()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation, within=30)
    assert await stopped_operator.stop() == 0
    await stage.admin.patch(isolation_path(isolation), {"metadata": {"finalizers": None}})
    await stage.delete_isolation(isolation)
    stopped_operator.start()
    await stage.until_policies(namespace, (), within=30)


@pytest.mark.sandbox_only
async def test_a_restart_on_a_converged_cluster_writes_nothing(
    stage: Stage, stopped_operator: Operator, cluster: Cluster
) -> None:
    """Neither a policy nor a status nor a finalizer: the audit log holds no write of the operator."""
    namespaces = [await stage.namespace(f"ns-{index}") for index in range(10)]
    stopped_operator.start()
    isolation = await stage.isolation({"namespaces": {"names": namespaces}, "allow": _flows(2)})
    other = await stage.isolation(
        {"namespaces": {"names": namespaces[:5]}, "unmanagedPolicies": "Ignore"}, name=f"{stage.name}-other"
    )
    for name, matched in ((isolation, 10), (other, 5)):
        await stage.converged(name, matched=matched, within=30)
    await stage.admin.delete(policies_path(namespaces[0], f"{isolation}.default-deny-all"))
    await stage.until_status(isolation, lambda now: now["drift"]["corrected"] == 1)
    before = [await stage.admin.get(isolation_path(name)) for name in (isolation, other)]
    assert await stopped_operator.stop() == 0

    since = cluster.audit_position()
    stopped_operator.start()
    await stopped_operator.ready()
    sentinel = await stage.namespace("sentinel")
    last = f"{stage.name}-sentinel"
    await stage.isolation({"namespaces": {"names": [sentinel]}}, name=last)
    await stage.converged(last)
    own = [
        (event["verb"], event["objectRef"].get("subresource"), event["objectRef"].get("name"))
        for event in cluster.audited_writes(since, user=OPERATOR_USER)
        if last not in event["requestURI"] and sentinel not in event["requestURI"]
        if last not in event["objectRef"].get("name", "")  # the events of an isolation are in default
    ]
    assert own == []
    assert [await stage.admin.get(isolation_path(name)) for name in (isolation, other)] == before


async def test_the_drift_count_goes_on_after_a_restart(stage: Stage, stopped_operator: Operator) -> None:
    """`corrected` and `recent` continue from the status."""
    namespace = await stage.namespace()
    stopped_operator.start()
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.converged(isolation, within=30)
    for count, restart in ((1, True), (2, False)):
        await stage.admin.delete(policies_path(namespace, f"{isolation}.default-deny-all"))
        status = await stage.until_status(isolation, partial(_corrected, count))
        assert len(status["drift"]["recent"]) == count
        if restart:
            assert await stopped_operator.stop() == 0
            stopped_operator.start()
            await stopped_operator.ready()


@pytest.mark.sandbox_only
@pytest.mark.timeout(180)
async def test_policies_deleted_behind_a_compacted_watch_window(
    cluster: Cluster, stage: Stage, stopped_operator: Operator, tmp_path: Path
) -> None:
    """100 policies go while the operator is cut off and the history is compacted away (410): all come back."""
    async with proxy_to(cluster.own_sandbox().server) as proxy:
        through = operator_kubeconfig(cluster, tmp_path / "kubeconfig", server=proxy.url)
        stopped_operator.start(kubeconfig=through)
        labels = {stage.name: "yes"}
        namespaces = await asyncio.gather(*(stage.namespace(f"ns-{index}", labels=labels) for index in range(50)))
        isolation = await stage.isolation({"namespaces": {"selector": {"matchLabels": labels}}})
        await stage.converged(isolation, matched=50, within=30)
        before = {namespace: await stage.policies_in(namespace) for namespace in namespaces}
        since = stopped_operator.mark()

        stopped_operator.send(signal.SIGSTOP)
        proxy.cut()
        await asyncio.gather(*(stage.delete_policies(namespace) for namespace in namespaces))
        await asyncio.to_thread(cluster.own_sandbox().compact_watch_window)
        proxy.mend()
        stopped_operator.send(signal.SIGCONT)

        # The API server is a new process: so is the way to it.
        async with admin_of(cluster.kubeconfig) as admin:
            again = Stage(admin)
            async with watching(admin, policies_path(), keep=_of(isolation), key=_place) as watch:
                await watch.until(lambda state: len(state) == 100, within=45, what="100 policies back")
                uids = {policy["metadata"]["uid"] for policy in watch.state.values()}
            old = {policy["metadata"]["uid"] for each in before.values() for policy in each.values()}
            assert uids.isdisjoint(old)
            status = await again.until_status(
                isolation, lambda now: now["drift"]["corrected"] >= 100, within=30, what="100 corrected"
            )
            assert status["drift"]["corrected"] == 100
        told = [line for line in stopped_operator.lines[since:] if line.event == "watch interrupted"]
        gone = [line for line in told if line.fields["error"].startswith(f"WATCH {policies_path()}: 410")]
        assert [line.fields["lists_again"] for line in gone] == [True], told
        assert await stopped_operator.stop() == 0


@pytest.mark.sandbox_only
async def test_an_isolation_deleted_behind_a_compacted_watch_window(
    cluster: Cluster, stage: Stage, stopped_operator: Operator, tmp_path: Path
) -> None:
    """One isolation goes by force, one is edited, one comes: the operator learns of all three."""
    async with proxy_to(cluster.own_sandbox().server) as proxy:
        through = operator_kubeconfig(cluster, tmp_path / "kubeconfig", server=proxy.url)
        stopped_operator.start(kubeconfig=through)
        namespace = await stage.namespace()
        gone, edited, comes = (f"{stage.name}-{each}" for each in ("gone", "edited", "comes"))
        for name in (gone, edited):
            await stage.isolation({"namespaces": {"names": [namespace]}, "deletionPolicy": "Delete"}, name=name)
            await stage.converged(name, within=30)
        stopped_operator.send(signal.SIGSTOP)
        proxy.cut()
        await stage.edit(edited, {"defaultDeny": ["Ingress"], "dns": {"enabled": False}})
        await stage.isolation({"namespaces": {"names": [namespace]}}, name=comes)
        await stage.admin.patch(isolation_path(gone), {"metadata": {"finalizers": None}})
        await stage.delete_isolation(gone)
        await asyncio.to_thread(cluster.own_sandbox().compact_watch_window)
        proxy.mend()
        stopped_operator.send(signal.SIGCONT)
        async with admin_of(cluster.kubeconfig) as admin:
            again = Stage(admin)
            wanted = standard(comes) | {f"{edited}.default-deny-ingress"}
            try:
                # Sooner than the garbage collector, and for good: nobody puts back what belongs to no isolation.
                await again.until_policies(namespace, wanted, within=20)
                async with again.policies(namespace) as watch:
                    await again.barrier()
                    assert watch.kinds() == []
            finally:
                stopped_operator.kill()
                await again.clear(operated=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_it_stops_in_order_at_rest(stage: Stage, stopped_operator: Operator, number: signal.Signals) -> None:
    """A signal ends it within 10 s with exit code 0; its last word is that it stopped."""
    stopped_operator.start()
    await stage.barrier()
    since = stopped_operator.mark()
    stopped_operator.send(number)
    assert await stopped_operator.ended(within=10) == 0
    assert stopped_operator.lines[-1].event == "stopped", stopped_operator.tail()
    assert stopped_operator.complaints(since) == []


async def test_it_stops_as_soon_as_it_is_ready(stopped_operator: Operator) -> None:
    """A signal in its first moments, while Kopf still finds its way, ends it within 10 s with exit code 0 as well."""
    stopped_operator.start()
    await stopped_operator.ready()
    assert await stopped_operator.stop(within=10) == 0


async def test_it_stops_in_order_in_the_middle_of_work(stage: Stage, stopped_operator: Operator) -> None:
    """SIGTERM while namespaces are being isolated: it ends in time, tells no error, and the next one goes on."""
    labels = {stage.name: "yes"}
    namespaces = await asyncio.gather(*(stage.namespace(f"ns-{index}", labels=labels) for index in range(60)))
    stopped_operator.start()
    await stopped_operator.ready()
    since = stopped_operator.mark()
    spec: Json = {"namespaces": {"selector": {"matchLabels": labels}}, "allow": _flows(10)}
    async with watching(stage.admin, policies_path(), keep=_of(stage.name), key=_place) as watch:
        isolation = await stage.isolation(spec)
        await watch.event(lambda event: event.kind == "ADDED")
        started = time.monotonic()
        assert await stopped_operator.stop(within=10) == 0
        assert time.monotonic() - started < 10
        assert stopped_operator.complaints(since) == []
        stopped_operator.start()
        await watch.until(lambda state: len(state) == 60 * 22, within=45, what="all policies")
    await stage.until_exact(namespaces[0], isolation)
    await stage.converged(isolation, matched=60, within=30)


async def test_it_waits_for_a_missing_definition(stage: Stage, stopped_operator: Operator, cluster: Cluster) -> None:
    """Without the CRD it says what is missing and how to mend it, is not ready, and works once it is there."""
    async with stage.isolations() as isolations:
        left = list(isolations.state)  # by tests that failed: they would keep the CRD from going
        for name in left:
            await stage.admin.patch(isolation_path(name), {"metadata": {"finalizers": None}})
    async with watching(stage.admin, _CRDS) as definitions:
        await stage.admin.delete(f"{_CRDS}/{CRD}")
        await definitions.until(lambda state: CRD not in state, what="the CRD gone")
    try:
        stopped_operator.start()
        line = await stopped_operator.logged("the CRD is missing")
        assert line.level == "error"
        assert "kubectl apply" in line.event
        assert _probe(stopped_operator, "readyz") == 503
        assert _probe(stopped_operator, "healthz") == 200
        namespace = await stage.namespace()
        assert await stage.policies_in(namespace) == {}
    finally:
        await asyncio.to_thread(install, cluster)
    await stopped_operator.ready()
    assert _probe(stopped_operator, "readyz") == 200
    isolation = await stage.isolation({"namespaces": {"names": [namespace]}})
    await stage.until_exact(namespace, isolation, within=45)
    await stage.converged(isolation)


_BROKEN = {
    "no YAML": ("}{", "cannot use the kubeconfig"),
    "empty": ("", "cannot use the kubeconfig"),
    "no such context": (
        json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "nowhere", "contexts": []}),
        "cannot use the kubeconfig",
    ),
}


@pytest.mark.parametrize(("text", "said"), _BROKEN.values(), ids=_BROKEN)
def test_a_kubeconfig_that_cannot_be_used(tmp_path: Path, text: str, said: str) -> None:
    """The operator names the file and the mend, shows no traceback, and ends with exit code 1."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(text)
    done = _run(f"--kubeconfig={kubeconfig}")
    assert done.returncode == 1, done.stderr
    assert said in done.stderr
    assert str(kubeconfig) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    """A file that does not exist is an error of the command line: exit code 2, as click has it."""
    done = _run(f"--kubeconfig={tmp_path / 'nowhere'}")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "does not exist" in done.stderr


def test_a_context_that_is_not_there(cluster: Cluster) -> None:
    """An unknown --context ends it with exit code 1 and the name."""
    done = _run(f"--kubeconfig={cluster.kubeconfig}", "--context=nowhere")
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_token_that_is_not_known(cluster: Cluster, stopped_operator: Operator, tmp_path: Path) -> None:
    """With a wrong token it says Unauthorized, is alive and never ready, and stops when told to."""
    kubeconfig = operator_kubeconfig(cluster, tmp_path / "kubeconfig", token="wrong")  # noqa: S106 - wrong on purpose
    stopped_operator.start(kubeconfig=kubeconfig)
    line = await stopped_operator.logged("cannot list isolations")
    assert "401" in line.text
    assert "Unauthorized" in line.text
    assert _probe(stopped_operator, "readyz") == 503
    assert await stopped_operator.stop(within=10) == 0


def test_a_port_that_is_taken(operator_process: Operator, cluster: Cluster) -> None:
    """A taken health port is named, with the option that mends it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run(f"--kubeconfig={cluster.kubeconfig}", "--health-host=127.0.0.1", f"--health-port={port}")
    assert done.returncode == 1
    assert "--health-port" in done.stderr


def _corrected(count: int, status: Json) -> bool:
    return bool(status["drift"]["corrected"] == count)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "namespace_isolation", "run", "--health-port=0", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=package_environment(),
    )


def _probe(operator: Operator, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.health_port}/{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _of(isolation: str) -> Callable[[Json], bool]:
    return lambda document: str(document["metadata"]["name"]).startswith(f"{isolation}.")


def _place(document: Json) -> str:
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"

"""The sandbox itself: it is a real cluster with RBAC, survives what tests do to it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from namespace_isolation.sandbox import Programs, Sandbox, SandboxError
from namespace_isolation.sandbox.build import package_environment
from tests.support.cluster import Cluster, sandbox_cluster
from tests.support.processes import IGNORING_SIGINT, started, wait_for_end

pytestmark = [pytest.mark.sandbox_only, pytest.mark.usefixtures("programs")]

_HOLD = """
import json, signal
from namespace_isolation.sandbox import Sandbox
with Sandbox.start() as sandbox:
    print(json.dumps({"pids": sandbox.pids, "directory": str(sandbox.directory)}), flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def own(programs: Programs) -> Iterator[Cluster]:
    """Give a sandbox that may be restarted without disturbing other tests."""
    with Sandbox.start(audit=True, programs=programs) as sandbox:
        yield sandbox_cluster(sandbox)


def test_it_is_the_wanted_version_with_the_namespaces_of_a_new_cluster(own: Cluster) -> None:
    """Whoever gets a sandbox can use it at once."""
    names = own.run_kubectl("get", "namespaces", "-o", "name").stdout.split()
    assert {f"namespace/{name}" for name in ("default", "kube-system", "kube-public", "kube-node-lease")} <= set(names)
    assert _raw(own, "/version")["gitVersion"].startswith("v1.")


def test_rbac_is_on(own: Cluster) -> None:
    """Nobody has a right that was not given."""
    refused = own.run_kubectl("get", "secrets", "-A", "--as=somebody", check=False)
    assert refused.returncode == 1
    assert 'User "somebody" cannot list resource "secrets"' in refused.stderr


def test_tokens_of_service_accounts_are_accepted(own: Cluster) -> None:
    """The TokenRequest API works, so the operator can run under its manifests' identity."""
    own.run_kubectl("create", "serviceaccount", "robot")
    token = own.run_kubectl("create", "token", "robot").stdout.strip()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token}}
    seen = own.run_kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review)).stdout
    assert json.loads(seen)["status"]["user"]["username"] == "system:serviceaccount:default:robot"


@pytest.mark.controller_manager
def test_deleted_namespaces_go(own: Cluster) -> None:
    """The namespace controller works."""
    own.run_kubectl("create", "namespace", "short-lived")
    own.run_kubectl("delete", "namespace", "short-lived", "--timeout=30s")
    assert own.run_kubectl("get", "namespace", "short-lived", check=False).returncode == 1


@pytest.mark.controller_manager
def test_what_is_owned_goes_with_its_owner(own: Cluster) -> None:
    """The garbage collector works."""
    own.run_kubectl("create", "configmap", "owner")
    uid = own.get("configmap", "owner")["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    owned = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "owned", "ownerReferences": [reference]},
    }
    own.run_kubectl("create", "-f", "-", stdin=json.dumps(owned))
    own.run_kubectl("delete", "configmap", "owner")
    own.run_kubectl("wait", "--for=delete", "configmap/owned", "--timeout=30s")


def test_writes_are_counted_from_the_audit_log(own: Cluster) -> None:
    """A write is in the log when its answer arrives, under the name of its user; reads do not count."""
    start = own.audit_position()
    own.run_kubectl("create", "configmap", "counted")
    own.run_kubectl("get", "configmaps")
    writes = own.audited_writes(start)
    assert [(write["verb"], write["objectRef"]["name"]) for write in writes] == [("create", "counted")]
    assert own.audited_writes(start, user="sandbox-admin") == writes
    assert own.audited_writes(start, user="somebody") == []


def test_a_restart_of_the_api_server_keeps_address_and_data(own: Cluster) -> None:
    """Between stop and start nobody answers; after it everything is as before."""
    own.run_kubectl("create", "configmap", "kept")
    sandbox = own.own_sandbox()
    before = sandbox.pids["kube-apiserver"]
    sandbox.stop_apiserver()
    assert "refused" in own.run_kubectl("get", "configmap", "kept", check=False).stderr
    assert "kube-apiserver" not in sandbox.pids
    sandbox.start_apiserver()
    assert own.get("configmap", "kept")["metadata"]["name"] == "kept"
    assert sandbox.pids["kube-apiserver"] != before


def test_old_resource_versions_answer_410_after_compaction(own: Cluster) -> None:
    """A watch from before the compaction is refused as a real cluster refuses it after five minutes."""
    old = _raw(own, "/api/v1/configmaps")["metadata"]["resourceVersion"]
    watch = f"/api/v1/configmaps?watch=1&timeoutSeconds=1&resourceVersion={old}"
    own.run_kubectl("create", "configmap", "after")
    assert '"ADDED"' in own.run_kubectl("get", "--raw", watch).stdout
    revision = own.own_sandbox().compact_watch_window()
    assert revision > int(old)
    event = _raw(own, watch)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def _raw(cluster: Cluster, path: str) -> Any:  # noqa: ANN401 - JSON as served
    return json.loads(cluster.run_kubectl("get", "--raw", path).stdout)


@contextmanager
def _held(*launcher: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int], Path]]:
    """Run a sandbox in a process of its own; give that, the sandbox's processes and its directory."""
    with started([*launcher, sys.executable, "-c", _HOLD], package_environment()) as parent:
        assert parent.stdout is not None
        facts = json.loads(parent.stdout.readline())
        yield parent, facts["pids"], Path(facts["directory"])


@pytest.mark.parametrize(
    ("launcher", "number"),
    [((), signal.SIGKILL), ((), signal.SIGTERM), ((), signal.SIGINT), (IGNORING_SIGINT, signal.SIGTERM)],
    ids=["SIGKILL", "SIGTERM", "SIGINT", "SIGTERM, started where SIGINT is ignored"],
)
def test_nothing_is_left_when_the_parent_ends(launcher: tuple[str, ...], number: signal.Signals) -> None:
    """Crash, SIGTERM and Ctrl-C of the parent end every process and remove the directory."""
    with _held(*launcher) as (parent, pids, directory):
        assert set(pids) >= {"supervisor", "etcd", "kube-apiserver"}
        assert directory.exists()
        parent.send_signal(number)
        parent.communicate(timeout=30)
        for pid in pids.values():
            wait_for_end(pid)
        assert not directory.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent by itself")
def test_nothing_runs_on_when_the_supervisor_is_killed() -> None:
    """Even then the programs end; what remains is the directory, which nobody was left to remove."""
    with _held() as (_, pids, directory):
        os.kill(pids["supervisor"], signal.SIGKILL)
        for pid in pids.values():
            wait_for_end(pid)
    shutil.rmtree(directory)


def test_it_is_usable_without_a_controller_manager(programs: Programs) -> None:
    """With the published archive alone objects are served, and pods need no default service account."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "web"}]},
    }
    with Sandbox.start(programs=replace(programs, kube_controller_manager=None)) as sandbox:
        assert sandbox.missing == ("kube-controller-manager",)
        sandbox_cluster(sandbox).run_kubectl("create", "-f", "-", stdin=json.dumps(pod))


def test_a_program_that_does_not_start_tells_why(programs: Programs) -> None:
    """The error carries the program's own last words."""
    with pytest.raises(SandboxError, match=r"kube-apiserver ended with exit code 1(.|\n)*unknown flag: --no-such"):
        Sandbox.start(programs=programs, apiserver_flags=["--no-such"])


def test_a_sandbox_without_a_name_cannot_be_detached(own: Cluster) -> None:
    """Nobody could find it again."""
    with pytest.raises(SandboxError, match="pass name="):
        own.own_sandbox().detach()


class _CommandLine:
    """`nsiso sandbox` with records of its own."""

    def __init__(self, state: Path) -> None:
        self._environment = {**package_environment(), "XDG_STATE_HOME": str(state)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command."""
        return subprocess.Popen(
            [sys.executable, "-m", "namespace_isolation", "sandbox", *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command to its end: exit code, output, errors."""
        process = self.start(*arguments)
        output, errors = process.communicate(timeout=100)
        return process.returncode, output, errors

    def status(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Ask for the status as a script does."""
        code, output, _ = self.run("status", "-o", "json", *arguments)
        return code, json.loads(output)


@pytest.fixture
def command_line(tmp_path: Path) -> Iterator[_CommandLine]:
    """Give the command line; whatever it started is stopped."""
    command_line = _CommandLine(tmp_path)
    yield command_line
    for record in (tmp_path / "nsiso" / "sandboxes").glob("*.json"):
        command_line.run("down", "--name", record.stem)


def _kubeconfig(output: str) -> Path:
    found = re.fullmatch(r"export KUBECONFIG=(\S+)\n", output)
    assert found is not None, output
    return Path(found[1])


def _processes(status: dict[str, Any]) -> Sequence[int]:
    return [status["supervisor"], *status["pids"].values()]


def test_up_status_and_down_are_a_life(command_line: _CommandLine) -> None:
    """It outlives the command, is found again, is started only once, and goes without a trace."""
    assert command_line.status()[0] == 1
    code, output, _ = command_line.run("up")
    kubeconfig = _kubeconfig(output)
    assert (code, kubeconfig.exists()) == (0, True)

    again = command_line.run("up")
    assert (again[0], _kubeconfig(again[1])) == (0, kubeconfig)
    assert "up already" in again[2]

    code, status = command_line.status()
    assert (code, status["healthy"], status["kubeconfig"]) == (0, True, str(kubeconfig))
    assert "Sandbox default is running." in command_line.run("status")[1]

    assert command_line.run("down")[0] == 0
    for pid in _processes(status):
        wait_for_end(pid, within=1)
    assert not Path(status["directory"]).exists()
    code, status = command_line.status()
    assert (code, status["running"]) == (1, False)
    assert command_line.run("down")[0] == 0


def test_two_that_say_up_at_once_get_the_same_sandbox(command_line: _CommandLine) -> None:
    """The second waits for the first."""
    both = [command_line.start("up", "--name", "shared") for _ in range(2)]
    outputs = [process.communicate(timeout=100)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1]


def test_status_names_a_program_that_ended(command_line: _CommandLine) -> None:
    """A sandbox with a dead program is not healthy, and status says which it is and where its log lies."""
    command_line.run("up")
    _, before = command_line.status()
    os.kill(before["pids"]["etcd"], signal.SIGKILL)
    wait_for_end(before["pids"]["etcd"])
    code, output, _ = command_line.run("status")
    assert code == 1
    assert "is NOT healthy" in output
    assert f"ended with exit code -9; see {before['directory']}/etcd.log" in output


def test_a_killed_supervisor_is_not_mistaken_for_a_running_one(command_line: _CommandLine) -> None:
    """Its name is free again, and the next one removes what it left."""
    command_line.run("up")
    _, before = command_line.status()
    os.kill(before["supervisor"], signal.SIGKILL)
    for pid in _processes(before):
        wait_for_end(pid)
    assert command_line.status()[0] == 1
    assert command_line.run("down")[0] == 0
    assert not Path(before["directory"]).exists()

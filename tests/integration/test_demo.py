"""The demo as a user starts it: it tells the whole story, leaves nothing behind, and with `--keep` leaves all of it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from namespace_isolation.sandbox import Programs
from tests.support.cluster import Cluster
from tests.support.processes import IGNORING_SIGINT, started, wait_for_end

# It starts a control plane of its own.
pytestmark = [pytest.mark.sandbox_only, pytest.mark.usefixtures("programs")]

NSISO = (sys.executable, "-m", "namespace_isolation")
WITHIN = 100.0
DIRECTORY = re.compile(r"(\S*/nsiso-sandbox-\w+)/operator\.kubeconfig")

CHECKPOINTS = (
    r"✓ Kubernetes answers at https://127\.0\.0\.1:\d+ +\S+ m?s",
    r"✓ the CRD is Established",
    r"✓ the TokenRequest API gave a token",
    r"system:serviceaccount:nsiso-system:nsiso-operator",
    r"✓ yes: it may create networkpolicies",
    r"✓ no: it may not get secrets",
    r"payments +app=backend app=database app=frontend +none",
    r"✓ it has seen every namespace and policy",
    r"✓ 8 policies are in place; those that deny came last",
    r"default-deny-all +in \+ out +every pod: nothing in, nothing out",
    r"allow-frontend-to-backend-ingress +in +app=backend ← app=frontend TCP 8080",
    r"payments +Enforce +1/1 +8/8 +0 +True",
    r"payments +app=backend app=database app=frontend +8:",
    r"monitoring +app=prometheus +none",
    r"namespace/payments-eu created",
    r"✓ isolated: 8 policies, timed from its creation to the last +\S+ m?s",
    r"✓ it is back +(?:< )?\S+ m?s",
    r"That policy now says: nothing in; every pod → everyone",
    r"✓ it is closed: every pod: nothing in, nothing out +(?:< )?\S+ m?s",
    r"payments +default-deny-all +Modified +spec\.egress +kubectl-edit +Corrected",
    r"payments +allow-dns-egress +Deleted +- +unknown +Corrected",
    r"payments +Enforce +2/2 +16/16 +2 +True",
    r"\+0 ms +default-deny-all +denies",
    r"✓ 16 policies of 2 namespaces went in this order, then the resource",
)


def test_it_tells_the_whole_story_and_leaves_nothing(tmp_path: Path) -> None:
    """`nsiso demo` exits 0 and shows every checkpoint in order, in plain text; nothing runs afterwards."""
    done = subprocess.run(
        [*NSISO, "demo"],
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    _expect_in_order(done.stdout, *CHECKPOINTS, r"nothing is left running", r"Everything was seen")
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert _left_of(done.stdout) == []


def test_keep_leaves_it_running_until_the_sandbox_is_taken_down(tmp_path: Path, programs: Programs) -> None:
    """With `--keep` the printed KUBECONFIG works, the operator still isolates, and one command ends all of it.

    What stays holds no pipe of the caller open: both reach their end with the demo.
    """
    environment = _environment(tmp_path)
    try:
        with started([*NSISO, "demo", "--keep"], environment) as demo:
            told, error = demo.communicate(timeout=WITHIN / 2)
        assert (demo.returncode, error) == (0, "")
        left = _left_of(told)
        _expect_in_order(told, *CHECKPOINTS, r"✓ 16 policies are in place", r"sandbox down --name demo")
        found = re.search(r"^ *export KUBECONFIG=(.+)$", told, re.MULTILINE)
        assert found, told
        kept = Cluster(kubeconfig=Path(shlex.split(found[1])[0]), kubectl=programs.kubectl)
        kept.run_kubectl("create", "namespace", "payments-us")
        isolated = "--for=jsonpath={.status.namespaces.summary}=3/3"
        kept.run_kubectl("wait", "nsiso/payments", isolated, "--timeout=30s")
    finally:
        down = [*NSISO, "sandbox", "down", "--name=demo"]
        subprocess.run(down, env=environment, capture_output=True, timeout=WITHIN, check=True)
    assert any(" run " in line for line in left), left
    for line in left:
        wait_for_end(int(line.split()[0]))
    assert not kept.kubeconfig.exists()


@pytest.mark.parametrize(
    ("launcher", "number"),
    [((), signal.SIGINT), ((), signal.SIGTERM), (IGNORING_SIGINT, signal.SIGTERM)],
    ids=["SIGINT", "SIGTERM", "SIGTERM, started where SIGINT is ignored"],
)
def test_interrupted_it_leaves_nothing(tmp_path: Path, launcher: tuple[str, ...], number: signal.Signals) -> None:
    """Ctrl-C or SIGTERM in the middle ends the operator and the control plane before the demo itself; exit code 130."""
    with started([*launcher, *NSISO, "demo"], _environment(tmp_path)) as demo:
        assert demo.stdout is not None
        told = ""
        while "it has seen every namespace" not in told:
            line = demo.stdout.readline()
            assert line, f"the demo ended too early:\n{told}"
            told += line
        demo.send_signal(number)
        _, error = demo.communicate(timeout=WITHIN)
    assert (demo.returncode, error.strip()) == (130, "Interrupted; nothing is left running.")
    assert _left_of(told) == []


def test_without_a_control_plane_it_says_what_to_do(tmp_path: Path) -> None:
    """Where the sandbox cannot start, the demo exits 1 with the sandbox's own words and no traceback."""
    environment = _environment(tmp_path) | {"KUBEBUILDER_ASSETS": str(tmp_path)}
    done = subprocess.run(
        [*NSISO, "demo"], env=environment, capture_output=True, text=True, timeout=WITHIN, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: KUBEBUILDER_ASSETS={tmp_path} has no etcd")


def _environment(tmp_path: Path) -> dict[str, str]:
    """Keep the records of sandboxes apart from the user's, who may have a demo running."""
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}


def _expect_in_order(text: str, *checkpoints: str) -> None:
    position = 0
    for checkpoint in checkpoints:
        found = re.compile(checkpoint).search(text, position)
        assert found, f"{checkpoint!r} does not come after {text[max(0, position - 200) : position]!r} in:\n{text}"
        position = found.end()


def _left_of(told: str) -> list[str]:
    """List the processes that name the demo's directory: etcd, API server, controller manager, keeper, operator."""
    found = DIRECTORY.search(told)
    assert found, told
    listed = subprocess.run(["ps", "-eo", "pid,args", "-ww"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if found[1] in line]

"""Without a kubeconfig the operator says in one line what was tried and what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from namespace_isolation.sandbox.build import package_environment

_HIDDEN = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")


@pytest.mark.parametrize(
    ("named", "lacking"),
    [
        ({}, "~/.kube/config does not exist and KUBECONFIG is not set"),
        ({"KUBECONFIG": "/no/such:/file"}, "KUBECONFIG=/no/such:/file is no file"),
    ],
)
def test_no_kubeconfig_is_told_in_one_line(tmp_path: Path, named: dict[str, str], lacking: str) -> None:
    """`nsiso run` names the two places and a way to go on; the official client's own line does not stand above it."""
    environment = {key: value for key, value in package_environment().items() if key not in _HIDDEN}
    done = subprocess.run(
        [sys.executable, "-m", "namespace_isolation", "run", "--health-port=0"],
        env={**environment, "HOME": str(tmp_path), **named},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = f"Error: no kubeconfig found: {lacking}; name one with --kubeconfig, or try `nsiso sandbox up`\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)

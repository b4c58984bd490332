"""`--cluster`: what the chosen cluster cannot do is left out, and said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from namespace_isolation.sandbox.build import package_environment

_TESTS = Path(__file__).parents[1]


def _collect(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=_TESTS.parent, env=package_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout


def test_another_cluster_gets_only_what_it_can_do() -> None:
    """The tests of the sandbox itself are left out on the current cluster, and a line says how many and why."""
    own = str(_TESTS / "integration" / "test_sandbox.py")
    shown = _collect("--cluster=current", own)
    assert "cluster: current" in shown
    assert "tests left out: only the sandbox has what they need (audit log, compaction" in shown
    assert "::" not in shown


@pytest.mark.parametrize("folder", ["unit/sandbox", "kind"])
def test_tests_that_take_no_cluster_of_ours_say_nothing_of_it(folder: str) -> None:
    """Unit tests need none, and the pytest-kind suite has its own."""
    shown = _collect(str(_TESTS / folder))
    assert "::" in shown
    assert "cluster: " not in shown


def test_the_sandbox_gets_all() -> None:
    """Nothing is left out by default."""
    shown = _collect(str(_TESTS / "integration" / "test_sandbox.py"))
    assert "cluster: sandbox" in shown
    assert "left out" not in shown

"""Which cluster the tests use (`--cluster`), and which tests it cannot serve."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.capture import CaptureManager

from namespace_isolation.sandbox import Programs, Progress, Sandbox, obtain
from tests.support.cluster import Cluster, current_cluster, sandbox_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_OUT = pytest.StashKey[int]()
_CLUSTER_FIXTURES = {"cluster", "programs"}
"""Tests of the sandbox itself start it from the programs. tests/kind has a cluster of its own, whatever `--cluster`."""
_MARKERS = (
    "sandbox_only: needs what only the sandbox can do (audit log, compaction, restart of the API server)",
    "controller_manager: needs namespaces to go when deleted, or ownerReferences to be followed",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--cluster`."""
    parser.getgroup("nsiso").addoption(
        "--cluster",
        choices=("sandbox", "kind", "current"),
        default="sandbox",
        help="cluster of the integration tests: an own control plane (default), a new kind cluster through "
        "pytest-kind (see its --kind-* options), or the current context of your kubeconfig",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and let what the tests start be interrupted as in a terminal.

    A shell ignores SIGINT in what a script starts in the background, and children inherit that; a handler is not
    inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the chosen cluster cannot do; `pytest_report_collectionfinish` says so."""
    if config.getoption("--cluster") == "sandbox":
        return
    left_out = [item for item in items if item.get_closest_marker("sandbox_only")]
    config.stash[_LEFT_OUT] = len(left_out)
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say which cluster is used and how many tests it cannot serve; nothing where no test of ours needs one."""
    count = config.stash.get(_LEFT_OUT, 0)
    if not count and not any(_CLUSTER_FIXTURES & set(getattr(item, "fixturenames", ())) for item in items):
        return []
    lines = [f"cluster: {config.getoption('--cluster')}"]
    if count:
        needs = "audit log, compaction, restart of the API server"
        lines.append(f"  {count} tests left out: only the sandbox has what they need ({needs})")
    return lines


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Programs:
    """Find, download or build the sandbox's programs; that may take minutes, so its progress is shown."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert isinstance(capture, CaptureManager)
    with capture.global_and_fixture_disabled():
        return obtain(Progress())


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give the cluster that `--cluster` names."""
    match request.config.getoption("--cluster"):
        case "sandbox":
            found = request.getfixturevalue("programs")
            with Sandbox.start(audit=True, programs=found) as sandbox:
                yield sandbox_cluster(sandbox)
        case "kind":
            kind = request.getfixturevalue("kind_cluster")
            kind.ensure_kubectl()
            yield Cluster(kubeconfig=Path(kind.kubeconfig_path).absolute(), kubectl=Path(kind.kubectl_path).absolute())
        case _:
            yield current_cluster(tmp_path_factory.mktemp("current"))


@pytest.fixture(autouse=True)
def _controllers(request: pytest.FixtureRequest) -> None:
    """Keep tests that need the controller manager from running without it: they would wait for nothing."""
    if request.node.get_closest_marker("controller_manager") is None:
        return
    running: Cluster = request.getfixturevalue("cluster")
    if running.sandbox is not None and running.sandbox.missing:
        pytest.skip("this sandbox has no kube-controller-manager; install Go so that it can be built")

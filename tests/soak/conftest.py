"""The soak test's options, its operator and its time limit."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.cluster import Cluster
from tests.support.operator import Operator, install, operator_kubeconfig
from tests.support.stage import Admin, admin_of

_MARKERS = ("soak: runs for minutes; `make soak` runs it, `make test` does not",)
_AROUND = 300.0
"""Seconds for coming to rest, for the quiet time and for clearing up."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--soak-seconds`, `--soak-seed` and `--soak-quiet`."""
    group = parser.getgroup("nsiso soak")
    group.addoption("--soak-seconds", type=float, default=300.0, help="how long to disturb the cluster (300)")
    group.addoption("--soak-seed", type=int, default=None, help="what decides every action (by default a new one)")
    group.addoption("--soak-quiet", type=float, default=60.0, help="how long nothing may be written at the end (60)")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give a soak test as long as it is asked to take."""
    limit = config.getoption("--soak-seconds") + config.getoption("--soak-quiet") + _AROUND
    for item in items:
        if item.get_closest_marker("soak") is not None:
            item.add_marker(pytest.mark.timeout(limit))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Give the seed that was asked for, or a new one."""
    chosen = request.config.getoption("--soak-seed")
    return random.SystemRandom().randrange(1_000_000) if chosen is None else int(chosen)


@pytest.fixture
def operator(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Install the manifests and give the operator, not started yet."""
    install(cluster)
    operator = Operator(operator_kubeconfig(cluster, tmp_path_factory.mktemp("operator") / "kubeconfig"))
    yield operator
    operator.kill()


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[Admin]:
    """Connect as cluster administrator."""
    async with admin_of(cluster.kubeconfig) as admin:
        yield admin

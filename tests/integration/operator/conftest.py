"""One operator process for these tests, under the identity of the manifests; those that kill it start it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.operator import Operator, install, operator_kubeconfig
from tests.support.stage import Admin, Stage, admin_of

_HERE = Path(__file__).parent
_OPERATOR = pytest.StashKey[Operator]()
_MARK = pytest.StashKey[int]()


@pytest.fixture(scope="session")
def operator_process(
    request: pytest.FixtureRequest, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Operator]:
    """Install the manifests and give the one operator of the session; it is started by whoever needs it."""
    install(cluster)
    kubeconfig = operator_kubeconfig(cluster, tmp_path_factory.mktemp("operator") / "kubeconfig")
    operator = Operator(kubeconfig)
    request.config.stash[_OPERATOR] = operator
    yield operator
    operator.kill()


@pytest.fixture
async def operator(operator_process: Operator) -> Operator:
    """Give the operator, running and ready, as the manifests run it."""
    if operator_process.running and operator_process.started_with != ((), None):
        await operator_process.stop()
    if not operator_process.running:
        operator_process.start()
        await operator_process.ready()
    return operator_process


@pytest.fixture
async def stopped_operator(operator_process: Operator) -> AsyncIterator[Operator]:
    """Give the operator, not running, to a test that starts it its own way; it ends with the test."""
    if operator_process.running:
        assert await operator_process.stop() == 0
    yield operator_process
    operator_process.kill()


@pytest.fixture
async def admin(cluster: Cluster) -> AsyncIterator[Admin]:
    """Connect as cluster administrator."""
    async with admin_of(cluster.kubeconfig) as admin:
        yield admin


@pytest.fixture
async def stage(admin: Admin, operator_process: Operator) -> AsyncIterator[Stage]:
    """Give the test a part of the cluster of its own, and clear it."""
    stage = Stage(admin)
    yield stage
    await stage.clear(operated=operator_process.working)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Remember where the operator's log stood."""
    operator = item.config.stash.get(_OPERATOR, None)
    item.stash[_MARK] = operator.mark() if operator is not None else 0
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the operator said during a test that fails."""
    report = yield
    operator = item.config.stash.get(_OPERATOR, None)
    if report.failed and operator is not None:
        report.sections.append(("log of the operator", operator.tail(item.stash[_MARK])))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """End the operator before tests of other folders, which would not expect one."""
    yield
    operator = item.config.stash.get(_OPERATOR, None)
    if operator is not None and (nextitem is None or _HERE not in nextitem.path.parents):
        operator.kill()

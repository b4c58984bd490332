"""What we render is what the API server takes and keeps: generated specs against the real one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from namespace_isolation.cluster import Client, connection_from
from namespace_isolation.desire.render import render
from namespace_isolation.model.canonical import canonical_spec
from namespace_isolation.model.policy import Policy
from namespace_isolation.observe.served_policy import policies_path, read_policy
from tests.support.api_server import stored_spec
from tests.support.cluster import Cluster
from tests.support.objects import isolation
from tests.support.strategies import policy_specs, specs

Json = dict[str, Any]

_SPECS = 250


def _drawn(strategy: Any, count: int) -> list[Json]:  # noqa: ANN401 - a strategy
    """Draw examples, the same in every run."""
    found: list[Json] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Json) -> None:
        found.append(example)

    collect()
    return found


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """Give a namespace of its own."""
    name = f"properties-{uuid.uuid4().hex[:8]}"
    cluster.run_kubectl("create", "namespace", name)
    yield name
    cluster.run_kubectl("delete", "namespace", name, "--wait=false")


async def _dry_run(client: Client, namespace: str, body: Json) -> Json:
    """Let the API server do all but store it."""
    return await client.create(f"{policies_path(namespace)}?dryRun=All", body)


def _policies(spec: Json) -> list[Policy]:
    rendering = render(isolation(**spec))
    return [*rendering.policies, *([rendering.dns] if rendering.dns else [])]


@pytest.mark.timeout(300)
async def test_every_accepted_spec_renders_to_policies_that_the_api_server_takes_and_keeps(
    cluster: Cluster, namespace: str
) -> None:
    """None is refused, and what is served is what was rendered: no repair would ever follow."""
    examples = _drawn(specs(), _SPECS)
    assert len(examples) >= 200
    policies = 0
    async with Client(await connection_from(kubeconfig=cluster.kubeconfig), in_flight=1) as client:
        for spec in examples:
            for policy in _policies(spec):
                served = await _dry_run(client, namespace, policy.manifest(namespace))
                assert canonical_spec(served["spec"]) == policy.spec
                served["metadata"].setdefault("resourceVersion", "1")  # a dry run stores nothing
                assert read_policy(served).matches(policy)
                policies += 1
    assert policies > len(examples)


async def test_storing_does_to_a_spec_what_the_unit_tests_say(cluster: Cluster, namespace: str) -> None:
    """The stand-in for the API server in the unit tests serves the very same spec as the real one."""
    async with Client(await connection_from(kubeconfig=cluster.kubeconfig), in_flight=1) as client:
        for spec in _drawn(policy_specs, 100):
            body = {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "example"},
                "spec": spec,
            }
            served = await _dry_run(client, namespace, body)
            assert served["spec"] == stored_spec(spec)
            assert canonical_spec(served["spec"]) == canonical_spec(spec)

"""How deeply nested an object may be that the operator reads: as deeply as the API server takes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from namespace_isolation.cli.main import DEEPEST, main
from namespace_isolation.observe.served_policy import policy_from_text

_TAKEN = 10_000
"""Levels that Go's decoder takes."""


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    """Set the limit as every command does, and put it back."""
    before = sys.getrecursionlimit()
    CliRunner().invoke(main, ["crd"])
    assert sys.getrecursionlimit() == DEEPEST
    yield
    sys.setrecursionlimit(before)


def test_what_the_api_server_takes_is_read() -> None:
    """Whatever a tenant nests in the metadata of his policy: one object must not end the operator."""
    deep = b'{"f:a":' * (_TAKEN - 5) + b"1" + b"}" * (_TAKEN - 5)
    metadata = b'"name": "a", "namespace": "b", "uid": "u", "resourceVersion": "1", "managedFields": [' + deep + b"]"
    live = policy_from_text(b'{"metadata": {' + metadata + b'}, "spec": {"podSelector": {}}}')
    assert (live.namespace, live.name) == ("b", "a")

"""The client: what goes wrong with credentials is an error of the request, which may be tried again."""

from __future__ import annotations

from typing import cast

import pytest

from namespace_isolation.cluster import ApiError, Client, Connection, ConnectionProblem
from namespace_isolation.cluster.errors import UNREACHABLE


class NoToken:
    """A connection whose token file is gone at the moment."""

    server = "http://127.0.0.1:9"

    async def authorization(self) -> dict[str, str]:
        """Fail as a rotated token does between two files."""
        raise ConnectionProblem("cannot read the token")


async def test_a_token_that_cannot_be_read_fails_the_request_and_not_the_operator() -> None:
    """Only ApiError leaves the client: whoever tries again on that goes on once the token is back."""
    async with Client(cast("Connection", NoToken())) as client:
        with pytest.raises(ApiError) as refused:
            await client.get("/api")
        assert (refused.value.status, refused.value.reason) == (UNREACHABLE, "NoCredentials")
        with pytest.raises(ApiError):
            await anext(aiter(client.watch("/api", resource_version="1", seconds=1, silence=1)))

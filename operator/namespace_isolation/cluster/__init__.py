"""The API server: where it is, who we are to it, what it answers."""

from __future__ import annotations

from namespace_isolation.cluster.client import Client
from namespace_isolation.cluster.connection import Connection, ConnectionProblem, connection_from
from namespace_isolation.cluster.errors import ApiError

__all__ = ["ApiError", "Client", "Connection", "ConnectionProblem", "connection_from"]

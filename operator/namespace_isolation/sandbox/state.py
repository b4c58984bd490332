"""Whether a detached sandbox is well: what its supervisor saw, and what its API server answers now."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass

from namespace_isolation.sandbox.records import Record

__all__ = ["State", "look"]

_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What was seen of a sandbox; `version` is None where the API server does not answer."""

    version: str | None
    healthy: bool


def look(record: Record) -> State:
    """Ask the API server for its version, which anybody may read."""
    version = _version(record)
    return State(version=version, healthy=version is not None and not record.ended)


def _version(record: Record) -> str | None:
    port = int(record.server.rpartition(":")[2])
    context = ssl.create_default_context(cafile=record.certificate)
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT, context=context)
    try:
        connection.request("GET", "/version")
        answer = connection.getresponse()
        return str(json.load(answer)["gitVersion"]) if answer.status == http.HTTPStatus.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()

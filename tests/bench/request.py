"""What the raw client is given, and what it tells: requests, and what sending many of them took."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Request", "Volley"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` with its query, `body` as it goes over the wire."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volley:
    """What sending a list of requests took.

    `began` and `ended` are seconds of the machine's monotonic clock, the same in every process: first request sent,
    last answer read. `refused`: how often the API server answered 429 and was asked again.
    """

    count: int
    began: float
    ended: float
    refused: int

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return self.ended - self.began

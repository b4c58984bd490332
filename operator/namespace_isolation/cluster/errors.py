"""What the API server says when it refuses, as one exception that keeps the server's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from namespace_isolation.model.outcome import Failure

__all__ = ["TIMEOUT", "UNREACHABLE", "ApiError", "error_from"]

UNREACHABLE: Final = 0
"""The status of an ApiError where no answer came: connection refused, cut, or timed out."""
TIMEOUT: Final = "Timeout"
"""The reason of one that was not answered in time; also Kubernetes' own word for it."""


class ApiError(Exception):
    """A request that did not succeed: `status` is the HTTP code (0: no answer), `reason` Kubernetes' StatusReason."""

    def __init__(
        self,
        *,
        status: int,
        reason: str,
        message: str,
        request: str,
        retry_after: float | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        """Keep what the server said; `request` is the verb and path, `retry_after` seconds."""
        super().__init__(f"{request}: {status or 'no answer'}, {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.request = request
        self.retry_after = retry_after
        self.causes = causes

    @property
    def failure(self) -> Failure:
        """The refusal as a value, for the status."""
        return Failure(reason=self.reason, message=self.message)

    @property
    def timed_out(self) -> bool:
        """Whether no answer came in time."""
        return self.status == UNREACHABLE and self.reason == TIMEOUT

    @property
    def namespace_is_ending(self) -> bool:
        """Whether the write was refused because its namespace is being deleted."""
        return "NamespaceTerminating" in self.causes


def error_from(*, status: int, body: Mapping[str, Any], request: str, retry_after: float | None = None) -> ApiError:
    """Read a `metav1.Status` (or what came in its place) into an ApiError."""
    details = body.get("details") or {}
    causes = tuple(str(cause.get("reason", "")) for cause in details.get("causes") or ())
    return ApiError(
        status=status,
        reason=str(body.get("reason") or "Unknown"),
        message=str(body.get("message") or "the API server gave no reason"),
        request=request,
        retry_after=retry_after,
        causes=causes,
    )

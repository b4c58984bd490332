"""Turns every way in which a request can fail into an ApiError: a refusal, no answer, no credentials to ask with."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from namespace_isolation.cluster.connection import ConnectionProblem
from namespace_isolation.cluster.errors import TIMEOUT, UNREACHABLE, ApiError, error_from

__all__ = ["no_answer", "no_credentials", "refusal_of"]


async def refusal_of(response: aiohttp.ClientResponse, request: str) -> ApiError:
    """Read a refusal; what is no Status object (a proxy's page, plain text) is quoted."""
    text = await response.text(errors="replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = {"reason": response.reason, "message": text[:300]}
    if not isinstance(body, dict):
        body = {"reason": response.reason, "message": text[:300]}
    return error_from(
        status=response.status,
        body=body,
        request=request,
        retry_after=_seconds(response.headers.get("Retry-After", ""), response.headers.get("Date", "")),
    )


def _seconds(wait: str, sent: str) -> float | None:
    """Read a Retry-After: seconds, or a date, which counts from the answer's own: clocks differ. None: it says nothing.

    (RFC 9110, 10.2.3.)
    """
    if wait.isascii() and wait.isdigit():
        return float(wait)
    try:
        until = parsedate_to_datetime(wait)
        now = parsedate_to_datetime(sent) if sent else datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):  # no date; or one without a zone, which HTTP does not have
        return None


def no_credentials(request: str, problem: ConnectionProblem) -> ApiError:
    """Tell that there are no credentials to send a request with."""
    return ApiError(status=UNREACHABLE, reason="NoCredentials", message=str(problem), request=request)


def no_answer(request: str, error: Exception) -> ApiError:
    """Tell why a request got no answer."""
    if isinstance(error, TimeoutError):
        reason, message = TIMEOUT, "the API server did not answer in time"
    elif isinstance(error, aiohttp.ClientConnectorError):
        reason, message = "Unreachable", f"cannot connect to {error.host}:{error.port}: {error.os_error.strerror}"
    else:
        reason, message = type(error).__name__, str(error) or "the connection was cut"
    return ApiError(status=UNREACHABLE, reason=reason, message=message, request=request)

"""A NetworkPolicy of somebody else that allows what an isolation denies."""

from __future__ import annotations

from dataclasses import dataclass

from namespace_isolation.model.verbatim import Direction

__all__ = ["Unmanaged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmanaged:
    """The directions in which a policy widens an isolation, and those in which it lets every peer in on every port.

    `kept`: why it stays although the isolation asks to remove such policies; None where it does not ask, or it goes.
    """

    namespace: str
    policy: str
    widens: tuple[Direction, ...]
    wide_open: tuple[Direction, ...]
    kept: str | None = None

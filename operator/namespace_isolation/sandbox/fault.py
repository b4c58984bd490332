"""The one error of the sandbox: its text names what went wrong and the mend."""

from __future__ import annotations

__all__ = ["SandboxError"]


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the message says why and what helps."""

"""A throwaway control plane for the demo, the tests, the benchmark."""

from __future__ import annotations

from namespace_isolation.sandbox.fault import SandboxError
from namespace_isolation.sandbox.handle import Sandbox
from namespace_isolation.sandbox.programs import Programs, obtain
from namespace_isolation.sandbox.progress import Progress

__all__ = ["Programs", "Progress", "Sandbox", "SandboxError", "obtain"]

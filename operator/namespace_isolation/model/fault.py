"""What is wrong with an input, and where: a value, so that it can reach the status, the terminal and a test alike."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong: `path` as Kubernetes writes it (`spec.allow[2].ports[0].endPort`), `message` with the mend."""

    path: str
    message: str

    def __str__(self) -> str:
        """Write the fault on one line: `path: message`."""
        return f"{self.path}: {self.message}"

"""What can be set about a running operator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DEFAULT_OPERATOR_NAMESPACE", "Settings"]

DEFAULT_OPERATOR_NAMESPACE: Final = "nsiso-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one operator process; times are in seconds."""

    kubeconfig: Path | None = None
    context: str | None = None
    operator_namespace: str = DEFAULT_OPERATOR_NAMESPACE
    workers: int = 32
    """Namespaces reconciled at once; a few more workers take only what is urgent."""
    in_flight: int = 32
    """Requests under way at once, at most; the API server's answers may allow for fewer."""
    max_writes_per_second: int | None = None
    """None: as many as the API server takes."""
    request_timeout: float = 15.0
    status_delay: float = 0.25
    """How long news of an isolation wait for more before the status is written."""
    status_interval: float = 1.0
    """The least time between two status writes of one isolation."""
    relist_interval: float = 300.0
    """How often the isolations are listed anew: Kopf's watch may lose a deletion."""
    drain_timeout: float = 8.0
    """How long work under way may take to end after a signal."""
    health_port: int | None = 8080
    """The port of /metrics, /healthz and /readyz; None for none."""
    health_host: str = ""
    contact_limit: float = 600.0
    """How long nothing may be heard of a collection until /healthz fails.

    A watch on which nothing happens may bring no bookmark (measured on 1.36: none for 163 s), but it ends after 290 s
    at the latest, and the next one's beginning is a word. The isolations are listed every `relist_interval`.
    """

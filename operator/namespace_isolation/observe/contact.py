"""When a collection was last heard of, and how often it was listed: what /healthz, /readyz and a metric tell."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Contact"]


class Contact:
    """The contact with one collection of the API server."""

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        """Begin now, with nothing heard; `clock` is monotonic, in seconds."""
        self.collection = path.rpartition("/")[2]
        self.lists = 0
        """How often the collection was listed completely."""
        self._clock = clock
        self._last = clock()

    def heard(self) -> None:
        """Note that the API server said something of the collection, be it that a watch begins or that it ends."""
        self._last = self._clock()

    def listed(self) -> None:
        """Note that the collection was listed completely."""
        self.lists += 1
        self.heard()

    def silence(self) -> float:
        """Tell for how many seconds nothing was heard; what never was heard of is missed from the beginning."""
        return self._clock() - self._last

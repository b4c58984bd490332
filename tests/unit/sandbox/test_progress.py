"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io

from typing_extensions import override

from namespace_isolation.sandbox import Progress


class _Terminal(io.StringIO):
    @override
    def isatty(self) -> bool:
        return True


def _run(stream: io.StringIO) -> str:
    times = iter((0.0, 0.0, 1.0, 2.0, 16.0, 17.0, 32.0, 32.0))
    progress = Progress(stream, clock=lambda: next(times))
    progress.begin("building etcd")
    for _ in range(5):
        progress.update("building etcd, 7 packages")
    progress.end("building etcd: done")
    return stream.getvalue()


def test_elsewhere_a_line_comes_every_fifteen_seconds() -> None:
    """A log of a build stays short, and shows that something goes on."""
    assert _run(io.StringIO()).splitlines() == [
        "building etcd …",
        "building etcd, 7 packages … 16 s",
        "building etcd, 7 packages … 32 s",
        "building etcd: done (32 s)",
    ]


def test_on_a_terminal_one_line_is_redrawn() -> None:
    """Each state replaces the one before; only the end stays."""
    drawn = _run(_Terminal())
    gone, last = (f"\r{' ' * count}\r" for count in (31, 32))  # no escape codes: NO_COLOR allows none
    assert drawn.startswith(f"building etcd, 7 packages … 1 s{gone}building etcd, 7 packages … 2 s{gone}")
    assert drawn.endswith(f"{last}building etcd: done (32 s)\n")
    assert drawn.count("\n") == 1

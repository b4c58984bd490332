"""Run a command for as long as somebody holds a lock: `python -m namespace_isolation.demo.keeper LOCK LOG COMMAND…`.

Whoever keeps the operator's cluster alive holds the lock - the demo, or the sandbox that stays. When it ends, in
whatever way, the lock is free and the command is ended. Its output goes to LOG, and to standard output as long as
someone reads that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from namespace_isolation.sandbox.lock import exclusive

__all__ = ["main"]

_STDOUT: Final = 1
_GRACE: Final = 12.0
"""Seconds that the command has to end; the operator promises 10."""


def main(lock: Path, log: Path, command: list[str]) -> int:
    """Run the command and answer its exit code, 128 and the number for a signal as shells do; SIGTERM is handed on."""
    child = subprocess.Popen(  # noqa: S603 - the caller's command
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert child.stdout is not None  # noqa: S101 - asked for above
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    threading.Thread(target=_end_with, args=(lock, child), daemon=True).start()
    with log.open("ab", buffering=0) as file:
        for line in child.stdout:
            file.write(line)
            with suppress(BrokenPipeError):
                os.write(_STDOUT, line)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _end_with(lock: Path, child: subprocess.Popen[bytes]) -> None:
    """Wait for the lock - for the end of its holder, that is - and end the command."""
    with exclusive(lock, on_wait=lambda: None):
        pass
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))

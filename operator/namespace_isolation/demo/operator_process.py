"""The operator as a process of its own: its identity is one kubeconfig, its log is followed line by line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from namespace_isolation.demo.chronicle import Alarm, Chronicle
from namespace_isolation.demo.unseen import Unseen
from namespace_isolation.sandbox.build import package_environment

__all__ = ["OperatorProcess"]

_READY: Final = "caches complete"
_LINE_LIMIT: Final = 1 << 20
_STOP_WITHIN: Final = 10.0


class OperatorProcess:
    """`nsiso run` under a keeper, which ends it together with the holder of a lock."""

    def __init__(self, keeper: subprocess.Popen[bytes], output: asyncio.StreamReader, alarm: Alarm) -> None:
        """Take over a keeper that was just started; use `start` instead."""
        self.lines: Chronicle[str] = Chronicle(alarm)
        self._alarm = alarm
        self._keeper = keeper
        self._expected_to_end = False
        self._following = asyncio.create_task(self._follow(output))

    @classmethod
    async def start(cls, *, kubeconfig: Path, lock: Path, log: Path, alarm: Alarm) -> Self:
        """Start the operator; `alarm` rings when it ends by itself."""
        run = ["run", f"--kubeconfig={kubeconfig}", "--health-port=0", "--log-format=json"]
        # Not asyncio's own subprocess: that kills a child with the event loop, and this one may stay.
        keeper = subprocess.Popen(  # noqa: ASYNC220, S603 - starting takes milliseconds; this very package
            [
                *(sys.executable, "-m", "namespace_isolation.demo.keeper", str(lock), str(log)),
                *(sys.executable, "-m", "namespace_isolation", *run),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # a pipe of the user's, held by one who stays, would never end
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the demo, which then ends the operator in order
        )
        output = asyncio.StreamReader(limit=_LINE_LIMIT)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), keeper.stdout)
        return cls(keeper, output, alarm)

    async def ready(self) -> None:
        """Wait until its caches are complete, as its log tells."""
        await self.lines.see("the operator says that its caches are complete", _says_ready)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has; Unseen if it is late or fails. The keeper kills a late one."""
        self._expected_to_end = True
        self._keeper.terminate()
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                code = await asyncio.shield(self._following)
        except TimeoutError:
            raise Unseen(f"the operator ends within {_STOP_WITHIN:.0f} s of SIGTERM") from None
        if code != 0:
            raise Unseen("the operator ends with exit code 0", [f"exit code {code}"])

    async def _follow(self, output: asyncio.StreamReader) -> int:
        async for line in output:
            self.lines.add(line.decode(errors="replace").rstrip())
        code = await asyncio.to_thread(self._keeper.wait)  # its output has ended: so does it
        if not self._expected_to_end:
            self._alarm.ring(Unseen("the operator keeps running", [f"it ended with exit code {code}"]))
        return code


def _environment() -> dict[str, str]:
    """Leave the operator no other way to a cluster than its own kubeconfig."""
    return package_environment({key: value for key, value in os.environ.items() if key != "KUBECONFIG"})


def _says_ready(lines: Sequence[str]) -> bool | None:
    return any(_event(line) == _READY for line in lines) or None


def _event(line: str) -> object:
    try:
        record = json.loads(line)
    except ValueError:
        return None  # a traceback is no JSON
    return record.get("event") if isinstance(record, dict) else None

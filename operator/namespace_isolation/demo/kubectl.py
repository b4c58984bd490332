"""kubectl as the reader would type it: shown, and run for real as the cluster's administrator."""

from __future__ import annotations

import asyncio
import os
import shlex
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from namespace_isolation.demo.narrator import Narrator
from namespace_isolation.demo.unseen import Unseen

__all__ = ["Kubectl", "environment_of"]

_TIMEOUT = 60.0


def environment_of(kubeconfig: Path) -> dict[str, str]:
    """Give kubectl this kubeconfig, and keep the user's own preferences and caches out of it."""
    cache = str(kubeconfig.parent / "kubectl-cache")
    return {**os.environ, "KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": cache, "KUBERC": "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """The sandbox's kubectl."""

    program: Path
    environment: Mapping[str, str]
    narrator: Narrator

    async def run(
        self,
        *words: str,
        piped: tuple[str, str] | None = None,
        quiet: bool = False,
        codes: Collection[int] = (0,),
    ) -> str:
        """Show a command, run it, and show its output unless `quiet`; Unseen for an exit code not in `codes`.

        `piped`: the command on the left of a pipe, as text, and what comes out of it.
        """
        command = ["kubectl", *words]
        self.narrator.command(command, before=piped[0] if piped else None)
        code, output, error = await self._execute(words, piped[1] if piped else None)
        if code not in codes:
            raise Unseen(f"{shlex.join(command)} succeeds", [f"exit code {code}", *error.splitlines()])
        if not quiet:
            self.narrator.output(output + error)
        return output

    async def _execute(self, words: tuple[str, ...], stdin: str | None) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            self.program,
            *words,
            stdin=DEVNULL if stdin is None else PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self.environment,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends kubectl
        )
        try:
            async with asyncio.timeout(_TIMEOUT):
                output, error = await process.communicate(None if stdin is None else stdin.encode())
        except TimeoutError:
            raise Unseen(f"{shlex.join(['kubectl', *words])} ends within {_TIMEOUT:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None  # noqa: S101 - communicate waits for it
        return process.returncode, output.decode(), error.decode()

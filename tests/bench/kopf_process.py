"""What Kopf alone costs at a start, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from namespace_isolation.sandbox.build import package_environment
from tests.bench.problem import BenchProblem

__all__ = ["KopfAlone", "kopf_alone"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_WITHIN: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KopfAlone:
    """CPU seconds: of Python and its imports, and of Kopf until it has seen every isolation."""

    imports: float
    events: float


async def kopf_alone(kubeconfig: Path, isolations: int) -> KopfAlone:
    """Have Kopf see so many isolations with a handler that does nothing; BenchProblem where it does not."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.kopf_alone", str(kubeconfig), str(isolations)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=package_environment(),
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), _WITHIN)
    except TimeoutError:
        raise BenchProblem(f"Kopf alone has not seen {isolations} isolations within {_WITHIN:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise BenchProblem(f"Kopf alone ended with {process.returncode}: {err.decode()[-2000:]}")
    return KopfAlone(**json.loads(out))

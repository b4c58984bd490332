"""`nsiso render` and `nsiso diff` as processes of their own, and the samples under names that only one test has."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from namespace_isolation.sandbox.build import package_environment
from tests.support.stage import Stage

__all__ = ["Answer", "Sample", "nsiso", "nsiso_on_a_terminal", "own_samples"]

Json = dict[str, Any]

_SAMPLES = Path(__file__).resolve().parents[2] / "manifests" / "samples"
_HIDDEN = ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "POD_NAMESPACE", "NO_COLOR")


class Answer(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Sample(NamedTuple):
    """A sample as a file, the resource in it, and a namespace that it matches."""

    path: Path
    document: Json
    namespace: str

    @property
    def name(self) -> str:
        """The name of the isolation."""
        return str(self.document["metadata"]["name"])


async def nsiso(*arguments: str | Path, text: str = "") -> Answer:
    """Run a command in a process of its own, without any other way to a cluster than its arguments."""

    def run() -> Answer:
        command = [sys.executable, "-m", "namespace_isolation", *map(str, arguments)]
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, env=_environment(), timeout=60
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    return await asyncio.to_thread(run)


async def nsiso_on_a_terminal(*arguments: str | Path, **environment: str) -> str:
    """Run a command whose stdout is a terminal, and give what came there."""

    def run() -> str:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "namespace_isolation", *map(str, arguments)]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**_environment(), **environment},
        ) as process:
            os.close(theirs)
            shown = b""
            try:
                while data := os.read(ours, 65536):
                    shown += data
            except OSError:  # Linux says so when the other side is closed
                pass
            finally:
                os.close(ours)
            process.wait()
        return shown.decode()

    return await asyncio.to_thread(run)


async def own_samples(stage: Stage, folder: Path) -> list[Sample]:
    """Write every sample anew, with names of the stage's own, and create a namespace for each."""
    found = []
    for path in sorted(_SAMPLES.glob("*.yaml")):
        document = yaml.safe_load(path.read_text())
        document["metadata"]["name"] = f"{stage.name}-{document['metadata']['name']}"
        spaces = document["spec"]["namespaces"]
        # The labels of the samples: team-catalog asks for one value, tenants for any.
        labels: Mapping[str, str] = {} if "names" in spaces else {"team": "catalog"}
        if "names" in spaces:
            spaces["names"] = [f"{stage.name}-{path.stem}-{each}" for each in spaces["names"]]
        suffix = spaces["names"][0].removeprefix(f"{stage.name}-") if "names" in spaces else path.stem
        written = folder / path.name
        written.write_text(yaml.safe_dump(document, sort_keys=False))
        found.append(Sample(written, document, await stage.namespace(suffix, labels=labels)))
    if not found:
        raise AssertionError(f"no samples in {_SAMPLES}")
    return found


def _environment() -> dict[str, str]:
    return {key: value for key, value in package_environment().items() if key not in _HIDDEN}

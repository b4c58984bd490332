"""The benchmark runs from end to end and says what it measured; the figures themselves are judged by `make bench`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from namespace_isolation.sandbox import Programs
from namespace_isolation.sandbox.build import package_environment
from tests.bench.run import MEASURES
from tests.bench.targets import TARGETS

_ROOT = Path(__file__).resolve().parents[2]
_NAMESPACES = 8


@pytest.mark.sandbox_only
@pytest.mark.timeout(400)
async def test_every_measure_is_taken(programs: Programs, tmp_path: Path) -> None:
    """In a tiny cluster where each namespace has an isolation of its own: every figure, its reference and a chart."""
    del programs  # obtained, so that the benchmark need not build them
    arguments = (f"--namespaces={_NAMESPACES}", "--shape=B", "--rounds=1", "--idle=1", "--churn=5")
    code, told, _ = await _bench(*arguments, "--json", str(tmp_path / "b.json"), "--chart", str(tmp_path / "b.svg"))
    assert code == 0
    document = json.loads((tmp_path / "b.json").read_text())
    assert document["problems"] == []
    assert [each["measure"] for each in document["rounds"]] == [*MEASURES, "churn"]

    figures = {each["figure"]: each for each in document["figures"]}
    assert {target.figure for target in TARGETS if "B" in target.shapes} <= figures.keys() | {"edit.statuses"}
    assert all(each["title"] in told for each in document["figures"])
    assert all(each["reference"] > 0 for each in document["figures"] if each["against"])
    assert all(each["value"] >= 0 for each in document["figures"] if each["figure"] != "churn.growth")

    assert figures["restart.writes"]["value"] == 0
    assert figures["edit.unchanged"]["value"] == 0
    _expect_measured(figures)
    assert len(ET.parse(tmp_path / "b.svg").getroot()) > len(figures)  # noqa: S314 - our own file


def _expect_measured(figures: dict[str, dict[str, Any]]) -> None:
    """Expect what takes time to have taken some, and what takes memory to hold a Python program."""
    for name in ("convergence.policies", "restart.wall", "repair.p50", "new-namespace.p50", "burst.policies"):
        assert figures[name]["value"] > 0, name
    assert figures["repair.p50"]["value"] <= figures["repair.p99"]["value"]
    assert 20 < figures["memory.rss"]["value"] <= figures["memory.peak"]["value"]


async def _bench(*arguments: str) -> tuple[int | None, str, str]:
    """Run the benchmark; its exit code and what it wrote to standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=package_environment(),
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    print(err.decode())  # noqa: T201 - shown where the test fails
    return process.returncode, out.decode(), err.decode()

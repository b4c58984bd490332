"""The command line: what is measured by default, what excludes what, and exit codes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.bench import command
from tests.bench.command import bench
from tests.bench.figures import Figure
from tests.bench.figures import Result as Measured
from tests.bench.problem import BenchProblem
from tests.bench.progress import Progress
from tests.bench.run import MEASURES, Plan


class Runs:
    """Stands in for the measuring: remembers the plans, and gives what it was told to give."""

    def __init__(self) -> None:
        """Measure nothing by default."""
        self.plans: list[Plan] = []
        self.results: list[Measured] = []
        self.problem: str | None = None

    async def run(self, plan: Plan, _progress: Progress, _directory: Path) -> AsyncIterator[Measured]:
        """Give the results, and then the problem."""
        self.plans.append(plan)
        for result in self.results:
            yield result
        if self.problem is not None:
            raise BenchProblem(self.problem)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Keep the command from measuring."""
    stand_in = Runs()
    monkeypatch.setattr(command, "run", stand_in.run)
    return stand_in


def call(*arguments: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(bench, arguments)


def measured(ratio: float, namespaces: int = 1000) -> Measured:
    """Make a convergence that took so many times as long as its reference."""
    figures = (
        Figure(name="convergence.policies", title="time", unit="s", value=ratio, reference=1.0, against="R1"),
        Figure(name="convergence.cpu", title="CPU", unit="ms", value=0.2, reference=0.1, against="R1"),
        Figure(name="convergence.memory", title="memory", unit="MiB", value=80),
    )
    return Measured(measure="convergence", shape="A", namespaces=namespaces, figures=figures)


def test_by_default_everything_is_measured_at_1000(runs: Runs) -> None:
    """In all shapes and three rounds, but for the churn."""
    assert call().exit_code == 0
    assert runs.plans == [Plan(sizes=(1000,), shapes=("A", "B", "C"), measures=MEASURES, rounds=3, idle=60, churn=0)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--full"], {"sizes": (10000,), "rounds": 1}, id="the large run is one round"),
        pytest.param(["--full", "--rounds", "2"], {"sizes": (10000,), "rounds": 2}, id="unless it is told otherwise"),
        pytest.param(["--namespaces", "8", "--shape", "C"], {"sizes": (8,), "shapes": ("C",)}, id="size and shape"),
        pytest.param(["--measure", "idle", "--measure", "memory"], {"measures": ("idle", "memory")}, id="measures"),
        pytest.param(["--churn", "600"], {"churn": 600}, id="churn"),
        pytest.param(
            ["--growth"],
            {"sizes": (500, 1000, 2000, 5000, 10000), "measures": ("convergence",), "rounds": 1},
            id="growth at the usual sizes",
        ),
        pytest.param(
            ["--growth", "20,10,20", "--rounds", "3"], {"sizes": (10, 20), "rounds": 3}, id="growth at others"
        ),
    ],
)
def test_options_become_a_plan(runs: Runs, arguments: list[str], expected: dict[str, object]) -> None:
    """Each says one thing."""
    assert call(*arguments).exit_code == 0
    assert {key: getattr(runs.plans[0], key) for key in expected} == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--full", "--namespaces", "5"], "--full is --namespaces 10000"),
        (["--growth", "--full"], "leave the others out"),
        (["--growth", "--churn", "5"], "leave the others out"),
        (["--growth", "1000"], "two or more numbers"),
        (["--growth", "a,b"], "two or more numbers"),
        (["--growth", "0,5"], "two or more numbers"),
        (["--shape", "D"], "'D' is not one of"),
        (["--namespaces", "0"], "0 is not in the range"),
    ],
)
def test_what_makes_no_sense_is_refused(runs: Runs, arguments: list[str], words: str) -> None:
    """Before anything is started."""
    result = call(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not runs.plans


@pytest.mark.parametrize(
    ("ratio", "arguments", "code"),
    [(1.1, [], 0), (1.3, [], 0), (1.1, ["--check"], 0), (1.3, ["--check"], 1)],
)
def test_a_missed_target_fails_where_it_is_to_be_checked(
    runs: Runs, ratio: float, arguments: list[str], code: int
) -> None:
    """A figure is a figure; only --check makes it a verdict on the run."""
    runs.results = [measured(ratio)]
    result = call(*arguments)
    assert result.exit_code == code
    assert ("MISSED" in result.stdout) == (ratio > 1.2)


def test_what_cannot_be_measured_is_said(runs: Runs, tmp_path: Path) -> None:
    """What was measured before is shown all the same, and the file says that something is missing."""
    runs.results, runs.problem = [measured(1.1)], "the operator ended by itself"
    result = call("--check", "--json", str(tmp_path / "bench.json"))
    assert result.exit_code == 2
    assert "not measured: the operator ended by itself" in result.stderr
    assert "1.10 s" in result.stdout
    assert json.loads((tmp_path / "bench.json").read_text())["problems"] == ["the operator ended by itself"]


def test_files_are_written(runs: Runs, tmp_path: Path) -> None:
    """The chart shows bars for one size, and lines where there are several."""
    runs.results = [measured(1.1)]
    assert call("--json", str(tmp_path / "a.json"), "--chart", str(tmp_path / "a.svg")).exit_code == 0
    document = json.loads((tmp_path / "a.json").read_text())
    assert document["plan"]["sizes"] == [1000]
    assert document["machine"]["cores"] >= 1
    assert "share of its target" in (tmp_path / "a.svg").read_text()
    runs.results = [measured(1.1), measured(2.2, 2000)]
    assert call("--growth", "1000,2000", "--chart", str(tmp_path / "b.svg")).exit_code == 0
    assert "Time of the first convergence" in (tmp_path / "b.svg").read_text()


def test_the_help_teaches() -> None:
    """What there is, what the exit codes mean, and how it is called."""
    text = call("--help").stdout
    for words in ("make bench BENCH_ARGS=--full", "Exit codes: 0", "one isolation for each namespace", "new-namespace"):
        assert words in text

"""The command line of the benchmark."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import uvloop
from typing_extensions import override

from namespace_isolation import __version__
from namespace_isolation.sandbox import SandboxError
from tests.bench.chart import bars, lines
from tests.bench.document import document_of
from tests.bench.figures import Result
from tests.bench.growth import growth_of, growth_table
from tests.bench.machine import describe
from tests.bench.notes import notes_of
from tests.bench.problem import BenchProblem
from tests.bench.progress import Progress
from tests.bench.run import MEASURES, Plan, run
from tests.bench.shapes import SHAPES
from tests.bench.table import table
from tests.bench.targets import FULL
from tests.bench.verdict import rows_of

__all__ = ["bench"]

_DEFAULT_SIZE: Final = 1000
_DEFAULT_ROUNDS: Final = 3
_SIZES: Final = "500,1000,2000,5000,10000"
_MISSED = 1
_NOT_MEASURED = 2

_EPILOG: Final = """\b
Examples:
  make bench                                               the default: 1,000 namespaces, all shapes, 3 rounds
  make bench BENCH_ARGS=--full                             10,000 namespaces, one round
  make bench BENCH_ARGS="--shape A --measure convergence"  one shape, one measure
  make bench BENCH_ARGS="--growth --chart growth.svg"      how it grows from 500 to 10,000 namespaces
  make bench BENCH_ARGS="--shape A --measure memory --churn 600 --full"

\b
Exit codes: 0 everything was measured, be it that targets were missed; 1 with --check, a target was missed;
2 something could not be measured, and standard error says what."""


class _Sizes(click.ParamType[tuple[int, ...]]):
    """Numbers of namespaces, with commas between them."""

    name = "sizes"

    @override
    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            sizes = tuple(sorted({int(each) for each in value.split(",")}))
        except ValueError:
            sizes = ()
        if len(sizes) < 2 or sizes[0] < 1:
            self.fail(f"{value!r} is not two or more numbers of namespaces, such as {_SIZES}", param, ctx)
        return sizes


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--namespaces", type=click.IntRange(min=1), help=f"How many namespaces.  [default: {_DEFAULT_SIZE:,}]")
@click.option("--full", is_flag=True, help=f"{FULL:,} namespaces, for which the targets are written; one round.")
@click.option(
    "--shape",
    "shapes",
    type=click.Choice(list(SHAPES)),
    multiple=True,
    help="Only this shape; may be given again.  "
    + "; ".join(f"{each.letter}: {each.sentence}" for each in SHAPES.values())
    + ".",
)
@click.option(
    "--measure", "measures", type=click.Choice(MEASURES), multiple=True, help="Only this measure; may be given again."
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    help="How often everything is measured, each time on a fresh control plane; the table tells medians, and the "
    f"median of the ratios.  [default: {_DEFAULT_ROUNDS}; 1 with --full or --growth]",
)
@click.option(
    "--growth",
    type=_Sizes(),
    is_flag=False,
    flag_value=_SIZES,
    metavar="[SIZES]",
    help=f"Measure nothing but the convergence, at several sizes, and fit how it grows.  [sizes: {_SIZES}]",
)
@click.option(
    "--idle",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Length of the quiet time.",
)
@click.option(
    "--churn",
    type=click.FloatRange(min=1),
    default=None,
    metavar="SECONDS",
    help="Also let namespaces come and go, policies drift and isolations be edited for so long, and see whether memory "
    "grows; 600 is a good while.",
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all rounds to a file."
)
@click.option("--chart", "chart_file", type=click.Path(dir_okay=False, path_type=Path), help="Draw an SVG.")
@click.option("--check", is_flag=True, help="Exit with 1 where a target is missed.")
def bench(
    *,
    namespaces: int | None,
    full: bool,
    shapes: tuple[str, ...],
    measures: tuple[str, ...],
    rounds: int | None,
    growth: tuple[int, ...] | None,
    idle: float,
    churn: float | None,
    json_file: Path | None,
    chart_file: Path | None,
    check: bool,
) -> None:
    """Measure the operator on a throwaway control plane, every figure beside its reference from the same run.

    The operator runs as in production: a process of its own, over TLS, with the ServiceAccount and the ClusterRole
    of manifests/. What the API server itself takes is measured by a plain client that does the same writes.
    Progress goes to standard error, the table to standard output.
    """
    if full and namespaces is not None:
        raise click.UsageError(f"--full is --namespaces {FULL} with one round: give one of the two")
    if growth and (full or namespaces is not None or measures or churn):
        raise click.UsageError("--growth measures the convergence at sizes of its own: leave the others out")
    plan = Plan(
        sizes=growth or ((FULL if full else namespaces or _DEFAULT_SIZE),),
        shapes=shapes or tuple(SHAPES),
        measures=("convergence",) if growth else measures or MEASURES,
        rounds=rounds or (1 if full or growth else _DEFAULT_ROUNDS),
        idle=idle,
        churn=churn or 0.0,
    )
    began = datetime.now(UTC)
    results: list[Result] = []
    problems = uvloop.run(_measure(plan, results))
    rows = rows_of(results)
    growths = growth_of(rows)
    if rows:
        click.echo("\n\n".join([table(rows), *map(growth_table, growths), "\n".join(notes_of(results, rows))]))
    if json_file is not None:
        facts = {"version": __version__, "machine": describe(), "plan": asdict(plan), "problems": problems}
        document = document_of(results, rows, growths, began=began, facts=facts)
        json_file.write_text(json.dumps(document, indent=1) + "\n")
    if chart_file is not None and rows:
        chart_file.write_text(lines(growths) if growths else bars(rows))
    for problem in problems:
        click.echo(f"bench: not measured: {problem}", err=True)
    if problems:
        sys.exit(_NOT_MEASURED)
    if check and any(row.met is False for row in rows):
        sys.exit(_MISSED)


async def _measure(plan: Plan, results: list[Result]) -> list[str]:
    """Put results into the list as they come; what kept the rest from being measured, if anything did."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="nsiso-bench-") as directory:
        try:
            async for result in run(plan, Progress(), Path(directory)):
                results.append(result)  # noqa: PERF401 - what was measured before a problem counts
        except* (BenchProblem, SandboxError) as group:
            problems += [str(problem) for problem in _leaves(group)]
    return problems


def _leaves(group: BaseExceptionGroup[Exception]) -> Sequence[Exception]:
    """Give the problems in a group and in those within it."""
    found: list[Exception] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found

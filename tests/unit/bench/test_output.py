"""What comes out: table, growth, notes, chart and JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from tests.bench.chart import bars, lines
from tests.bench.document import document_of
from tests.bench.figures import Figure, Result
from tests.bench.growth import Growth, Point, growth_of, growth_table
from tests.bench.notes import notes_of
from tests.bench.table import table
from tests.bench.verdict import rows_of

_SVG = "{http://www.w3.org/2000/svg}"


def convergence(shape: str, size: int, seconds: float, reference: float, **more: float) -> Result:
    """Make the result of one convergence."""
    figures = (
        Figure(name="convergence.policies", title="time", unit="s", value=seconds, reference=reference, against="R1"),
        Figure(name="convergence.cpu", title="CPU", unit="ms", value=0.3, reference=0.2, against="R1"),
        Figure(name="convergence.memory", title="memory", unit="MiB", value=60 + size / 128),
    )
    return Result(
        measure="convergence",
        shape=shape,
        namespaces=size,
        figures=figures,
        others=more.get("others", 0.0),
        refused=int(more.get("refused", 0)),
    )


def idle(requests: int) -> Result:
    """Make the result of a quiet time."""
    figure = Figure(name="idle.requests", title="idle: requests", unit="", value=requests)
    return Result(measure="idle", shape="B", namespaces=1000, figures=(figure,))


def restart(cpu: float) -> Result:
    """Make the result of a restart, whose target is for a larger size."""
    figure = Figure(name="restart.cpu", title="CPU of a restart", unit="s", value=cpu)
    return Result(measure="restart", shape="A", namespaces=1000, figures=(figure,))


def test_the_table_says_met_or_missed() -> None:
    """Each figure stands beside its reference, the ratio, its target and the verdict."""
    rows = rows_of([convergence("A", 1000, 4.4, 4.0), convergence("B", 1000, 8.0, 4.0), idle(1), restart(1.25)])
    shown = {(line.split()[0], line.split("  ")[4].strip()): line.split() for line in table(rows).split("\n")[1:]}
    assert shown["A", "time"][2:] == ["time", "4.40", "s", "R1", "4", "s", "1.10", "≤", "1.2", "x", "R1", "met"]
    assert shown["B", "time"][-1] == "MISSED"
    assert shown["B", "idle: requests"][-3:] == ["≤", "0", "MISSED"]
    assert shown["A", "CPU of a restart"][-4:] == ["4", "s", "(at", "10000)"]
    assert shown["A", "memory"][-2:] == ["67.8", "MiB"]


def test_growth_needs_two_sizes() -> None:
    """One size is a figure and no growth; each shape has its own."""
    assert growth_of(rows_of([convergence("A", 1000, 4, 4)])) == []
    results = [convergence("A", size, size / 250, size / 300) for size in (2000, 500, 1000)]
    (found,) = growth_of(rows_of([*results, convergence("B", 1000, 4, 4)]))
    assert [point.namespaces for point in found.points] == [500, 1000, 2000]
    assert found.exponent == pytest.approx(1)
    assert found.reference_exponent == pytest.approx(1)
    assert found.memory_each == pytest.approx(8)
    assert "2000" in growth_table(found)
    assert "time grows as N^1.00 (R1: N^1.00)" in growth_table(found)


def test_notes_tell_what_disturbed_and_what_was_refused() -> None:
    """And how many targets were met; nothing where there is nothing to tell."""
    results = [convergence("A", 1000, 4.4, 4.0, others=0.21, refused=3), convergence("B", 1000, 8.0, 4.0)]
    notes = "\n".join(notes_of(results, rows_of(results)))
    assert "convergence 21%" in notes
    assert "refused 3 requests" in notes
    assert "1 of 2 targets met" in notes
    assert "R2" not in notes
    quiet = [restart(1.0)]
    assert notes_of(quiet, rows_of(quiet)) == []


def test_the_lines_are_drawn_to_scale() -> None:
    """In logarithms the middle between 100 and 10,000 namespaces is 1,000; both axes hold every point."""
    growth = Growth(
        shape="A",
        points=tuple(
            Point(namespaces=size, seconds=size / 200, reference=size / 400, cpu=0.3, memory=80)
            for size in (100, 1000, 10000)
        ),
    )
    drawn = ET.fromstring(lines([growth]))  # noqa: S314 - our own text
    frame = next(each for each in drawn.iter(f"{_SVG}rect") if each.get("class") == "frame")
    left, top, width, height = (float(frame.get(name, "")) for name in ("x", "y", "width", "height"))
    dots = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in drawn.iter(f"{_SVG}circle")]
    assert [x for x, _ in dots] == pytest.approx([left, left + width / 2, left + width], abs=0.1)
    assert all(top <= y <= top + height for _, y in dots)
    assert dots[0][1] > dots[1][1] > dots[2][1]
    assert "exponents 1.00, 1.00" in lines([growth])


def test_the_bars_are_shares_of_targets() -> None:
    """A bar is as long as its share of the target; one that is far over ends at the edge and has its number."""
    rows = rows_of([convergence("A", 1000, 2.4, 4.0), convergence("B", 1000, 48.0, 4.0), idle(1), restart(1.0)])
    drawn = ET.fromstring(bars(rows))  # noqa: S314 - our own text
    found = [(each.get("class"), float(each.get("width", ""))) for each in drawn.iter(f"{_SVG}rect")]
    half, full, pale = (length for _, length in found)
    assert [kind for kind, _ in found] == ["met", "missed", "met"]
    assert (half / full, pale / full) == pytest.approx((0.5 / 1.5, 0.25 / 1.5), abs=0.01)
    assert "1000%" in bars(rows)


@pytest.mark.parametrize("name", ["a < b", "a & b", 'a "b"'])
def test_a_chart_is_well_formed_whatever_a_title_holds(name: str) -> None:
    """Text is no markup."""
    figure = Figure(name="memory.rss", title=name, unit="MiB", value=80)
    drawn = bars(rows_of([Result(measure="memory", shape="A", namespaces=1000, figures=(figure,))]))
    texts = [each.text for each in ET.fromstring(drawn).iter(f"{_SVG}text")]  # noqa: S314 - our own text
    assert f"A 1,000: {name}" in texts


def test_the_document_holds_every_round() -> None:
    """Besides the medians and the verdicts, and with what is known about the run."""
    results = [convergence("A", 1000, 4.0, 4.0), convergence("A", 1000, 6.0, 4.0), convergence("A", 2000, 9.0, 8.0)]
    rows = rows_of(results)
    began = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    document = json.loads(json.dumps(document_of(results, rows, growth_of(rows), began=began, facts={"version": "9"})))
    assert document["began"] == "2026-01-02T03:04:05+00:00"
    assert document["version"] == "9"
    assert document["figures"][0]["value"] == 5.0
    assert document["figures"][0]["met"] is False
    assert document["figures"][0]["rounds"] == [{"value": 4.0, "reference": 4.0}, {"value": 6.0, "reference": 4.0}]
    assert [each["namespaces"] for each in document["rounds"]] == [1000, 1000, 2000]
    assert document["growth"][0]["points"][1]["namespaces"] == 2000

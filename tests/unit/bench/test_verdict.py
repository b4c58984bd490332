"""The targets, and how the rounds of a figure are judged by them."""

from __future__ import annotations

import pytest

from tests.bench.figures import Figure, Result
from tests.bench.targets import FULL, TARGETS, Target, target_of
from tests.bench.verdict import Row, rows_of


def row(*rounds: tuple[float, float | None], target: Target | None = None, namespaces: int = FULL) -> Row:
    """Make a row of values and their references."""
    figures = tuple(
        Figure(name="a.figure", title="a figure", unit="s", value=value, reference=reference, against="R1")
        for value, reference in rounds
    )
    return Row(measure="a", shape="A", namespaces=namespaces, rounds=figures, target=target)


@pytest.mark.parametrize(
    ("target", "reference", "limit"),
    [
        pytest.param(Target(figure="f", fixed=15), None, 15, id="a number"),
        pytest.param(Target(figure="f", factor=1.2), 10, 12, id="a factor"),
        pytest.param(Target(figure="f", factor=1.2), None, None, id="a factor of nothing"),
        pytest.param(Target(figure="f", factor=1.5, fixed=1.5), 2, 4.5, id="a factor and a number on top"),
        pytest.param(Target(figure="f", factor=3, fixed=15, either=True), 4, 15, id="the number is larger"),
        pytest.param(Target(figure="f", factor=3, fixed=15, either=True), 6, 18, id="the factor is larger"),
        pytest.param(Target(figure="f"), None, 0, id="nothing at all"),
    ],
)
def test_a_limit_comes_from_the_reference(target: Target, reference: float | None, limit: float | None) -> None:
    """A machine that is slow today is slow for both."""
    assert target.limit(reference) == (None if limit is None else pytest.approx(limit))


@pytest.mark.parametrize(
    ("rounds", "target", "met"),
    [
        pytest.param([(12.0, 10.0)], Target(figure="f", factor=1.2), True, id="at the limit"),
        pytest.param([(12.1, 10.0)], Target(figure="f", factor=1.2), False, id="over the limit"),
        pytest.param([(0.0, None)], Target(figure="f"), True, id="nothing where nothing may be"),
        pytest.param([(1.0, None)], Target(figure="f"), False, id="something where nothing may be"),
        pytest.param(
            [(0.0, None), (1.0, None), (0.0, None)], Target(figure="f"), False, id="something in one of the rounds"
        ),
        pytest.param([(9.0, 9.0), (30.0, 10.0), (9.0, 9.0)], Target(figure="f", factor=1.2), True, id="one bad round"),
        pytest.param([(30.0, 29.0), (10.0, 9.0), (11.0, 5.0)], Target(figure="f", factor=1.2), True, id="both slow"),
        pytest.param([(30.0, 9.0), (10.0, 5.0), (5.0, 9.0)], Target(figure="f", factor=1.2), False, id="mostly over"),
    ],
)
def test_the_median_round_decides(rounds: list[tuple[float, float | None]], target: Target, met: bool) -> None:  # noqa: FBT001
    """Each round is judged with its own reference; where nothing is allowed, one exception is too many."""
    assert row(*rounds, target=target).met is met


def test_a_ratio_is_of_values_of_the_same_round() -> None:
    """The median of the ratios is not the ratio of the medians."""
    found = row((10.0, 10.0), (30.0, 15.0), (20.0, 40.0))
    assert found.ratio == 1.0
    assert found.value == 20.0
    assert found.reference == 15.0


def test_a_target_for_a_larger_size_is_told_and_not_judged() -> None:
    """4 seconds for 10,000 namespaces say nothing about 1,000."""
    small = row((3.0, None), target=Target(figure="f", fixed=4, since=FULL), namespaces=1000)
    assert small.met is None
    assert small.limit == 4
    assert row((3.0, None), target=Target(figure="f", fixed=4, since=FULL)).met is True


def test_without_a_target_there_is_no_verdict() -> None:
    """Some figures only explain others."""
    assert row((3.0, 1.0)).met is None
    assert row((3.0, 1.0)).limit is None


def test_rounds_of_one_figure_come_together() -> None:
    """Of the same shape and size only, in the order in which they were measured."""

    def result(shape: str, size: int, value: float) -> Result:
        figure = Figure(name="memory.rss", title="memory", unit="MiB", value=value)
        return Result(measure="memory", shape=shape, namespaces=size, figures=(figure,))

    rows = rows_of([result("A", 1000, 1), result("B", 1000, 2), result("A", 1000, 3), result("A", 10000, 4)])
    assert [(each.shape, each.namespaces, [one.value for one in each.rounds]) for each in rows] == [
        ("A", 1000, [1, 3]),
        ("B", 1000, [2]),
        ("A", 10000, [4]),
    ]
    assert rows[0].target == target_of("memory.rss", "A")


def test_a_figure_has_one_target_for_a_shape() -> None:
    """A second one would never be looked at."""
    pairs = [(target.figure, shape) for target in TARGETS for shape in target.shapes]
    assert len(pairs) == len(set(pairs))

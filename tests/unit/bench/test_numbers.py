"""Percentiles, fitted exponents, and how numbers are written."""

from __future__ import annotations

import pytest

from tests.bench.fit import exponent, slope
from tests.bench.layout import laid_out, number
from tests.bench.quantiles import quantile


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.0, 1, id="the least"),
        pytest.param(0.5, 50, id="half of them are no larger"),
        pytest.param(0.99, 99, id="one in a hundred is larger"),
        pytest.param(1.0, 100, id="the largest"),
    ],
)
def test_a_percentile_is_a_sample(share: float, expected: int) -> None:
    """It is the smallest sample that enough of them do not exceed, in whatever order they came."""
    samples = [float(each) for each in range(100, 0, -1)]
    assert quantile(samples, share) == expected


def test_one_sample_is_every_percentile() -> None:
    """Nothing is made up between samples."""
    assert [quantile([7.0], share) for share in (0, 0.5, 0.99, 1)] == [7.0] * 4


def test_no_samples_have_no_percentile() -> None:
    """Zero would look like a very good one."""
    with pytest.raises(ValueError, match="no samples"):
        quantile([], 0.5)


@pytest.mark.parametrize("power", [0.5, 1.0, 1.3, 2.0])
def test_the_exponent_of_a_power_law_is_found(power: float) -> None:
    """Whatever its factor."""
    points = [(float(size), 0.004 * size**power) for size in (500, 1000, 2000, 5000, 10000)]
    assert exponent(points) == pytest.approx(power)


def test_noise_moves_an_exponent_little() -> None:
    """A size that took a tenth longer than its share does not make a line a curve."""
    points = [(500, 2.2), (1000, 4.0), (2000, 8.0), (5000, 20.0), (10000, 44.0)]
    assert exponent(points) == pytest.approx(1.0, abs=0.03)


def test_a_slope_is_what_one_more_costs() -> None:
    """The part that does not depend on the size is left out."""
    assert slope([(500, 60 + 500 * 0.008), (1000, 60 + 1000 * 0.008), (10000, 60 + 10000 * 0.008)]) == pytest.approx(
        0.008
    )


@pytest.mark.parametrize("points", [[], [(5.0, 1.0)], [(5.0, 1.0), (5.0, 2.0)]])
def test_one_size_has_no_slope(points: list[tuple[float, float]]) -> None:
    """A line needs two."""
    with pytest.raises(ValueError, match="two sizes"):
        slope(points)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0004, "0.000400"),
        (0.25, "0.250"),
        (1.234, "1.23"),
        (12.34, "12.3"),
        (123.4, "123"),
        (130.0, "130"),
        (40000.4, "40000"),
        (-2.5, "-2.50"),
    ],
)
def test_a_number_has_about_three_digits(value: float, text: str) -> None:
    """More would look more exact than the machine is; a whole number is written whole."""
    assert number(value) == text


def test_columns_stand_under_one_another() -> None:
    """Numbers end together, words begin together, and no line ends in blanks."""
    lines = [("FIGURE", "VALUE", ""), ("time", "1.5 s", "met"), ("memory", "80 MiB", "")]
    assert laid_out(lines, right={1}).split("\n") == [
        "FIGURE   VALUE",
        "time     1.5 s  met",
        "memory  80 MiB",
    ]

"""One SVG, drawn by hand: how time grows with the namespaces, or each figure as a share of its target.

It has no background of its own, and its colours are readable on a light page and on a dark one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Final

from tests.bench.growth import Growth
from tests.bench.layout import number
from tests.bench.verdict import Row

__all__ = ["bars", "lines"]

_WIDTH: Final = 820
_STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #57606a }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .35 }
  .frame { stroke: #8c959f }
  .line { fill: none; stroke-width: 2.5 }
  .reference { stroke-dasharray: 6 5 }
  .A .line { stroke: #1a7fe0 } .B .line { stroke: #c4620f } .C .line { stroke: #1f9d55 }
  .A .dot { fill: #1a7fe0 } .B .dot { fill: #c4620f } .C .dot { fill: #1f9d55 }
  .met { fill: #1f9d55 } .missed { fill: #d1383d }
  @media (prefers-color-scheme: dark) {
    text { fill: #b8c0c8 }
    .A .line { stroke: #58a6ff } .B .line { stroke: #f0883e } .C .line { stroke: #3fb950 }
    .A .dot { fill: #58a6ff } .B .dot { fill: #f0883e } .C .dot { fill: #3fb950 }
    .met { fill: #3fb950 } .missed { fill: #f85149 }
  }
"""
_LEFT, _TOP, _PLOT_WIDTH, _PLOT_HEIGHT = 70, 64, 540, 400
_STEPS: Final = (1, 2, 5)
_BAR, _LABELS, _BAR_WIDTH = 24, 390, 290
_MOST: Final = 1.5
"""Times its target that a bar can show; a longer one ends there, and its number says the rest."""


def lines(growths: Sequence[Growth]) -> str:
    """Draw time over namespaces, both axes logarithmic; the operator's lines are solid, the reference's dashed."""
    sizes = sorted({point.namespaces for growth in growths for point in growth.points})
    times = [time for growth in growths for point in growth.points for time in (point.seconds, point.reference)]
    low, high = _step_below(min(times)), _step_above(max(times))

    def x(size: float) -> float:
        return _LEFT + _PLOT_WIDTH * _share(size, sizes[0], sizes[-1])

    def y(seconds: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - _share(seconds, low, high))

    bottom = _TOP + _PLOT_HEIGHT
    parts = [
        _text(_LEFT, 26, "Time of the first convergence, 4 policies a namespace", kind="title"),
        _text(_LEFT, 48, "seconds"),
        _text(_LEFT + _PLOT_WIDTH / 2, bottom + 46, "namespaces", anchor="middle"),
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_PLOT_WIDTH}" height="{_PLOT_HEIGHT}" fill="none"/>',
    ]
    for size in sizes:
        parts.append(_line(x(size), _TOP, x(size), bottom))
        parts.append(_text(x(size), bottom + 20, f"{size:,}", anchor="middle"))
    for tick in _ticks(low, high):
        parts.append(_line(_LEFT, y(tick), _LEFT + _PLOT_WIDTH, y(tick)))
        parts.append(_text(_LEFT - 8, y(tick) + 4, f"{tick:g}", anchor="end"))
    for place, growth in enumerate(growths):
        ours = [(x(point.namespaces), y(point.seconds)) for point in growth.points]
        theirs = [(x(point.namespaces), y(point.reference)) for point in growth.points]
        parts.append(f'<g class="{growth.shape}">{_path(ours)}{_path(theirs, reference=True)}{_dots(ours)}</g>')
        parts += _legend(growth, _TOP + 14 + 66 * place)
    return _document(bottom + 64, parts)


def bars(rows: Sequence[Row]) -> str:
    """Draw each figure that has a limit above zero as a share of it."""
    shown = [(row, row.usage) for row in rows if row.usage is not None]
    height = 84 + _BAR * len(shown)
    zero, one = _LABELS + 10, _LABELS + 10 + _BAR_WIDTH / _MOST
    parts = [
        _text(16, 26, "Every figure as a share of its target", kind="title"),
        _text(16, 46, "shorter is better; a figure that is promised for a larger size only is drawn pale"),
        *(_bar(row, usage, 62 + _BAR * place) for place, (row, usage) in enumerate(shown)),
        _line(zero, 56, zero, height - 20),
        _line(one, 56, one, height - 20, kind="frame"),
        _text(one, height - 4, "target", anchor="middle"),
    ]
    return _document(height + 8, parts)


def _bar(row: Row, share: float, top: float) -> str:
    length = _BAR_WIDTH * min(share, _MOST) / _MOST
    colour = "met" if share <= 1 else "missed"
    opacity = "" if row.judged else ' opacity=".45"'
    label = f"{row.shape} {row.namespaces:,}: {row.figure.title}"
    value = f"{number(row.value)} {row.figure.unit} ({share:.0%})"
    rectangle = (
        f'<rect class="{colour}" x="{_LABELS + 10}" y="{top:.0f}" width="{length:.1f}" height="{_BAR - 8}"{opacity}/>'
    )
    middle = top + _BAR - 12
    return _text(_LABELS, middle, label, anchor="end") + rectangle + _text(_LABELS + 16 + length, middle, value)


def _legend(growth: Growth, top: float) -> list[str]:
    left = _LEFT + _PLOT_WIDTH + 14
    ours = _path([(left, top - 4), (left + 26, top - 4)])
    theirs = _path([(left, top + 18), (left + 26, top + 18)], reference=True)
    return [
        f'<g class="{growth.shape}">{ours}{theirs}</g>',
        _text(left + 34, top, f"{growth.shape} operator"),
        _text(left + 34, top + 22, f"{growth.shape} plain client (R1)"),
        _text(left + 34, top + 40, f"exponents {growth.exponent:.2f}, {growth.reference_exponent:.2f}"),
    ]


def _share(value: float, low: float, high: float) -> float:
    """Tell where a value lies between two others, in the logarithm: 0 at the lower, 1 at the higher."""
    return math.log(value / low) / math.log(high / low) if high > low else 0.0


def _ticks(low: float, high: float) -> list[float]:
    """Give 1, 2 and 5 times the powers of ten between two of them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [step * 10.0**power for power in range(first, last + 1) for step in _STEPS]
    return [tick for tick in every if low * 0.999 <= tick <= high * 1.001]


def _step_below(value: float) -> float:
    power = math.floor(math.log10(value))
    return max(step * 10.0**power for step in _STEPS if step * 10.0**power <= value * 1.001)


def _step_above(value: float) -> float:
    power = math.floor(math.log10(value))
    return min(step * 10.0**power for step in (*_STEPS, 10) if step * 10.0**power >= value * 0.999)


def _path(points: Sequence[tuple[float, float]], *, reference: bool = False) -> str:
    way = " ".join(f"{'L' if place else 'M'}{x:.1f} {y:.1f}" for place, (x, y) in enumerate(points))
    return f'<path class="line{" reference" if reference else ""}" d="{way}"/>'


def _dots(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in points)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _document(height: float, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    size = f'width="{_WIDTH}" height="{height:.0f}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<style>{_STYLE}</style>\n{body}\n</svg>\n'

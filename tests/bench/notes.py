"""What a reader of the figures has to know besides: what disturbed them, and what the API server refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.bench.figures import Result
from tests.bench.machine import describe
from tests.bench.verdict import Row

__all__ = ["notes_of"]

_NOTABLE: Final = 0.05


def notes_of(results: Sequence[Result], rows: Sequence[Row]) -> list[str]:
    """Write the notes, one sentence or two each."""
    return [*_where(results), *_legend(rows), *_disturbed(results), *_refused(results), *_judged(rows)]


def _where(results: Sequence[Result]) -> list[str]:
    versions = " and ".join(sorted({result.kubernetes for result in results if result.kubernetes}))
    if not versions:
        return []
    machine = describe()
    return [
        f"Kubernetes {versions}, Python {machine['python']}, {machine['cores']} cores, {machine['memory_gib']} GiB."
    ]


def _legend(rows: Sequence[Row]) -> list[str]:
    known = {
        "R1": "R1: a plain client in a process of its own writes the same policies, 32 requests in flight and the same "
        "watches open.",
        "R2": "R2: that client lists the same objects and decodes nothing; the faster of pages of 500 and no pages.",
        "a write": "a write: that client creates one policy after the other on the same cluster.",
    }
    used = {row.figure.against for row in rows}
    return [sentence for name, sentence in known.items() if name in used]


def _disturbed(results: Sequence[Result]) -> list[str]:
    """Tell where other programs took a notable part of the machine."""
    most: dict[str, float] = {}
    for result in results:
        most[result.measure] = max(most.get(result.measure, 0.0), result.others)
    told = [f"{measure} {share:.0%}" for measure, share in most.items() if share >= _NOTABLE]
    if not told:
        return []
    return [f"Disturbed: other programs took up to this share of the machine while it was measured: {', '.join(told)}."]


def _refused(results: Sequence[Result]) -> list[str]:
    refused, resumed = sum(result.refused for result in results), sum(result.resumed for result in results)
    told = []
    if refused:
        told.append(
            f"The API server refused {refused} requests of the plain client (429), which were sent again later."
        )
    if resumed:
        told.append(f"The API server ended {resumed} watches of the observer, which went on behind the last event.")
    return told


def _judged(rows: Sequence[Row]) -> list[str]:
    judged = [row for row in rows if row.met is not None]
    missed = [row for row in judged if not row.met]
    if not judged:
        return []
    return [f"{len(judged) - len(missed)} of {len(judged)} targets met."]

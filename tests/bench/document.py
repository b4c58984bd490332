"""The results as JSON: what was asked for, the machine, every row with its verdict, and every round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tests.bench.figures import Result
from tests.bench.growth import Growth
from tests.bench.verdict import Row

__all__ = ["document_of"]

Json = dict[str, Any]


def document_of(
    results: Sequence[Result],
    rows: Iterable[Row],
    growths: Iterable[Growth],
    *,
    began: datetime,
    facts: Mapping[str, object],
) -> Json:
    """Write the document; `facts` are about the run."""
    return {
        "began": began.isoformat(timespec="seconds"),
        **facts,
        "figures": [_row(row) for row in rows],
        "growth": [_growth(growth) for growth in growths],
        "rounds": [asdict(result) for result in results],
    }


def _growth(growth: Growth) -> Json:
    return {
        **asdict(growth),
        "exponent": growth.exponent,
        "reference_exponent": growth.reference_exponent,
        "cpu_exponent": growth.cpu_exponent,
        "memory_kib_a_namespace": growth.memory_each,
    }


def _row(row: Row) -> Json:
    return {
        "shape": row.shape,
        "namespaces": row.namespaces,
        "measure": row.measure,
        "figure": row.figure.name,
        "title": row.figure.title,
        "unit": row.figure.unit,
        "value": row.value,
        "reference": row.reference,
        "against": row.figure.against,
        "ratio": row.ratio,
        "limit": row.limit,
        "met": row.met,
        "rounds": [{"value": each.value, "reference": each.reference} for each in row.rounds],
    }

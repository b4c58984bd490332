"""All rounds of one figure beside its target: the median of what the rounds say, each with its own reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from tests.bench.figures import Figure, Result
from tests.bench.targets import Target, target_of

__all__ = ["Row", "rows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of one shape and size over all rounds."""

    measure: str
    shape: str
    namespaces: int
    rounds: tuple[Figure, ...]
    target: Target | None

    @property
    def figure(self) -> Figure:
        """A round's figure, for what is the same in all of them."""
        return self.rounds[0]

    @property
    def value(self) -> float:
        """The median of the values."""
        return median(each.value for each in self.rounds)

    @property
    def reference(self) -> float | None:
        """The median of the references."""
        references = [each.reference for each in self.rounds if each.reference is not None]
        return median(references) if references else None

    @property
    def ratio(self) -> float | None:
        """The median of the rounds' ratios: a value and its reference share what disturbed the machine."""
        ratios = [each.value / each.reference for each in self.rounds if each.reference]
        return median(ratios) if ratios else None

    @property
    def limit(self) -> float | None:
        """The limit, by the median reference."""
        return None if self.target is None else self.target.limit(self.reference)

    @property
    def judged(self) -> bool:
        """Whether the target holds at this size."""
        return self.target is not None and self.namespaces >= self.target.since

    @property
    def usage(self) -> float | None:
        """The median of what share of its own limit each round took; None without a limit above zero."""
        if self.target is None:
            return None
        limits = [self.target.limit(each.reference) for each in self.rounds]
        shares = [each.value / limit for each, limit in zip(self.rounds, limits, strict=True) if limit]
        return median(shares) if shares else None

    @property
    def met(self) -> bool | None:
        """Whether the median round is within its own limit; None where there is nothing to judge.

        Where nothing at all is allowed, every round counts: one write too many is no noise.
        """
        if not self.judged:
            return None
        if self.usage is None:
            return all(each.value <= 0 for each in self.rounds)
        return self.usage <= 1


def rows_of(results: Iterable[Result]) -> list[Row]:
    """Bring the rounds of each figure together, in the order in which they were measured."""
    rounds: dict[tuple[str, int, str, str], list[Figure]] = {}
    for result in results:
        for figure in result.figures:
            key = (result.shape, result.namespaces, result.measure, figure.name)
            rounds.setdefault(key, []).append(figure)
    return [
        Row(
            measure=measure,
            shape=shape,
            namespaces=namespaces,
            rounds=tuple(figures),
            target=target_of(name, shape),
        )
        for (shape, namespaces, measure, name), figures in rounds.items()
    ]

"""What a timed run measured, and the numbers formed from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any, Self

__all__ = ["Comparison", "Spread"]


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, _, high = quantiles(values, n=4, method="inclusive")
        return cls(median(values), low, high)


@dataclass(frozen=True)
class Comparison:
    """Seconds per repetition of each contender, round by round; what stands in one round belongs together."""

    seconds: dict[str, list[float]]
    repetitions: dict[str, int]
    foreign_load: float | None

    def spread(self, name: str) -> Spread:
        return Spread.of(self.seconds[name])

    def ratio(self, name: str, baseline: str) -> Spread:
        return Spread.of([own / other for own, other in self._pairs(name, baseline)])

    def difference(self, name: str, baseline: str) -> Spread:
        return Spread.of([own - other for own, other in self._pairs(name, baseline)])

    def fastest(self, names: Sequence[str]) -> str:
        return min(names, key=lambda name: median(self.seconds[name]))

    def to_json(self, baseline: str) -> dict[str, Any]:
        """Everything measured, with the summary that the tables show."""
        summary = {
            name: {"seconds": asdict(self.spread(name)), "ratio": asdict(self.ratio(name, baseline))}
            for name in self.seconds
        }
        return {**asdict(self), "baseline": baseline, "summary": summary}

    def _pairs(self, name: str, baseline: str) -> list[tuple[float, float]]:
        return list(zip(self.seconds[name], self.seconds[baseline], strict=True))

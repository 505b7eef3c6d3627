"""Do contenders compute the same thing? Compared before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Self

from bench.mlp.training import CHECKED_STEPS

__all__ = ["LOSS_TOLERANCE", "MOVE_TOLERANCE", "Difference", "worst_difference"]

LOSS_TOLERANCE = 1e-4
# Wider: Adam's first steps have the size of the learning rate whatever the gradient's size, so that where a
# gradient is nearly zero its rounding error decides the sign of a whole step. Measured: up to 1e-3.
MOVE_TOLERANCE = 1e-2


@dataclass(frozen=True)
class Difference:
    """The worst relative differences of a contender's losses and parameter moves from the reference's."""

    losses: float
    moves: float

    @classmethod
    def between(cls, values: Sequence[float], reference: Sequence[float]) -> Self:
        """Of two results of `Training.check`."""
        losses = worst_difference(values[:CHECKED_STEPS], reference[:CHECKED_STEPS])
        return cls(losses, worst_difference(values[CHECKED_STEPS:], reference[CHECKED_STEPS:]))

    @property
    def small(self) -> bool:
        return self.losses <= LOSS_TOLERANCE and self.moves <= MOVE_TOLERANCE

    def __str__(self) -> str:
        return f"losses by {self.losses:.0e}, parameter moves by {self.moves:.0e}"


def worst_difference(values: Sequence[float], reference: Sequence[float]) -> float:
    """The largest |value - reference| / |reference|; infinite for other lengths and non-finite values."""
    if len(values) != len(reference) or not all(map(isfinite, values)):
        return inf
    return max((abs(own - true) / abs(true) for own, true in zip(values, reference, strict=True)), default=0.0)

"""What all contenders share: cycling through batches, timing steps, and showing what was computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import cycle, repeat
from time import perf_counter
from typing import Any

import numpy as np

from bench.mlp.problem import Array, Case, batches

__all__ = ["CHECKED_STEPS", "Training"]

CHECKED_STEPS = 5

Conversion = Callable[[Array], Any]


class Training(ABC):
    """A Workload whose repetition is one training step.

    A contender converts the batches to arrays of its own once, before anything is timed.
    """

    def __init__(self, case: Case, input_of: Conversion, label_of: Conversion) -> None:
        inputs, labels = batches(case)
        self._feed = zip(cycle(map(input_of, inputs)), cycle(map(label_of, labels)), strict=False)
        for _ in range(len(inputs) * len(labels)):
            next(self._feed)  # converts every batch now, and comes back to the first

    @abstractmethod
    def step(self, inputs: Any, labels: Any) -> Any:
        """Forward, cross-entropy (mean over the batch), backward, Adam; returns the loss, with `item()`."""

    @abstractmethod
    def parameters(self) -> list[Array]:
        """The parameters as NumPy arrays, in the order of `problem.weights`; may share memory with them."""

    def wait(self) -> None:  # noqa: B027 - nothing to wait for, except where a contender says so
        """Return when every step begun has ended."""

    def time(self, repetitions: int) -> float:
        step, feed = self.step, self._feed
        start = perf_counter()
        for _ in repeat(None, repetitions):
            step(*next(feed))
        self.wait()
        return perf_counter() - start

    def check(self) -> list[float]:
        """The losses of the next steps, then how far each parameter moved in them (2-norm)."""
        before = [parameter.copy() for parameter in self.parameters()]
        losses = [float(self.step(*next(self._feed)).item()) for _ in range(CHECKED_STEPS)]
        moved = zip(self.parameters(), before, strict=True)
        return losses + [float(np.linalg.norm(after - start)) for after, start in moved]

"""Means over all the samples of a data set, from what its batches gave."""

from __future__ import annotations

from collections.abc import Mapping

from tensorgrad.errors import ArgumentError
from tensorgrad.tensor import Tensor

__all__ = ["Means"]


class Means:
    """Means over samples of values that are means over batches."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._samples = 0

    def add(self, values: Mapping[str, Tensor | float], samples: int) -> None:
        """The values of a batch of so many samples. Tensors are summed where they are, in float64."""
        self._samples += samples
        for name, value in values.items():
            wide = value.detach().double() if isinstance(value, Tensor) else float(value)
            self._sums[name] = self._sums.get(name, 0.0) + wide * samples

    def read(self) -> dict[str, float]:
        """The means; only this waits for the device. Raises ArgumentError where nothing was added."""
        if not self._samples:
            raise ArgumentError("train: the data gave no batch; it is empty, or smaller than a batch with drop_last")
        return {name: float(total) / self._samples for name, total in self._sums.items()}

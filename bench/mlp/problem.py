"""The five cases, and the weights and batches from which every contender starts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BETA1", "BETA2", "CASES", "EPSILON", "LEARNING_RATE", "Array", "Case", "batches", "weights"]

Array = npt.NDArray[Any]

LEARNING_RATE = 1e-4  # small: the widest case would otherwise diverge, and timings of infinities mean nothing
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

INPUT_BATCHES, LABEL_BATCHES = 8, 9


@dataclass(frozen=True)
class Case:
    """An MLP with ReLU between layers of these widths, trained on batches of this size."""

    name: str
    widths: tuple[int, ...]
    batch: int

    def __str__(self) -> str:
        return f"{self.name} {'-'.join(map(str, self.widths))} x {self.batch}"


CASES = {
    case.name: case
    for case in (
        Case("tiny", (16, 32, 32, 4), 32),
        Case("small", (784, 128, 10), 64),
        Case("mnist", (784, 256, 128, 10), 128),
        Case("wide", (1024, 1024, 1024, 1024, 10), 256),
        Case("big", (4096, 4096, 4096, 10), 256),
    )
}


def weights(case: Case) -> list[Array]:
    """float32 [weight, bias] of each layer in turn; a weight is (out, in), uniform within 1 / sqrt(in)."""
    generator = np.random.default_rng(1)
    arrays: list[Array] = []
    for inputs, outputs in pairwise(case.widths):
        bound = inputs**-0.5
        arrays.append(generator.uniform(-bound, bound, (outputs, inputs)).astype(np.float32))
        arrays.append(generator.uniform(-bound, bound, outputs).astype(np.float32))
    return arrays


def batches(case: Case) -> tuple[list[Array], list[Array]]:
    """float32 inputs (batch, widths[0]) and int64 labels (batch,), to be cycled through side by side.

    The two lists have coprime lengths, so that an input meets many labels and cannot be learnt by heart:
    the gradients stay noise of ordinary size however long the timing lasts, and never become subnormal
    numbers, which are slow on some contenders and flushed to zero by others.
    """
    generator = np.random.default_rng(2)
    inputs = [generator.standard_normal((case.batch, case.widths[0]), np.float32) for _ in range(INPUT_BATCHES)]
    labels = [generator.integers(0, case.widths[-1], case.batch) for _ in range(LABEL_BATCHES)]
    return inputs, labels

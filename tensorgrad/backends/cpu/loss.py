"""Softmax and cross-entropy on NumPy arrays, without a dense one-hot array."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tensorgrad.backends.cpu.reduce import row_maxima, row_sums
from tensorgrad.backends.cpu.results import given
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives

__all__ = ["CpuLoss"]


class CpuLoss(LossPrimitives):
    """Mixin of `CpuBackend`."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        if 0 in logits.shape:
            return super().softmax_cross_entropy(logits, labels, out=out)
        losses, probabilities = out or (None, None)
        shifted = np.subtract(logits, row_maxima(logits), out=probabilities)
        chosen = shifted[_numbered(len(labels)), labels]
        e = np.exp(shifted, out=shifted)
        total = row_sums(e)
        e /= total
        return given(np.log(total).reshape(-1) - chosen, losses), e

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        gradient = np.multiply(probabilities, scale, out=out)
        at = _numbered(len(labels)), labels
        # Not gradient[at] - scale: where the label is all but certain, that would lose what is left.
        gradient[at] = (probabilities[at] - 1) * scale[:, 0]
        return gradient


@lru_cache(maxsize=64)
def _numbered(count: int) -> Array:
    return np.arange(count)

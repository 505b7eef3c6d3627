"""Softmax and cross-entropy on NumPy arrays, without a dense one-hot array."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tensorgrad.backends.cpu.reduce import row_maxima, row_sums
from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.dtypes import int64

__all__ = ["CpuLoss"]


class CpuLoss(LossPrimitives):
    """Mixin of `CpuBackend`."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        if 0 in logits.shape:
            return super().softmax_cross_entropy(logits, labels, out=out)
        rows, dtype = logits.shape[0], logits.dtype
        losses, e = out or (np.empty(rows, dtype), np.empty(logits.shape, dtype))
        if not e.flags.c_contiguous:
            losses, inner = self.softmax_cross_entropy(logits, labels, out=(losses, self.scratch(e.shape, dtype)))
            return losses, into(e, inner)
        edge, chosen = self.scratch((rows, 1), dtype), self.scratch((rows,), dtype)
        np.subtract(logits, row_maxima(logits, e, edge), e)
        np.take(e.reshape(-1), self._of_rows(labels, logits.shape[1]), 0, chosen, "clip")
        np.exp(e, e)
        total = row_sums(e, edge)
        np.divide(e, total, e)
        np.log(total, total)
        return np.subtract(total.reshape(-1), chosen, losses), e

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        rows, classes = probabilities.shape
        at, chosen = self._of_rows(labels, classes), self.scratch((rows,), probabilities.dtype)
        flat = probabilities.reshape(-1)
        # Not gradient[at] - scale: where the label is all but certain, that would lose what is left.
        np.subtract(np.take(flat, at, 0, chosen, "clip"), 1, chosen)
        np.multiply(chosen, scale[:, 0], chosen)
        gradient = np.multiply(probabilities, scale, out)
        if gradient.flags.c_contiguous:
            gradient.reshape(-1)[at] = chosen
        else:
            gradient[_numbered(rows, 1), labels] = chosen
        return gradient

    def _of_rows(self, labels: Array, classes: int) -> Array:
        """Where the element of each row's label lies in the flat memory of (rows, classes)."""
        return np.add(_numbered(len(labels), classes), labels, self.scratch(labels.shape, int64))


@lru_cache(maxsize=64)
def _numbered(count: int, step: int) -> Array:
    return np.arange(0, count * step, max(step, 1)) if step else np.zeros(count, int64)

"""Softmax and cross-entropy on NumPy arrays, without a dense one-hot array."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu.reduce import row_maxima
from tensorgrad.backends.cpu.results import into, numbered
from tensorgrad.backends.cpu.sums import CpuSums
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.dtypes import int64

__all__ = ["CpuLoss"]


class CpuLoss(CpuSums, LossPrimitives):
    """Mixin of `CpuBackend`."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        if 0 in logits.shape:
            return super().softmax_cross_entropy(logits, labels, out=out)
        losses = e = edge = chosen = spare = None  # NumPy's own, unless somebody else's memory is to be used
        if out is not None:
            rows, dtype = logits.shape[0], logits.dtype
            losses, e = out
            if not e.flags.c_contiguous:
                losses, inner = self.softmax_cross_entropy(logits, labels, out=(losses, self.scratch(e.shape, dtype)))
                return losses, into(e, inner)
            edge, chosen = self.scratch((rows, 1), dtype), self.scratch((rows,), dtype)
            spare = self.scratch(e.shape, dtype) if np.may_share_memory(e, logits) else e
        elif not logits.flags.c_contiguous:
            e = np.empty(logits.shape, logits.dtype)  # or it would lie as logits do, and sums have other bits
        e = np.subtract(logits, row_maxima(logits, spare, edge), e)
        chosen = self._picked(e, labels, chosen)
        np.exp(e, e)
        total = self._row_sums(e, edge)
        np.divide(e, total, e)
        np.log(total, total)
        return np.subtract(total.reshape(-1), chosen, losses), e

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        rows = len(labels)
        chosen = self._picked(
            probabilities, labels, None if out is None else self.scratch((rows,), probabilities.dtype)
        )
        # Not gradient[at] - scale: where the label is all but certain, that would lose what is left.
        np.subtract(chosen, 1, chosen)
        np.multiply(chosen, scale[:, 0], chosen)
        gradient = np.multiply(probabilities, scale, out)
        gradient[numbered(rows), labels] = chosen
        return gradient

    def _picked(self, x: Array, labels: Array, out: Array | None) -> Array:
        """x[row, labels[row]] for each row of `x` (rows, classes)."""
        rows, classes = x.shape
        if out is None:
            return x[numbered(rows), labels]
        positions = np.multiply(numbered(rows), classes, self.scratch(labels.shape, int64))
        np.add(positions, labels, positions)
        return np.take(self.reshaped(x, (rows * classes,)), positions, 0, out, "clip")

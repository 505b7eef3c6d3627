"""Softmax and cross-entropies on NumPy arrays, without a dense one-hot array."""

from __future__ import annotations

import math

import numpy as np

from tensorgrad.backends.cpu.reduce import row_maxima, row_sums
from tensorgrad.backends.cpu.results import boxed, into, numbered
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.dtypes import FLOATS, float16, int64

__all__ = ["CpuLoss"]

_ZERO, _HALF, _ONE, _MINUS_ONE = ({dtype: np.array(v, dtype) for dtype in FLOATS} for v in (0, 0.5, 1, -1))


class CpuLoss(LossPrimitives):
    """Mixin of `CpuBackend`."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        if 0 in logits.shape or logits.dtype == float16:
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
        total = row_sums(e, edge)
        np.divide(e, total, e)
        np.log(total, total)
        return np.subtract(total.reshape(-1), chosen, losses), e

    def softmax_cross_entropy_backward(
        self, scale: Array, probabilities: Array, labels: Array, *, out: Array | None = None
    ) -> Array:
        if probabilities.dtype == float16:
            return super().softmax_cross_entropy_backward(scale, probabilities, labels, out=out)
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

    def bce_with_logits(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype == float16:
            return super().bce_with_logits(x, y, out=out)
        zero, one = _ZERO[x.dtype], _ONE[x.dtype]
        spare = total = part = None  # NumPy's own, unless somebody else's memory is to be used
        if out is not None:
            spare, total, part = (self.scratch(x.shape, x.dtype) for _ in range(3))
        term = boxed(np.absolute(x, spare))
        np.multiply(term, _MINUS_ONE[x.dtype], term)
        np.exp(term, term)
        total = boxed(np.log1p(term, total))
        above = boxed(np.subtract(one, y, term))
        np.multiply(above, np.maximum(x, zero, out=part), above)
        np.add(total, above, total)
        below = np.minimum(x, zero, out=above)
        np.multiply(below, y, below)
        np.subtract(total, below, total)
        if math.isnan(np.vdot(total, total)):  # perhaps an infinite logit times 0
            return super().bce_with_logits(x, y, out=out)
        return total if out is None else into(out, total)

    def bce_with_logits_backward(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype == float16:
            return super().bce_with_logits_backward(x, y, out=out)
        one = _ONE[x.dtype]
        spare = other = None
        if out is not None:
            spare, other = self.scratch(x.shape, x.dtype), self.scratch(x.shape, x.dtype)
        e = boxed(np.absolute(x, spare))
        np.multiply(e, _MINUS_ONE[x.dtype], e)
        np.exp(e, e)
        rest = boxed(np.add(e, one, other))
        np.divide(e, rest, e)
        np.copysign(e, x, e)  # of sigmoid(-|x|): where x is positive it is taken off 1 - y, else y off it
        step = np.copysign(_HALF[x.dtype], x, rest)
        np.add(step, _HALF[x.dtype], step)
        np.subtract(step, y, step)
        np.subtract(step, e, step)
        return step if out is None else into(out, step)

    def _picked(self, x: Array, labels: Array, out: Array | None) -> Array:
        """x[row, labels[row]] for each row of `x` (rows, classes)."""
        rows, classes = x.shape
        if out is None:
            return x[numbered(rows), labels]
        positions = np.multiply(numbered(rows), classes, self.scratch(labels.shape, int64))
        np.add(positions, labels, positions)
        return np.take(self.reshaped(x, (rows * classes,)), positions, 0, out, "clip")

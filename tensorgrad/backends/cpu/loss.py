"""Softmax and cross-entropies on NumPy arrays, without a dense one-hot array."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu.reduce import row_maxima
from tensorgrad.backends.cpu.results import boxed, into, numbered
from tensorgrad.backends.cpu.sums import CpuSums
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.dtypes import FLOATS, HALF, bool_, int64

__all__ = ["CpuLoss"]

_ZERO, _ONE, _MINUS_ONE = ({dtype: np.array(v, dtype) for dtype in FLOATS} for v in (0, 1, -1))


class CpuLoss(CpuSums, LossPrimitives):
    """Mixin of `CpuBackend`."""

    def softmax_cross_entropy(
        self, logits: Array, labels: Array, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array]:
        if 0 in logits.shape or logits.dtype.char == HALF:
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
        if probabilities.dtype.char == HALF:
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
        if x.dtype.char == HALF:
            return super().bce_with_logits(x, y, out=out)
        term, step, chosen = self._apart_from(x, out)
        term = boxed(np.absolute(x, term))
        np.multiply(term, _MINUS_ONE[x.dtype], term)
        np.exp(term, term)
        np.log1p(term, term)
        step = _step(x, step, chosen)
        np.subtract(step, y, step)  # 1 - y where x is positive, else -y
        np.multiply(step, x, step)
        np.add(term, step, term)
        total = np.vdot(term, term)
        if total != total:  # perhaps an infinite logit times 0
            return super().bce_with_logits(x, y, out=out)
        return term if out is None else into(out, term)

    def bce_with_logits_backward(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return super().bce_with_logits_backward(x, y, out=out)
        one = _ONE[x.dtype]
        rest, step, chosen = self._apart_from(x, out)
        rest = boxed(np.absolute(x, rest))
        np.exp(rest, rest)
        np.add(rest, one, rest)
        step = _step(x, step, chosen)
        sign = np.add(step, step, None if out is None else self.scratch(x.shape, x.dtype))
        sign = boxed(sign)
        np.subtract(sign, one, sign)
        np.divide(sign, rest, rest)  # sigmoid(-|x|), which is taken off 1 - y where x is positive; else y off it
        np.subtract(step, y, step)
        np.subtract(step, rest, step)
        return step if out is None else into(out, step)

    def _apart_from(self, x: Array, out: Array | None) -> tuple[Array | None, Array | None, Array | None]:
        """Where to compute: None is NumPy's own memory, unless somebody else's is to be used."""
        if out is None:
            return None, None, None
        return self.scratch(x.shape, x.dtype), self.scratch(x.shape, x.dtype), self.scratch(x.shape, bool_)

    def _picked(self, x: Array, labels: Array, out: Array | None) -> Array:
        """x[row, labels[row]] for each row of `x` (rows, classes)."""
        rows, classes = x.shape
        if out is None:
            return x[numbered(rows), labels]
        positions = np.multiply(numbered(rows), classes, self.scratch(labels.shape, int64))
        np.add(positions, labels, positions)
        return np.take(self.reshaped(x, (rows * classes,)), positions, 0, out, "clip")


def _step(x: Array, out: Array | None, chosen: Array | None) -> Array:
    """1 where x is positive, else 0."""
    positive = boxed(np.greater(x, _ZERO[x.dtype], chosen))
    return positive.astype(x.dtype) if out is None else into(out, positive)

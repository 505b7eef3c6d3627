"""The gradient of the greatest and the least on NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.activation import INTEGERS, MANY
from tensorgrad.backends.cpu.results import boxed
from tensorgrad.backends.cpu.sums import CpuSums
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.reduce import ReducePrimitives
from tensorgrad.dtypes import HALF, float64

__all__ = ["CpuExtremes"]

_EXACT = 1 << 24  # as far as float32 counts
_add_reduce: Any = np.add.reduce


class CpuExtremes(CpuSums, ReducePrimitives):
    """Mixin of `CpuBackend`. Nothing equals an extreme that is nan: that tells the unusual case."""

    def extreme_backward(self, g: Array, x: Array, extreme: Array, /, *, axis: Axis, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF:
            return super().extreme_backward(g, x, extreme, axis=axis, out=out)
        wins = boxed(np.equal(x, extreme))
        if axis is None:
            count: Any = np.count_nonzero(wins)
            usual = count > 0
        else:
            chosen = wins.astype(x.dtype)
            count = self._counted(chosen, axis)
            usual = np.count_nonzero(count) == count.size
        if not usual:
            return super().extreme_backward(g, x, extreme, axis=axis)
        share = g if axis is None and count == 1 else boxed(np.divide(g, count))
        if axis is None or wins.size <= MANY:
            result = np.zeros(x.shape, x.dtype)
            np.copyto(result, share, where=wins)
            return result
        if np.vdot(share, share) < math.inf and np.count_nonzero(share) == share.size:
            np.multiply(chosen, share, chosen)
            return np.add(chosen, 0.0, chosen)  # no zero is negative
        mask = wins.view(np.int8)
        np.negative(mask, mask)  # all ones or all zeros
        return np.bitwise_and(share.view(INTEGERS[x.dtype.itemsize]), mask).view(x.dtype)

    def _counted(self, chosen: Array, axis: Axis) -> Array:
        """How many of `chosen`, ones and zeros, are ones: no sum of them is rounded, so BLAS may add them."""
        if chosen.ndim == 2 and chosen.flags.c_contiguous and chosen.size <= _EXACT:
            if axis == (0,):
                return self._ones_times(chosen).reshape(1, -1)
            if axis == (1,):
                return self._row_sums(chosen, None)
        # Beyond 2^24 float32 does not count.
        wide = None if chosen.size <= _EXACT else float64
        return _add_reduce(chosen, axis, wide, None, True)

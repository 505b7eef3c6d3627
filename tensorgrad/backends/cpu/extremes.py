"""The gradient of the greatest and the least on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.reduce import ReducePrimitives
from tensorgrad.dtypes import float16

__all__ = ["CpuExtremes"]

_MANY = 1024
_add_reduce: Any = np.add.reduce


class CpuExtremes(ReducePrimitives):
    """Mixin of `CpuBackend`.

    That an extreme is nan is told by nothing being equal to it. Of few elements the shares are products, which is
    faster than selecting; the unusual case, in which that is not right, is told by one look for a nan.
    """

    def extreme_backward(self, g: Array, x: Array, extreme: Array, /, *, axis: Axis, out: Array | None = None) -> Array:
        if out is not None or x.dtype == float16:
            return super().extreme_backward(g, x, extreme, axis=axis, out=out)
        wins = np.equal(x, extreme)
        if wins.size <= _MANY:
            shares = wins.astype(x.dtype)
            result = np.multiply(shares, np.divide(g, _add_reduce(shares, axis, None, None, True)), shares)
            total = np.vdot(result, result)
            return result if total == total else super().extreme_backward(g, x, extreme, axis=axis)
        count = np.count_nonzero(wins) if axis is None else _add_reduce(wins, axis, x.dtype, None, True)
        if not (count if axis is None else count.all()):
            return super().extreme_backward(g, x, extreme, axis=axis)
        result = np.zeros(x.shape, x.dtype)
        np.copyto(result, np.divide(g, count), where=wins)
        return result

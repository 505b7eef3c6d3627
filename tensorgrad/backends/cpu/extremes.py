"""The gradient of the greatest and the least on NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.reduce import ReducePrimitives
from tensorgrad.dtypes import float16

__all__ = ["CpuExtremes"]

_MANY = 1024
_add_reduce: Any = np.add.reduce


class CpuExtremes(ReducePrimitives):
    """Mixin of `CpuBackend`.

    The usual case, in which multiplying is as good as selecting, is told by one look for a nan. Nothing equals an
    extreme that is nan: then a share is divided by zero.
    """

    def extreme_backward(self, g: Array, x: Array, extreme: Array, /, *, axis: Axis, out: Array | None = None) -> Array:
        if out is not None or x.dtype == float16:
            return super().extreme_backward(g, x, extreme, axis=axis, out=out)
        wins = boxed(np.equal(x, extreme))
        if axis is None and wins.size > _MANY:
            return self._of_all(g, x, extreme, wins)
        shares = wins.astype(x.dtype)
        result = np.multiply(shares, np.divide(g, _add_reduce(shares, axis, None, None, True)), shares)
        total = np.vdot(result, result)
        return result if total == total else super().extreme_backward(g, x, extreme, axis=axis)

    def _of_all(self, g: Array, x: Array, extreme: Array, wins: Array) -> Array:
        count = np.count_nonzero(wins)
        if not count:
            return super().extreme_backward(g, x, extreme, axis=None)
        result = np.zeros(x.shape, x.dtype)
        np.copyto(result, np.divide(g, count), where=wins)
        return result

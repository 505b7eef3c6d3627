"""Norms and logsumexp on NumPy arrays: the steps of the compositions, but all in one array."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.reduce import ReducePrimitives, reduced_count
from tensorgrad.dtypes import HALF

__all__ = ["CpuSpread"]


class CpuSpread(ReducePrimitives):
    """Mixin of `CpuBackend`."""

    def norm(
        self,
        x: Array,
        *,
        p: float = 2,
        axis: Axis = None,
        keepdims: bool = False,
        out: Array | None = None,
    ) -> Array:
        alone = (1 in x.shape or not x.shape) and reduced_count(x.shape, axis) == 1
        if alone or out is not None or x.dtype.char == HALF or p == 0:
            return super().norm(x, p=p, axis=axis, keepdims=keepdims, out=out)
        if p == 2:
            total: Any = self.sum(boxed(np.square(x)), axis=axis, keepdims=keepdims)
            return np.sqrt(total, total)
        size = boxed(np.absolute(x))
        total = self.sum(np.power(size, p, size), axis=axis, keepdims=keepdims)
        return np.power(total, 1 / p, total)

    def logsumexp(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if out is not None or x.dtype.char == HALF or not x.size:
            return super().logsumexp(x, axis=axis, keepdims=keepdims, out=out)
        top = self.max(x, axis=axis, keepdims=True)
        e = boxed(np.subtract(x, top))
        total = self.sum(np.exp(e, e), axis=axis, keepdims=keepdims)
        look = np.vdot(total, total)
        if look != look:  # the greatest element is infinite, or one is nan
            return super().logsumexp(x, axis=axis, keepdims=keepdims)
        np.log(total, total)
        return np.add(total, top if keepdims else top.reshape(total.shape), total)

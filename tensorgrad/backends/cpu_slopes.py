"""Gradients through slopes that may be infinite, and through relu, on NumPy arrays."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu_results import given
from tensorgrad.backends.primitives import Array, Primitives
from tensorgrad.dtypes import float16

__all__ = ["CheckedSlopes"]


class CheckedSlopes(Primitives):
    """Mixin of `CpuBackend`. The usual case, in which there is nothing to mend, is told by one look for a nan."""

    @staticmethod
    def multiply_unless_zero(g: Array, slope: Array, *, out: Array | None = None) -> Array:
        product = np.multiply(g, slope)
        if _has_nan(product):
            product = np.asarray(product)
            np.copyto(product, 0, where=np.equal(g, 0) & ~np.isfinite(slope))
        return given(product, out)

    @staticmethod
    def divide_unless_zero(g: Array, y: Array, *, out: Array | None = None) -> Array:
        quotient = np.divide(g, y)
        if _has_nan(quotient):
            quotient = np.asarray(quotient)
            np.copyto(quotient, 0, where=np.equal(g, 0) & np.equal(y, 0))
        return given(quotient, out)

    @staticmethod
    def relu_backward(g: Array, y: Array, *, out: Array | None = None) -> Array:
        return np.multiply(g, np.greater(y, 0), out)  # ten times as fast as `where` on larger arrays


def _has_nan(x: Array) -> bool:
    """Whether there is a nan in `x`: the sum of the squares, which no infinity can cancel, is nan then."""
    if x.dtype == float16:  # BLAS has none
        return bool(x.size and np.isnan(np.minimum.reduce(x, None)))
    total = np.vdot(x, x)
    return bool(total != total)

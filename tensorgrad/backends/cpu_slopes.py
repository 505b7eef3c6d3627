"""Gradients through slopes that may be infinite, and through relu, on NumPy arrays."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu_results import given
from tensorgrad.backends.primitives import Array, Primitives
from tensorgrad.dtypes import float16

__all__ = ["CheckedSlopes"]

_MANY = 8192  # from here on a few passes over bits cost less than a look for a nan
_INTEGERS = {2: np.int16, 4: np.int32, 8: np.int64}


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
        positive = np.asarray(np.greater(y, 0))
        if positive.size > _MANY:
            return given(_selected(g, positive), out)
        product = np.multiply(g, positive)
        return given(np.where(positive, g, g.dtype.type(0)) if _has_nan(product) else product, out)


def _selected(g: Array, chosen: Array) -> Array:
    """g where chosen, else 0, by its bits: ten times as fast as `where`, and right for a g that is not finite."""
    mask = chosen.view(np.int8)
    np.negative(mask, mask)  # all ones or all zeros
    return np.bitwise_and(g.view(_INTEGERS[g.dtype.itemsize]), mask).view(g.dtype)


def _has_nan(x: Array) -> bool:
    """Whether there is a nan in `x`: the sum of the squares, which no infinity can cancel, is nan then."""
    if x.dtype == float16:  # BLAS has none
        return bool(x.size and np.isnan(np.minimum.reduce(x, None)))
    total = np.vdot(x, x)
    return bool(total != total)

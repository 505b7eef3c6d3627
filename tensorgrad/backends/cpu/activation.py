"""Gradients through slopes that may be infinite, and through relu, on NumPy arrays."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Primitives
from tensorgrad.dtypes import FLOATS

__all__ = ["CpuActivation"]

_MANY = 1024  # from here on selecting by bits is faster than `where`
_ZERO = {dtype: np.zeros((), dtype) for dtype in FLOATS}  # NumPy takes up an array faster than a number
_INTEGERS = {2: np.int16, 4: np.int32, 8: np.int64}


class CpuActivation(Primitives):
    """Mixin of `CpuBackend`. The usual case, in which there is nothing to mend, is told by one look for a nan.

    The sum of the squares, which no infinity can cancel, is nan where an element is, and only then unequal to itself.
    """

    @staticmethod
    def multiply_unless_zero(g: Array, slope: Array, *, out: Array | None = None) -> Array:
        product = np.multiply(g, slope)
        total = np.vdot(product, product)
        if total != total:
            product = np.asarray(product)
            np.copyto(product, 0, where=np.equal(g, 0) & ~np.isfinite(slope))
        return product if out is None else into(out, product)

    @staticmethod
    def divide_unless_zero(g: Array, y: Array, *, out: Array | None = None) -> Array:
        quotient = np.divide(g, y)
        total = np.vdot(quotient, quotient)
        if total != total:
            quotient = np.asarray(quotient)
            np.copyto(quotient, 0, where=np.equal(g, 0) & np.equal(y, 0))
        return quotient if out is None else into(out, quotient)

    @staticmethod
    def relu(x: Array, *, out: Array | None = None) -> Array:
        return np.maximum(x, _ZERO.get(x.dtype, 0), out=out)

    @staticmethod
    def relu_backward(g: Array, y: Array, *, out: Array | None = None) -> Array:
        zero = _ZERO[g.dtype]
        positive = np.greater(y, zero)
        result = _selected(g, positive) if g.size > _MANY else np.where(positive, g, zero)
        return result if out is None else into(out, result)


def _selected(g: Array, chosen: Array) -> Array:
    """g where chosen, else 0, by its bits: ten times as fast as `where`, and right for a g that is not finite."""
    mask = chosen.view(np.int8)
    np.negative(mask, mask)  # all ones or all zeros
    return np.bitwise_and(g.view(_INTEGERS[g.dtype.itemsize]), mask).view(g.dtype)

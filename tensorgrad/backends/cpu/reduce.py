"""Reductions and matrix products on NumPy arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives, reduced_count
from tensorgrad.dtypes import DType, float16, float32, float64

__all__ = ["CpuReduce", "row_maxima", "row_sums"]

_add_reduce: Any = np.add.reduce
_multiply_reduce: Any = np.multiply.reduce
_maximum_reduce: Any = np.maximum.reduce
_minimum_reduce: Any = np.minimum.reduce

_SHORT_ROW = 32
_MOST_ROWS = 1 << 16  # the greatest vector of ones that is kept


class CpuReduce(LinearPrimitives, ReducePrimitives):
    """Reductions, and what BLAS does. Float16 is accumulated in float32: eleven bits lose small addends."""

    @staticmethod
    def sum(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if (axis == 0 or axis == (0,)) and _suits_blas(x) and out is None and not keepdims:
            # The sums of columns as a product with ones: 2 to 10 times as fast as NumPy's sum, and more accurate.
            return np.dot(_ones(x.shape[0], x.dtype), x)
        if x.dtype != float16:
            return _add_reduce(x, axis, None, out, keepdims)
        total = _add_reduce(x, axis, float32, out, keepdims)
        return total if out is not None else total.astype(float16)

    @staticmethod
    def prod(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if x.dtype != float16:
            return _multiply_reduce(x, axis, None, out, keepdims)
        total = _multiply_reduce(x, axis, float32, out, keepdims)
        return total if out is not None else total.astype(float16)

    @staticmethod
    def cumsum(x: Array, axis: int, *, out: Array | None = None) -> Array:
        if x.dtype != float16:
            return np.cumsum(x, axis, x.dtype, out)
        sums = np.cumsum(x, axis, float32, out)
        return sums if out is not None else sums.astype(float16)

    def mean(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        count = reduced_count(x.shape, axis)
        if out is not None or count == 0:
            return super().mean(x, axis=axis, keepdims=keepdims, out=out)
        if x.dtype != float16:
            return _add_reduce(x, axis, None, None, keepdims) / count
        return (_add_reduce(x, axis, float32, None, keepdims) / count).astype(float16)

    @staticmethod
    def max(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return _maximum_reduce(x, axis, None, out, keepdims)

    @staticmethod
    def min(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return _minimum_reduce(x, axis, None, out, keepdims)

    @staticmethod
    def any(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return np.any(x, axis=axis, keepdims=keepdims, out=out)

    @staticmethod
    def all(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return np.all(x, axis=axis, keepdims=keepdims, out=out)

    @staticmethod
    def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return np.argmax(x, axis, out, keepdims=keepdims)

    @staticmethod
    def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return np.argmin(x, axis, out, keepdims=keepdims)

    @staticmethod
    def matmul(x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype == float16:
            # NumPy has no float16 product of its own: it would run an unblocked loop and round at every step.
            result = np.matmul(x.astype(float32), y.astype(float32))
            return result.astype(float16) if out is None else into(out, result)
        if x.ndim <= 2 and y.ndim <= 2 and out is None:
            return np.dot(x, y)  # the same product, with less to decide beforehand
        return np.matmul(x, y, out=out)

    def linear(self, x: Array, weight: Array, bias: Array | None, *, out: Array | None = None) -> Array:
        if x.ndim != 2 or x.dtype == float16 or out is not None:
            return super().linear(x, weight, bias, out=out)
        product = np.dot(x, weight.T)
        return product if bias is None else np.add(product, bias, product)


def _suits_blas(x: Array) -> bool:
    return x.ndim == 2 and x.dtype in (float32, float64) and x.flags.c_contiguous and 0 < x.shape[0] <= _MOST_ROWS


def row_sums(x: Array) -> Array:
    """The sums of the rows of `x` (rows, columns), as (rows, 1)."""
    if x.dtype in (float32, float64) and x.flags.c_contiguous and 0 < x.shape[1] <= _MOST_ROWS:
        return np.dot(x, _ones(x.shape[1], x.dtype).reshape(-1, 1))
    return CpuReduce.sum(x, axis=1, keepdims=True)


def row_maxima(x: Array) -> Array:
    """The greatest element of each row of `x` (rows, columns), as (rows, 1)."""
    if x.shape[1] > _SHORT_ROW:
        return CpuReduce.max(x, axis=1, keepdims=True)
    # NumPy takes one row after another, which does not pay for short ones.
    return _maximum_reduce(x.T.copy(), 0).reshape(-1, 1)


@lru_cache(maxsize=64)
def _ones(count: int, dtype: DType) -> Array:
    return np.ones(count, dtype)

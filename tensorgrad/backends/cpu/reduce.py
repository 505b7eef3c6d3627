"""Reductions and matrix products on NumPy arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed, into
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives, reduced_count
from tensorgrad.dtypes import DType, float16, float32, float64

__all__ = ["CpuReduce", "row_maxima", "row_sums"]

_add_reduce: Any = np.add.reduce
_add_accumulate: Any = np.add.accumulate  # np.cumsum would warn in NumPy's name
_multiply_reduce: Any = np.multiply.reduce
_maximum_reduce: Any = np.maximum.reduce
_minimum_reduce: Any = np.minimum.reduce

_SHORT_ROW = 32
_MOST_ROWS = 1 << 16  # the greatest vector of ones that is kept


class CpuReduce(LinearPrimitives, ReducePrimitives):
    """Reductions, and what BLAS does. Float16 is accumulated in float32: eleven bits lose small addends."""

    def sum(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if (axis == 0 or axis == (0,)) and not keepdims and _suits_blas(x):
            # The sums of columns as a product with ones: 2 to 10 times as fast as NumPy's sum, and more accurate.
            return self._product(np.dot, _ones(x.shape[0], x.dtype), x, out)
        if x.dtype == float16:
            return self._half(_add_reduce, x, axis, keepdims, out)
        result = _add_reduce(x, axis, x.dtype, out, keepdims)
        return result if type(result) is np.ndarray else np.asarray(result)

    def prod(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if x.dtype == float16:
            return self._half(_multiply_reduce, x, axis, keepdims, out)
        return boxed(_multiply_reduce(x, axis, x.dtype, out, keepdims))

    def _half(self, reduce: Any, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array:
        if out is None:
            return boxed(reduce(x, axis, float32, None, keepdims)).astype(float16)
        return into(out, reduce(x, axis, float32, self.scratch(out.shape, float32), keepdims))

    def cumsum(self, x: Array, axis: int, *, out: Array | None = None) -> Array:
        if x.dtype != float16:
            if out is None and not x.flags.c_contiguous:
                out = np.empty(x.shape, x.dtype)  # NumPy would keep the order of the axes in memory
            return _add_accumulate(x, axis, x.dtype, out)
        if out is None:
            return _add_accumulate(x, axis, float32).astype(float16, "C")
        wide = into(self.scratch(x.shape, float32), x)
        return into(out, _add_accumulate(wide, axis, None, wide))

    def mean(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        count = reduced_count(x.shape, axis)
        if count == 0:
            return super().mean(x, axis=axis, keepdims=keepdims, out=out)
        if out is None:
            wide = float32 if x.dtype == float16 else x.dtype
            total = _add_reduce(x, axis, wide, None, keepdims) / count
            return boxed(total if wide == x.dtype else total.astype(x.dtype))
        if x.dtype != float16:
            total = _add_reduce(x, axis, x.dtype, out, keepdims)
            return np.divide(total, count, total)
        total = _add_reduce(x, axis, float32, self.scratch(out.shape, float32), keepdims)
        return into(out, np.divide(total, count, total))

    @staticmethod
    def max(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(_maximum_reduce(x, axis, None, out, keepdims))

    @staticmethod
    def min(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(_minimum_reduce(x, axis, None, out, keepdims))

    @staticmethod
    def any(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.any(x, axis=axis, keepdims=keepdims, out=out))

    @staticmethod
    def all(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.all(x, axis=axis, keepdims=keepdims, out=out))

    @staticmethod
    def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.argmax(x, axis, out, keepdims=keepdims))

    @staticmethod
    def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.argmin(x, axis, out, keepdims=keepdims))

    def matmul(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype == float16:
            return self._half_product(x, y, out)
        if x.ndim <= 2 and y.ndim <= 2:
            return self._product(np.dot, x, y, out)  # the same product, with less to decide beforehand
        return self._product(np.matmul, x, y, out)

    def _half_product(self, x: Array, y: Array, out: Array | None) -> Array:
        """NumPy has no float16 product of its own: it would run an unblocked loop and round at every step."""
        if out is None:
            return boxed(np.matmul(x.astype(float32), y.astype(float32))).astype(float16)
        x, y = (into(self.scratch(a.shape, float32), a) for a in (x, y))
        return into(out, np.matmul(x, y, out=self.scratch(out.shape, float32)))

    def linear(self, x: Array, weight: Array, bias: Array | None, *, out: Array | None = None) -> Array:
        if x.ndim != 2 or x.dtype == float16:
            return super().linear(x, weight, bias, out=out)
        product = self._product(np.dot, x, weight.T, out)
        return product if bias is None else np.add(product, bias, product)

    def _product(self, function: Any, x: Array, y: Array, out: Array | None) -> Array:
        """BLAS writes without gaps only: into another array NumPy would multiply element by element."""
        if out is None:
            return boxed(function(x, y))
        if out.flags.c_contiguous:
            function(x, y, out)
            return out
        return into(out, function(x, y, self.scratch(out.shape, out.dtype)))


def _suits_blas(x: Array) -> bool:
    return x.ndim == 2 and x.dtype in (float32, float64) and x.flags.c_contiguous and 0 < x.shape[0] <= _MOST_ROWS


def row_sums(x: Array, out: Array | None) -> Array:
    """The sums of the rows of `x` (rows, columns), as (rows, 1)."""
    if x.dtype in (float32, float64) and x.flags.c_contiguous and 0 < x.shape[1] <= _MOST_ROWS:
        return np.dot(x, _ones(x.shape[1], x.dtype).reshape(-1, 1), out)
    if x.dtype != float16:
        return _add_reduce(x, 1, None, out, True)
    return into(np.empty((len(x), 1), float16) if out is None else out, _add_reduce(x, 1, float32, None, True))


def row_maxima(x: Array, spare: Array | None, out: Array | None) -> Array:
    """The greatest element of each row of `x` (rows, columns), as (rows, 1). `spare`, of x's shape, is written over."""
    if x.shape[1] > _SHORT_ROW:
        return _maximum_reduce(x, 1, None, out, True)
    # NumPy takes one row after another, which does not pay for short ones.
    if spare is None or out is None:
        return _maximum_reduce(x.T.copy(), 0).reshape(-1, 1)
    columns = spare.reshape(-1).reshape(x.shape[::-1])
    np.copyto(columns, x.T)
    _maximum_reduce(columns, 0, None, out.reshape(-1))
    return out


@lru_cache(maxsize=64)
def _ones(count: int, dtype: DType) -> Array:
    return np.ones(count, dtype)

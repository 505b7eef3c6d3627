"""Reductions and matrix products on NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed, in_order, into
from tensorgrad.backends.cpu.sums import SHORT, CpuSums, is_long
from tensorgrad.backends.primitives import Array, Axis
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives, reduced_count
from tensorgrad.backends.primitives.results import reduced_shape
from tensorgrad.dtypes import HALF, DType, float16, float32, float64

__all__ = ["CpuReduce", "row_maxima"]

_add_reduce: Any = np.add.reduce
_add_accumulate: Any = np.add.accumulate  # np.cumsum would warn in NumPy's name
_multiply_reduce: Any = np.multiply.reduce
_maximum_reduce: Any = np.maximum.reduce
_minimum_reduce: Any = np.minimum.reduce
_any_reduce: Any = np.logical_or.reduce
_all_reduce: Any = np.logical_and.reduce

_SHORT_ROW = 32
_FEW = 512  # elements that float64 takes no more time for than float32: calls take nearly all of it
_LISTED = 64  # numbers that Python looks at in less time than NumPy
_LEAST_VARIANCE = 1e-34  # one that is less may have been made of squares without all their bits


class CpuReduce(CpuSums, LinearPrimitives, ReducePrimitives):
    """Reductions, and what BLAS does. Float16 is accumulated in float32: eleven bits lose small addends.

    The order in which the factors of a product are multiplied makes no difference to its error: `prod` is NumPy's.
    """

    def sum(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        # The hot path: no call and no look more than it takes to know that NumPy's sum is right.
        if axis is None:
            if x.itemsize == 2 or not x.flags.c_contiguous:
                return self._any_sum(x, axis, keepdims, out)
        elif (axis == 0 or axis == (0,)) and (not keepdims or x.shape[0] > SHORT) and _suits_blas(x):
            return self._column_sums(x, keepdims, out)
        elif x.itemsize == 2 or (x.ndim > 2 and not x.flags.c_contiguous):
            return self._any_sum(x, axis, keepdims, out)
        elif x.size > SHORT:
            if isinstance(axis, int):
                many = x.shape[axis]
            elif len(axis) == 1:
                many = x.shape[axis[0]]
            else:
                many = 0 if len(axis) == x.ndim and x.flags.c_contiguous else x.size
            if many > SHORT and is_long(x, axis):
                return self._long_sum(x, axis, keepdims, out)
        result = _add_reduce(x, axis, x.dtype, out, keepdims)
        return result if type(result) is np.ndarray else np.asarray(result)

    def _any_sum(self, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array:
        if x.size > SHORT and is_long(x, axis):
            return self._long_sum(x, axis, keepdims, out)
        return self._reduced(_add_reduce, x, axis, keepdims, out)

    def prod(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        if x.ndim > 2 or x.dtype.char == HALF:
            return self._reduced(_multiply_reduce, x, axis, keepdims, out)
        result = _multiply_reduce(x, axis, x.dtype, out, keepdims)
        return result if type(result) is np.ndarray else np.asarray(result)

    def _reduced(self, reduce: Any, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array:
        """By NumPy. The order in which it goes through an array depends on how `out` lies; here it does not."""
        if x.ndim > 2 and not x.flags.c_contiguous:
            shape, asked = reduced_shape(x.shape, axis, keepdims), out
            if asked is None:
                out = np.empty(shape, x.dtype)
            elif not asked.flags.c_contiguous:
                return into(asked, self._reduced(reduce, x, axis, keepdims, self.scratch(shape, x.dtype)))
        if x.dtype.char != HALF:
            result = reduce(x, axis, x.dtype, out, keepdims)
            return result if type(result) is np.ndarray else np.asarray(result)
        if out is None:
            return boxed(reduce(x, axis, float32, None, keepdims)).astype(float16)
        return into(out, reduce(x, axis, float32, self.scratch(out.shape, float32), keepdims))

    def mean(self, x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        count = reduced_count(x.shape, axis)
        if count == 0:
            return super().mean(x, axis=axis, keepdims=keepdims, out=out)
        if (axis == 0 or axis == (0,)) and (not keepdims or x.shape[0] > SHORT) and _suits_blas(x):
            total = self._column_sums(x, keepdims, out)
            return np.divide(total, count, total)
        if x.dtype.char == HALF:
            return self._half_mean(x, axis, keepdims, out, count)
        if count > SHORT and (axis is not None or not x.flags.c_contiguous) and is_long(x, axis):
            return self._long_sum(x, axis, keepdims, out, count)
        if out is None and (x.ndim <= 2 or x.flags.c_contiguous):
            return boxed(_add_reduce(x, axis, x.dtype, None, keepdims) / count)
        total = self._reduced(_add_reduce, x, axis, keepdims, out)
        return np.divide(total, count, total)

    def _half_mean(self, x: Array, axis: Axis, keepdims: bool, out: Array | None, count: int) -> Array:
        if count > SHORT and is_long(x, axis):
            return self._long_sum(x, axis, keepdims, out, count)
        shape = reduced_shape(x.shape, axis, keepdims)
        total = _add_reduce(x, axis, float32, self.scratch(shape, float32), keepdims)
        return into(np.empty(shape, float16) if out is None else out, np.divide(total, count, total))

    def var(
        self, x: Array, *, axis: Axis = None, correction: float = 0, keepdims: bool = False, out: Array | None = None
    ) -> Array:
        if x.dtype.char == HALF or not x.size:
            return super().var(x, axis=axis, correction=correction, keepdims=keepdims, out=out)
        spread = self._wide_spread if x.size <= _FEW and x.dtype == float32 else self._spread
        return _in_dtype(x.dtype, spread(x, axis, correction, keepdims, out is not None)[0], out)

    def std(
        self, x: Array, *, axis: Axis = None, correction: float = 0, keepdims: bool = False, out: Array | None = None
    ) -> Array:
        """Of float32 also where the variance, or a square, is out of its range."""
        if x.dtype.char == HALF or not x.size:
            return super().std(x, axis=axis, correction=correction, keepdims=keepdims, out=out)
        return _in_dtype(x.dtype, self._deviation(x, axis, correction, keepdims, out is not None)[0], out)

    def var_mean(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        if x.dtype.char == HALF or not x.size:
            return super().var_mean(x, axis=axis, correction=correction, keepdims=keepdims, out=out)
        spread = self._wide_spread if x.size <= _FEW and x.dtype == float32 else self._spread
        return _both_in_dtype(x.dtype, spread(x, axis, correction, keepdims, out is not None), out)

    def std_mean(
        self,
        x: Array,
        *,
        axis: Axis = None,
        correction: float = 0,
        keepdims: bool = False,
        out: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array]:
        """As `std`."""
        if x.dtype.char == HALF or not x.size:
            return super().std_mean(x, axis=axis, correction=correction, keepdims=keepdims, out=out)
        return _both_in_dtype(x.dtype, self._deviation(x, axis, correction, keepdims, out is not None), out)

    def _deviation(self, x: Array, axis: Axis, correction: float, keepdims: bool, scratch: bool) -> tuple[Array, Array]:
        """The square root of the variance, and the mean, whose shape is that of `keepdims`."""
        found = None
        if x.size > _FEW or x.dtype != float32:
            found = self._spread(x, axis, correction, keepdims, scratch)
            if x.dtype == float32 and not _is_whole(found[0]):
                found = None
        variance, centre = found or self._wide_spread(x, axis, correction, keepdims, scratch)
        return np.sqrt(variance, variance if type(variance) is np.ndarray else None), centre

    def _spread(self, x: Array, axis: Axis, correction: float, keepdims: bool, scratch: bool) -> tuple[Array, Array]:
        """The variance and the mean, whose shape is that of `keepdims`; with `scratch` in memory of the backend's."""
        kept = self.scratch(reduced_shape(x.shape, axis, True), x.dtype) if scratch else None
        centre = self.mean(x, axis=axis, keepdims=True, out=kept)
        off = np.subtract(x, centre, self.scratch(x.shape, x.dtype) if scratch else None)
        if not x.ndim:
            off = boxed(off)
        np.multiply(off, off, off)
        left = self.scratch(reduced_shape(x.shape, axis, keepdims), x.dtype) if scratch else None
        total = self.sum(off, axis=axis, keepdims=keepdims, out=left)
        return np.divide(total, max(reduced_count(x.shape, axis) - correction, 0), total), centre

    def _wide_spread(
        self, x: Array, axis: Axis, correction: float, keepdims: bool, scratch: bool
    ) -> tuple[Array, Array]:
        """As `_spread`, of float32 in float64, whose range and bits are enough for every square of a float32."""
        count = reduced_count(x.shape, axis)
        wide = into(self.scratch(x.shape, float64), x) if scratch else x.astype(float64, "C")
        kept = self.scratch(reduced_shape(x.shape, axis, True), float64) if scratch else None
        centre = _add_reduce(wide, axis, float64, kept, True)
        centre = np.divide(centre, count, kept)
        np.subtract(wide, centre, wide)
        np.multiply(wide, wide, wide)
        left = self.scratch(reduced_shape(x.shape, axis, keepdims), float64) if scratch else None
        variance = np.divide(_add_reduce(wide, axis, float64, left, keepdims), max(count - correction, 0), left)
        return variance, centre

    def cumsum(self, x: Array, axis: int, *, out: Array | None = None) -> Array:
        if x.size > SHORT and x.shape[axis] > SHORT and x.dtype.kind == "f":
            return self._long_cumsum(x, axis, np.empty(x.shape, x.dtype) if out is None else out)
        if x.dtype.char != HALF:
            if out is None and not x.flags.c_contiguous:
                out = np.empty(x.shape, x.dtype)  # NumPy would keep the order of the axes in memory
            return _add_accumulate(x, axis, x.dtype, out)
        if out is None:
            return _add_accumulate(x, axis, float32).astype(float16, "C")
        wide = into(self.scratch(x.shape, float32), x)
        return into(out, _add_accumulate(wide, axis, None, wide))

    @staticmethod
    def max(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        result = _maximum_reduce(x, axis, None, out, keepdims)
        return boxed(result) if x.ndim <= 2 or out is not None else in_order(boxed(result))

    @staticmethod
    def min(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        result = _minimum_reduce(x, axis, None, out, keepdims)
        return boxed(result) if x.ndim <= 2 or out is not None else in_order(boxed(result))

    @staticmethod
    def any(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        result = boxed(_any_reduce(x, axis, None, out, keepdims))
        return result if x.ndim <= 2 or out is not None else in_order(result)

    @staticmethod
    def all(x: Array, *, axis: Axis = None, keepdims: bool = False, out: Array | None = None) -> Array:
        result = boxed(_all_reduce(x, axis, None, out, keepdims))
        return result if x.ndim <= 2 or out is not None else in_order(result)

    @staticmethod
    def argmax(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.argmax(x, axis, out, keepdims=keepdims))

    @staticmethod
    def argmin(x: Array, *, axis: int | None = None, keepdims: bool = False, out: Array | None = None) -> Array:
        return boxed(np.argmin(x, axis, out, keepdims=keepdims))

    def matmul(self, x: Array, y: Array, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:
            return self._half_product(x, y, out)
        if x.ndim <= 2 and y.ndim <= 2:
            return self._product(np.dot, x, y, out)  # the same product, with less to decide beforehand
        return in_order(self._product(np.matmul, x, y, None)) if out is None else self._product(np.matmul, x, y, out)

    def _half_product(self, x: Array, y: Array, out: Array | None) -> Array:
        """NumPy has no float16 product of its own: it would run an unblocked loop and round at every step."""
        if out is None:
            return boxed(np.matmul(x.astype(float32), y.astype(float32))).astype(float16)
        x, y = (into(self.scratch(a.shape, float32), a) for a in (x, y))
        return into(out, np.matmul(x, y, out=self.scratch(out.shape, float32)))

    def linear(self, x: Array, weight: Array, bias: Array | None, *, out: Array | None = None) -> Array:
        if x.dtype.char == HALF:  # which _half_product would convert anyway; the bias is added before it is rounded
            wide = [None if a is None else self.astype(a, float32) for a in (x, weight, bias)]
            return self.astype(self.linear(*wide), float16, out=out)
        if x.ndim != 2:
            return super().linear(x, weight, bias, out=out)
        product = self._product(np.dot, x, weight.T, out)
        return product if bias is None else np.add(product, bias, product)

    # As the compositions: these know at one look that there is nothing to widen.
    def linear_act(
        self,
        x: Array,
        weight: Array,
        bias: Array | None,
        activation: str,
        negative_slope: float = 0.0,
        *,
        out: Array | None = None,
    ) -> Array:
        if x.dtype.char == HALF:
            return super().linear_act(x, weight, bias, activation, negative_slope, out=out)
        return self._act(self.linear(x, weight, bias), activation, negative_slope, out)

    def act_backward(
        self, g: Array, y: Array, activation: str, negative_slope: float = 0.0, *, out: Array | None = None
    ) -> Array:
        if activation == "relu":
            return self.relu_backward(g, y, out=out)
        return super().act_backward(g, y, activation, negative_slope, out=out)

    def _product(self, function: Any, x: Array, y: Array, out: Array | None) -> Array:
        """BLAS writes without gaps only: into another array NumPy would multiply element by element."""
        if out is None:
            return boxed(function(x, y))
        if out.flags.c_contiguous:
            function(x, y, out)
            return out
        return into(out, function(x, y, self.scratch(out.shape, out.dtype)))


def _is_whole(variance: Array) -> bool:
    """Whether nothing is infinite, or so small that bits of it may be lost."""
    if variance.size == 1:
        return bool(_LEAST_VARIANCE <= variance.item() < math.inf)
    if variance.size <= _LISTED:
        numbers = variance.ravel().tolist()
        return bool(min(numbers) >= _LEAST_VARIANCE and max(numbers) < math.inf)
    return bool(_minimum_reduce(variance, None) >= _LEAST_VARIANCE and _maximum_reduce(variance, None) < math.inf)


def _in_dtype(dtype: DType, x: Any, out: Array | None) -> Array:
    if out is not None:
        return into(out, x)
    return boxed(x) if x.dtype == dtype else boxed(x).astype(dtype)


def _both_in_dtype(dtype: DType, both: tuple[Any, Any], out: tuple[Array, Array] | None) -> tuple[Array, Array]:
    """Both, the second in the shape of the first."""
    first, second = out or (None, None)
    return _in_dtype(dtype, both[0], first), _in_dtype(dtype, both[1].reshape(both[0].shape), second)


def _suits_blas(x: Array) -> bool:
    return x.ndim == 2 and x.dtype in (float32, float64) and x.flags.c_contiguous and x.shape[0] > 0


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

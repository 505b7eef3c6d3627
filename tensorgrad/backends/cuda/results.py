"""CuPy's functions with NumPy's results, and where the results go of those that take no `out=`, or not ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import cupy
import numpy as np

from tensorgrad.backends.primitives import INDEX, Array, Axis
from tensorgrad.dtypes import float16, float32, int32

__all__ = [
    "accumulated",
    "along",
    "filled",
    "float_remainder",
    "given",
    "in_order",
    "of_integers",
    "position",
    "put",
    "reduced",
    "rest_of_division",
    "sorted_positions",
]

Key = tuple[Any, ...]

# What cupy's atomic add takes; every other dtype is added in a wider one.
_ATOMIC = {np.dtype(t) for t in (np.int32, np.int64, np.uint32, np.uint64, np.float16, np.float32, np.float64)}


def accumulated(function: Callable[..., Array], x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array:
    """Float16 is accumulated in float32."""
    if x.dtype != float16:
        return reduced(partial(function, dtype=x.dtype), x, axis, keepdims, out)
    return given(function(x, axis, float32, None, keepdims).astype(float16), out)


def reduced(function: Callable[..., Array], x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array:
    """CuPy's reduction, straight into an `out` that it writes to as it is: otherwise it may give it other strides."""
    if out is None or not (x.flags.c_contiguous and out.flags.c_contiguous):
        return given(in_order(function(x, axis=axis, keepdims=keepdims)), out)
    function(x, axis=axis, out=out, keepdims=keepdims)  # returns a view of it
    return out


def position(function: Callable[..., Array], x: Array, axis: int | None, keepdims: bool) -> Array:
    """Of the first extreme, or of the first nan if there is one."""
    extreme = function(x, axis, None, None, keepdims)
    if x.dtype.kind != "f":
        return extreme
    nan = cupy.isnan(x)
    return cupy.where(cupy.any(nan, axis, None, keepdims), cupy.argmax(nan, axis, None, None, keepdims), extreme)


def of_integers(x: Any, y: Any) -> bool:
    return all(v.dtype.kind != "f" if isinstance(v, cupy.ndarray) else isinstance(v, int) for v in (x, y))


def rest_of_division(x: Array, y: Array) -> tuple[Array, Array]:
    """What a division of floats leaves, with the sign of x and exact, and where that is not the sign of y."""
    rest = cupy.fmod(x, y)
    return rest, cupy.logical_and(cupy.not_equal(rest, 0), cupy.not_equal(cupy.less(rest, 0), cupy.less(y, 0)))


def float_remainder(x: Array, y: Array) -> Array:
    """Of floats, with the sign of y: exact, where CuPy's x - floor(x / y) y loses what the quotient rounds away."""
    rest, other_side = rest_of_division(x, y)
    return cupy.where(other_side, cupy.add(rest, y), rest)


def sorted_positions(x: Array, axis: int) -> Array:
    """With every nan at the end: CuPy sorts the bits of one-dimensional floats, where a negative nan is the least."""
    return cupy.argsort(x[None], 1)[0] if x.ndim == 1 and x.dtype.kind == "f" else cupy.argsort(x, axis)


def given(result: Array, out: Array | None) -> Array:
    if out is None:
        return result
    cupy.copyto(out, result, casting="unsafe")
    return out


def in_order(result: Array) -> Array:
    """`result`, or a copy of it, contiguous in C order."""
    return result if result.flags.c_contiguous else result.copy(order="C")


def filled(key: Key, indices: tuple[Array, ...]) -> Key:
    arrays = iter(indices)
    return tuple([next(arrays) if k is INDEX else k for k in key])


def along(indices: Array, axis: int) -> tuple[Array, ...]:
    """The full key of take_along_axis: `indices` at `axis`, ranges over its extent elsewhere."""
    last = indices.ndim - 1
    return tuple(
        [indices if i == axis else cupy.arange(n).reshape((n, *(1,) * (last - i))) for i, n in enumerate(indices.shape)]
    )


def put(x: Array, key: Key, values: Array, accumulate: bool) -> None:
    if not accumulate:
        x[key] = values
    elif x.dtype in _ATOMIC:
        cupy.add.at(x, key, values)
    else:
        wide = x.astype(int32)
        cupy.add.at(wide, key, values.astype(int32))
        cupy.copyto(x, wide, casting="unsafe")

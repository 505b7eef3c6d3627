"""Reductions: 0-d arrays, never scalars; no `where=`, no `initial=`.

CuPy has three ways to reduce, and they lay out what they give in different ways. CUB's functions for a device
(`cuda/cub.pyx`) take sums, products and extremes whose result has the dtype of the array. Its functions for a block
(`_core/_cub_reduction.pyx`) take the rest, where at least 128 elements are reduced into one. Both want an array without
gaps, of which dimensions at the near end are reduced. All else is done by CuPy's own kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tests.cupy_standin.array import adopt, empty, host, ndarray, view_of
from tests.cupy_standin.casting import Host, as_dtype, cast, copy_into, flush_subnormals

__all__ = ["count_nonzero", "cumprod", "cumsum", "mean", "reduction"]

Axis = Any
DType = np.dtype[Any]


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    return tuple(range(ndim)) if axis is None else tuple(normalize_axis_tuple(axis, ndim))


def _reduce(
    name: str, x: Any, compute: Callable[[Host], Host], axis: Axis, result: DType, out: Any, keepdims: bool
) -> ndarray:
    values = host(x)
    axes = _axes(axis, values.ndim)
    shape = tuple(1 if i in axes else n for i, n in enumerate(values.shape) if keepdims or i not in axes)
    by_device, fortran = _by_device(name, values, axes, result), _in_fortran_order(values, axes)
    fortran &= by_device or math.prod(values.shape[i] for i in axes) >= _FEW
    fresh = np.empty(shape, result, "F" if fortran else "C")
    target = empty(shape, result, fresh.strides) if out is None else out
    if host(target).shape != shape:
        raise ValueError("Out shape is mismatched")
    if not target.size:
        return target
    if 0 in values.shape and name not in _WITH_IDENTITY:
        raise ValueError(f"zero-size array to reduction operation cupy_{name} which has no identity")
    if out is not None and fortran and not by_device and not target.flags.f_contiguous:
        raise RuntimeError(f"cupy_{name}: CuPy would write into `out` as if it were in Fortran's order")
    with np.errstate(all="ignore"):
        copy_into(target._host, np.asarray(compute(values)).reshape(shape))
    if by_device and out is None and len(axes) == values.ndim and (keepdims or name in _POSITIONS):
        return view_of(target, target._host)
    return target


_WITH_IDENTITY = frozenset("sum prod any all count_nonzero".split())
_POSITIONS = ("argmax", "argmin")
_OF_DEVICE = ("sum", "prod", "max", "min")
_FEW = 128


def _by_device(name: str, x: Host, axes: tuple[int, ...], result: DType) -> bool:
    """Whether CUB does it with a function for the whole device; the strides of a result of many are not looked at."""
    if not (x.flags.c_contiguous or x.flags.f_contiguous):
        return False
    if name in _POSITIONS:
        return len(axes) == x.ndim and (x.dtype.kind != "b" or x.flags.f_contiguous)
    return name in _OF_DEVICE and result == x.dtype and x.dtype.kind != "b"


def _in_fortran_order(x: Host, axes: tuple[int, ...]) -> bool:
    """Whether CUB, if it does it, takes `x` as it lies, column after column, and leaves the result so."""
    leading = sorted(axes) == list(range(len(axes)))
    return x.flags.fnc and leading and 0 < len(axes) < x.ndim


# ---------------------------------------------------------------------- sums and products
def _auto(dtype: DType) -> DType:
    """The dtype of a sum or product for which none was asked."""
    return np.dtype({"b": "l", "i": "l", "u": "L"}.get(dtype.kind, dtype))


def _accumulate(name: str, x: Any, axis: Axis, dtype: Any, out: Any, keepdims: bool) -> ndarray:
    wanted = _auto(x.dtype) if dtype is None else as_dtype(dtype)
    inside = np.dtype(np.float32) if wanted.char == "e" else wanted
    ufunc: Any = {"sum": np.add, "prod": np.multiply}[name]

    def compute(values: Host) -> Host:
        axes = _axes(axis, values.ndim)
        operand = flush_subnormals(cast(values, wanted)).astype(inside, copy=False)
        return ufunc.reduce(operand, axes, inside, keepdims=keepdims)  # type: ignore[no-any-return]

    return _reduce(name, x, compute, axis, wanted, out, keepdims)


def _sum(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
    return _accumulate("sum", a, axis, dtype, out, keepdims)


def _prod(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
    return _accumulate("prod", a, axis, dtype, out, keepdims)


def mean(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
    """The sum, accumulated in float32 or wider, over the count."""
    values = host(a)
    wanted = as_dtype(dtype) if dtype is not None else np.dtype("d") if values.dtype.kind in "biu" else values.dtype
    inside = np.dtype(np.float32) if wanted.char == "e" else wanted
    count = int(np.prod([values.shape[i] for i in _axes(axis, values.ndim)], dtype=np.int64))

    def compute(x: Host) -> Host:
        total: Any = np.sum(x.astype(inside), _axes(axis, x.ndim), keepdims=keepdims)
        return total / inside.type(count)  # type: ignore[no-any-return]

    return _reduce("sum", a, compute, axis, wanted, out, keepdims)


# ---------------------------------------------------------------------- extremes
def _extreme(name: str) -> Callable[..., ndarray]:
    ufunc: Any = {"max": np.maximum, "min": np.minimum}[name]

    def reduce(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> ndarray:
        if name == "min" and out is not None and (a.flags.c_contiguous or a.flags.f_contiguous):
            # CuPy hands CUB the output where it takes a dtype, and there it is compared with one.
            raise TypeError("operand type(s) all returned NotImplemented from __array_ufunc__(<ufunc 'equal'>, ...)")

        def compute(x: Host) -> Host:
            return ufunc.reduce(x, _axes(axis, x.ndim), keepdims=keepdims)  # type: ignore[no-any-return]

        return _reduce(name, a, compute, axis, a.dtype, out, keepdims)

    return reduce


def _position(name: str) -> Callable[..., ndarray]:
    """Of several nan any may be taken, so here it is the last."""
    function: Any = {"argmax": np.argmax, "argmin": np.argmin}[name]

    def last_nan(x: Host, axis: Axis, keepdims: bool) -> Host:
        backwards: Any = np.argmax(np.flip(np.isnan(x), axis), axis, keepdims=keepdims)
        return (x.size if axis is None else x.shape[axis]) - 1 - backwards  # type: ignore[no-any-return]

    def find(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        if isinstance(axis, tuple):
            raise NotImplementedError(f"{name}: CuPy alone takes a tuple of axes, and NumPy does not")
        wanted = np.dtype(np.int64) if dtype is None else as_dtype(dtype)

        def compute(x: Host) -> Host:
            found: Host = function(x, axis, keepdims=keepdims)
            if x.dtype.kind != "f":
                return found
            return np.where(np.isnan(x).any(axis, keepdims=keepdims), last_nan(x, axis, keepdims), found)

        return _reduce(name, a, compute, axis, wanted, out, keepdims)

    return find


def _truth(name: str) -> Callable[..., ndarray]:
    function: Any = {"any": np.any, "all": np.all}[name]

    def decide(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> ndarray:
        def compute(x: Host) -> Host:
            return function(x, axis=_axes(axis, x.ndim), keepdims=keepdims)  # type: ignore[no-any-return]

        return _reduce(name, a, compute, axis, np.dtype(bool), out, keepdims)

    return decide


def count_nonzero(a: Any, axis: Axis = None) -> ndarray:
    """As an int64 array, also where the answer is one number."""
    return _reduce(
        "count_nonzero",
        a,
        lambda x: np.asarray(np.count_nonzero(x, axis=_axes(axis, x.ndim))),
        axis,
        np.dtype(np.int64),
        None,
        False,
    )


reduction: dict[str, Callable[..., ndarray]] = {
    "sum": _sum,
    "prod": _prod,
    "mean": mean,
    **{name: _extreme(name) for name in ("max", "min")},
    **{name: _position(name) for name in ("argmax", "argmin")},
    **{name: _truth(name) for name in ("any", "all")},
    "amax": _extreme("max"),
    "amin": _extreme("min"),
}


# ---------------------------------------------------------------------- running sums and products
def _scan(ufunc: np.ufunc, a: Any, axis: int | None, dtype: Any, out: Any) -> ndarray:
    """In the dtype of the result, float16 too; where `out` is given, in its dtype, and `dtype` is not looked at.

    CuPy works in a fresh array, or in `out` if that has no gaps, and gives a view of it. Where the axis cannot be the
    last of two dimensions without a copy, it gives a view of that copy, or `out` after all.
    """
    values = host(a)
    wanted = out.dtype if out is not None else _auto(values.dtype) if dtype is None else as_dtype(dtype)
    operand = cast(values, wanted)
    operand, axis = (operand.ravel(), 0) if axis is None else (operand, normalize_axis_index(axis, values.ndim))
    target = empty(operand.shape, wanted) if out is None else out
    with np.errstate(all="ignore"):
        copy_into(host(target).reshape(operand.shape), ufunc.accumulate(operand, axis, wanted))
    if not (target.flags.c_contiguous or target.flags.f_contiguous):
        return target
    moved = np.moveaxis(target._host, axis, -1)
    if np.may_share_memory(moved.reshape(-1, moved.shape[-1]) if moved.size else moved, moved):
        return view_of(target, target._host)
    if out is not None:
        return target
    copied = adopt(moved)
    return view_of(copied, np.moveaxis(copied._host, -1, axis))


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    return _scan(np.add, a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    return _scan(np.multiply, a, axis, dtype, out)

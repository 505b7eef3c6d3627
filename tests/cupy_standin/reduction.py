"""Reductions: 0-d arrays, never scalars; no `where=`, no `initial=`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tests.cupy_standin.array import empty, host, ndarray
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
    target = empty(shape, result) if out is None else out
    if host(target).shape != shape:
        raise ValueError("Out shape is mismatched")
    if not target.size:
        return target
    if 0 in values.shape and name not in _WITH_IDENTITY:
        raise ValueError(f"zero-size array to reduction operation cupy_{name} which has no identity")
    with np.errstate(all="ignore"):
        copy_into(target._host, np.asarray(compute(values)).reshape(shape))
    return target


_WITH_IDENTITY = frozenset("sum prod any all count_nonzero".split())


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
        def compute(x: Host) -> Host:
            return ufunc.reduce(x, _axes(axis, x.ndim), keepdims=keepdims)  # type: ignore[no-any-return]

        return _reduce(name, a, compute, axis, a.dtype, out, keepdims)

    return reduce


def _position(name: str) -> Callable[..., ndarray]:
    function: Any = {"argmax": np.argmax, "argmin": np.argmin}[name]

    def find(a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False) -> ndarray:
        if isinstance(axis, tuple):
            raise NotImplementedError(f"{name}: CuPy alone takes a tuple of axes, and NumPy does not")
        wanted = np.dtype(np.int64) if dtype is None else as_dtype(dtype)
        return _reduce(name, a, lambda x: function(x, axis, keepdims=keepdims), axis, wanted, out, keepdims)

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
    """In the dtype of the result, float16 too; where `out` is given, in its dtype, and `dtype` is not looked at."""
    values = host(a)
    wanted = out.dtype if out is not None else _auto(values.dtype) if dtype is None else as_dtype(dtype)
    operand = cast(values, wanted)
    operand, axis = (operand.ravel(), 0) if axis is None else (operand, normalize_axis_index(axis, values.ndim))
    target = empty(operand.shape, wanted) if out is None else out
    with np.errstate(all="ignore"):
        copy_into(host(target).reshape(operand.shape), ufunc.accumulate(operand, axis, wanted))
    return target


def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    return _scan(np.add, a, axis, dtype, out)


def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> ndarray:
    return _scan(np.multiply, a, axis, dtype, out)

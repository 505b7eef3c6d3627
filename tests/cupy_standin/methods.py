"""The operators and methods of `cupy.ndarray` that are functions too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from tests.cupy_standin import indexing, manipulation
from tests.cupy_standin.array import Gap, host, ndarray
from tests.cupy_standin.creation import asarray
from tests.cupy_standin.exchange import dlpack
from tests.cupy_standin.reduction import count_nonzero, cumprod, cumsum, reduction
from tests.cupy_standin.surface import Surface
from tests.cupy_standin.ufunc import ufunc

__all__ = ["attach"]

Method = Callable[..., Any]
_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "true_divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
_COMPARISON = {
    "lt": "less",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def attach(ufuncs: dict[str, ufunc], surface: Surface) -> None:
    """Give the class its operators and methods; the gaps in it are named as gaps."""
    methods: dict[str, Any] = {}
    for name, of in _BINARY.items():
        methods[f"__{name}__"], methods[f"__r{name}__"], methods[f"__i{name}__"] = _binary(ufuncs[of])
    methods |= {f"__{name}__": _comparison(ufuncs[of]) for name, of in _COMPARISON.items()}
    methods |= {f"__{name}__": _unary(ufuncs[of]) for name, of in _UNARY.items()}
    methods |= METHODS | {"clip": _clip(ufuncs["clip"])}
    for name, method in methods.items():
        setattr(ndarray, name, method)
    members = surface["classes"]["cupy.ndarray"]

    def missing(self: ndarray, name: str) -> NoReturn:
        if name in members:
            raise Gap("ndarray", name)
        raise AttributeError(f"'ndarray' object has no attribute {name!r}")

    setattr(ndarray, "__getattr__", missing)  # noqa: B010


# ---------------------------------------------------------------------- operators
def _binary(function: ufunc) -> tuple[Method, Method, Method]:
    def forward(self: ndarray, other: Any) -> Any:
        return function(self, other)

    def reverse(self: ndarray, other: Any) -> Any:
        return function(other, self)

    def in_place(self: ndarray, other: Any) -> Any:
        return function(self, other, self)

    return forward, reverse, in_place


def _unary(function: ufunc) -> Method:
    def apply(self: ndarray) -> Any:
        return function(self)

    return apply


def _comparison(function: ufunc) -> Method:
    def compare(self: ndarray, other: Any) -> Any:
        if isinstance(other, np.ndarray) and other.ndim == 0:
            other = other.item()
        plain: Any = type(other).__eq__
        if other is None or plain is object.__eq__:
            if function.__name__ not in ("equal", "not_equal"):
                return NotImplemented
            return asarray(np.full(self.shape, function.__name__ == "not_equal"))
        return function(self, other)

    return compare


def _clip(function: ufunc) -> Method:
    def clip(self: ndarray, min: Any = None, max: Any = None, out: Any = None) -> Any:
        return clip_function(function)(self, min, max, out)

    return clip


def clip_function(function: ufunc) -> Method:
    """`cupy.clip`: a missing bound is the extreme of the dtype."""

    def clip(a: Any, a_min: Any, a_max: Any, out: Any = None) -> Any:
        dtype = host(a).dtype
        limits: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
        low = a_min if a_min is not None else dtype.type("-inf") if dtype.kind == "f" else limits.min
        high = a_max if a_max is not None else dtype.type("inf") if dtype.kind == "f" else limits.max
        return function(a, low, high, out=out)

    return clip


# ---------------------------------------------------------------------- methods
def _matmul(self: ndarray, other: Any) -> Any:
    return manipulation.matmul(self, other)


def _rmatmul(self: ndarray, other: Any) -> Any:
    return manipulation.matmul(other, self)


def _reshape(self: ndarray, *shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    wanted = shape[0] if len(shape) == 1 else shape
    return manipulation.reshape(
        self, tuple(wanted) if isinstance(wanted, (tuple, list)) else (wanted,), order, copy=copy
    )


def _transpose(self: ndarray, *axes: Any) -> Any:
    wanted = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))) else axes
    return manipulation.transpose(self, tuple(wanted) if wanted else None)


def _flatten(self: ndarray, order: str = "C") -> Any:
    return manipulation.ravel(self.copy(), order)


def _argmax(self: ndarray, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return reduction["argmax"](self, axis, dtype, out, keepdims)


def _argmin(self: ndarray, axis: Any = None, out: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return reduction["argmin"](self, axis, dtype, out, keepdims)


def _put(self: ndarray, indices: Any, values: Any, mode: str = "wrap") -> None:
    indexing.put(self, indices, values, mode)


def _scatter_add(self: ndarray, slices: Any, value: Any) -> None:
    indexing.scatter(self, slices, value, "add")


def _scatter_max(self: ndarray, slices: Any, value: Any) -> None:
    indexing.scatter(self, slices, value, "max")


def _scatter_min(self: ndarray, slices: Any, value: Any) -> None:
    indexing.scatter(self, slices, value, "min")


METHODS: dict[str, Any] = {
    "__dlpack__": dlpack,
    "__getitem__": indexing.getitem,
    "__setitem__": indexing.setitem,
    "__matmul__": _matmul,
    "__rmatmul__": _rmatmul,
    "_scatter_op": indexing.scatter,
    "argmax": _argmax,
    "argmin": _argmin,
    "argsort": manipulation.argsort,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "diagonal": manipulation.diagonal,
    "dot": manipulation.dot,
    "flatten": _flatten,
    "nonzero": indexing.nonzero,
    "put": _put,
    "ravel": manipulation.ravel,
    "repeat": manipulation.repeat,
    "reshape": _reshape,
    "scatter_add": _scatter_add,
    "scatter_max": _scatter_max,
    "scatter_min": _scatter_min,
    "squeeze": manipulation.squeeze,
    "swapaxes": manipulation.swapaxes,
    "take": indexing.take,
    "transpose": _transpose,
    **{name: reduction[name] for name in "sum prod mean max min any all".split()},
}
FUNCTIONS: dict[str, Any] = {
    "count_nonzero": count_nonzero,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "nonzero": indexing.nonzero,
    "put": indexing.put,
    "put_along_axis": indexing.put_along_axis,
    "take": indexing.take,
    "take_along_axis": indexing.take_along_axis,
    **reduction,
}

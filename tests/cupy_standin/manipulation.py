"""Shapes, joining, sorting and matrix products."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from tests.cupy_standin.array import adopt, empty, host, ndarray, view_of
from tests.cupy_standin.casting import Host, as_dtype, cast, copy_into

__all__ = ["MANIPULATION", "argsort", "matmul", "reshape"]

Axes = Any


def _view(function: Callable[..., Host]) -> Callable[..., ndarray]:
    """A function that shows an array in another way."""

    def show(a: Any, *args: Any) -> ndarray:
        return view_of(a, function(host(a), *args))

    return show


_expand_dims = _view(np.expand_dims)
_moveaxis = _view(np.moveaxis)
_squeeze = _view(np.squeeze)
_swapaxes = _view(np.swapaxes)
_transpose = _view(np.transpose)
_flip = _view(np.flip)


def broadcast_to(array: Any, shape: Any) -> ndarray:
    """The view looks writable, as in CuPy."""
    values = np.broadcast_to(host(array), shape)
    return view_of(array, np.lib.stride_tricks.as_strided(host(array), values.shape, values.strides, writeable=True))


def reshape(a: Any, newshape: Any, order: str = "C", *, copy: bool | None = None) -> ndarray:
    """A view where that is possible."""
    values = host(a)
    wanted = newshape if isinstance(newshape, tuple) else tuple(int(n) for n in np.atleast_1d(newshape))
    _check_size(values.shape, wanted)
    result = values.reshape(wanted, order=order)  # type: ignore[call-overload]
    shared = values.size == 0 or np.may_share_memory(result, values)
    if not shared and copy is False:
        raise ValueError("Unable to avoid creating a copy while reshaping.")
    return view_of(a, result) if shared and not copy else _ordered(result, order)


def _check_size(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    known = math.prod(n for n in wanted if n >= 0)
    unknown = sum(n < 0 for n in wanted)
    size = math.prod(shape)
    if unknown > 1:
        raise ValueError("can only specify one unknown dimension")
    if (size != known) if not unknown else (known == 0 or size % known):
        raise ValueError(f"cannot reshape array of size {size} into shape {wanted}")


def _ordered(values: Host, order: str) -> ndarray:
    result = empty(values.shape, values.dtype, values.strides if order == "F" and values.size else None)
    np.copyto(result._host, values)
    return result


def ravel(a: Any, order: str = "C") -> ndarray:
    return reshape(a, (-1,) if a.size else (0,), order)


def transpose(a: Any, axes: Axes = None) -> ndarray:
    return _transpose(a, axes)


def expand_dims(a: Any, axis: Axes) -> ndarray:
    return _expand_dims(a, axis)


def squeeze(a: Any, axis: Axes = None) -> ndarray:
    return _squeeze(a, axis)


def swapaxes(a: Any, axis1: int, axis2: int) -> ndarray:
    return _swapaxes(a, axis1, axis2)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> ndarray:
    """A view that can be written; memory of its own where it has no elements."""
    values = np.diagonal(host(a), offset, axis1, axis2)
    if values.size == 0:
        return empty(values.shape, values.dtype)
    values.flags.writeable = host(a).flags.writeable
    return view_of(a, values)


def moveaxis(a: Any, source: Axes, destination: Axes) -> ndarray:
    return _moveaxis(a, source, destination)


def flip(a: Any, axis: Axes = None) -> ndarray:
    return _flip(a, None if axis is None else normalize_axis_tuple(axis, a.ndim))


def atleast_1d(*arys: Any) -> Any:
    made = [reshape(a, (1,)) if a.ndim == 0 else a for a in arys]
    return made[0] if len(made) == 1 else made


def repeat(a: Any, repeats: Any, axis: int | None = None) -> ndarray:
    if isinstance(repeats, np.ndarray):
        raise TypeError("'repeats' does not accept numpy.ndarray; convert with cupy.array() first")
    return adopt(np.repeat(host(a), host(repeats) if isinstance(repeats, ndarray) else repeats, axis))


# ---------------------------------------------------------------------- joining
def concatenate(
    tup: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> ndarray:
    """Of arrays of the device only, none of them 0-d."""
    arrays = [host(a) for a in tup]
    if not arrays:
        raise ValueError("Cannot concatenate from empty tuple")
    if axis is None:
        arrays, axis = [a.ravel() for a in arrays], 0
    if any(a.ndim == 0 for a in arrays):
        raise TypeError("zero-dimensional arrays cannot be concatenated")
    if out is not None and dtype is not None:
        raise TypeError("concatenate() only takes `out` or `dtype` as an argument, but both were provided.")
    wanted = out.dtype if out is not None else as_dtype(dtype or reduce(np.promote_types, [a.dtype for a in arrays]))
    for a in arrays:
        if not np.can_cast(a.dtype, wanted, casting):
            raise TypeError(f"Cannot cast array data from {a.dtype} to {wanted} according to the rule {casting!r}")
    values = np.concatenate([cast(a, wanted) for a in arrays], normalize_axis_index(axis, arrays[0].ndim))
    if out is None:
        return adopt(values)
    if host(out).shape != values.shape:
        raise ValueError("Output array is the wrong shape")
    np.copyto(out._host, values)
    return out  # type: ignore[no-any-return]


def stack(tup: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> ndarray:
    return concatenate([expand_dims(x, axis) for x in tup], axis, out, dtype=dtype, casting=casting)


# ---------------------------------------------------------------------- sorting
def _check_kind(kind: str | None) -> None:
    if kind not in (None, "stable"):
        raise ValueError(f"kind can only be None or 'stable', got {kind!r}")


def argsort(a: Any, axis: int | None = -1, kind: str | None = None) -> ndarray:
    """Along another axis than the last the result is a transposed view; of a 0-d array it is 1-d. As CuPy's."""
    _check_kind(kind)
    values = np.atleast_1d(host(a))
    values, axis = (values.ravel(), 0) if axis is None else (values, normalize_axis_index(axis, values.ndim))
    keys = _by_bits(values) if values.ndim == 1 else values
    found = adopt(np.argsort(np.moveaxis(keys, axis, -1), -1, kind="stable"))
    return found if axis == values.ndim - 1 else view_of(found, np.moveaxis(found._host, -1, axis))


def sort(a: Any, axis: int | None = -1, kind: str | None = None) -> ndarray:
    _check_kind(kind)
    if a.ndim == 0:
        raise np.exceptions.AxisError("Sorting arrays with the rank of zero is not supported")
    if a.ndim == 1:
        return adopt(host(a)[np.argsort(_by_bits(host(a)), kind="stable")])
    return adopt(np.sort(host(a), axis, kind="stable"))


def _by_bits(values: Host) -> Host:
    """Integers in the order in which a radix sort puts floats: both zeros are one, a nan with its sign set comes first.

    CuPy sorts one-dimensional float32 and float64 so; everything else by comparing, with every nan at the end.
    """
    if values.dtype.char not in "fd":
        return values
    bits: Host = (values + 0).view(f"i{values.itemsize}")
    return np.where(bits < 0, np.bitwise_xor(bits, np.iinfo(bits.dtype).max), bits)


# ---------------------------------------------------------------------- products
def matmul(
    *args: Any,
    axes: Any = None,
    axis: Any = None,
    keepdims: bool = False,
    casting: str = "same_kind",
    dtype: Any = None,
    signature: Any = None,
    order: str = "K",
    out: Any = None,
) -> ndarray:
    """float16 is multiplied and added in float32, and rounded once."""
    if (axes, axis, keepdims, casting, dtype, signature, order) != (None, None, False, "same_kind", None, None, "K"):
        raise NotImplementedError("matmul: the stand-in takes out= and nothing else")
    if len(args) != 2:
        raise ValueError(f"According to `signature`, `func` requires 2 arguments, but {len(args)} given")
    x, y = map(host, args)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("Scalar operands are not allowed, use '*' instead")
    wanted = np.promote_types(x.dtype, y.dtype)
    inside = np.dtype(np.float32) if wanted.char == "e" else wanted
    with np.errstate(all="ignore"):
        result = np.asarray(np.matmul(x.astype(inside), y.astype(inside))).astype(wanted)
    if out is None:
        return adopt(result)
    if host(out).shape != result.shape:
        raise ValueError(f"Output array has an invalid shape {out.shape}, expected {result.shape}")
    if not np.can_cast(wanted, out.dtype, "same_kind"):
        raise TypeError(f"Cannot cast matmul output from {wanted} to {out.dtype}")
    copy_into(out._host, result)
    return out  # type: ignore[no-any-return]


def dot(a: Any, b: Any, out: Any = None) -> ndarray:
    if out is not None and np.result_type(a.dtype, b.dtype) != out.dtype:
        raise ValueError("Not supported dtype combination.")
    if out is not None and not out.flags.c_contiguous:
        raise ValueError("Output array must be C-contiguous")
    if a.ndim > 2 or b.ndim > 2:
        raise NotImplementedError("dot: the stand-in takes at most two dimensions")
    return matmul(a, b, out=out)


# ---------------------------------------------------------------------- questions
def result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*(a.dtype if isinstance(a, ndarray) else a for a in arrays_and_dtypes))


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(from_.dtype if isinstance(from_, ndarray) else from_, to, casting)


def may_share_memory(a: Any, b: Any, max_work: Any = None) -> bool:
    """Not seen where one of them came from another library: each import has its own place where its memory begins."""
    if max_work is not None:
        raise NotImplementedError("Only supported for `max_work` is `None`")
    return a._memory.ptr == b._memory.ptr and bool(np.may_share_memory(host(a), host(b)))


def ndim(a: Any) -> int:
    return a.ndim if isinstance(a, ndarray) else np.ndim(a)


def get_array_module(*args: Any) -> Any:
    import cupy

    return cupy if any(isinstance(a, ndarray) for a in args) else np


MANIPULATION: dict[str, Any] = {
    f.__name__: f
    for f in [
        *(argsort, atleast_1d, broadcast_to, can_cast, concatenate, diagonal, dot, expand_dims, flip, get_array_module),
        *(matmul, may_share_memory, moveaxis, ndim, ravel, repeat, reshape, result_type, sort, squeeze, stack),
        *(swapaxes, transpose),
    ]
}

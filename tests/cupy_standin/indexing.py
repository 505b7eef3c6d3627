"""Indexing as CuPy does it: indices out of range wrap, and of duplicates in an assignment anyone may win."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from tests.cupy_standin.array import adopt, empty, host, ndarray, view_of
from tests.cupy_standin.casting import Host, arbitrary, cast, copy_into
from tests.cupy_standin.creation import array

__all__ = ["getitem", "put", "put_along_axis", "scatter", "setitem", "take", "take_along_axis"]

Key = tuple[Any, ...]


def getitem(x: ndarray, key: Any) -> ndarray:
    """A view for a basic key; a copy in C order for one with arrays."""
    parts, advanced = _prepared(x, key)
    return adopt(x._host[parts]) if advanced else view_of(x, _basic(x, parts))


def setitem(x: ndarray, key: Any, value: Any) -> None:
    parts, advanced = _prepared(x, key)
    if advanced:
        _assign(x, parts, value)
    elif isinstance(value, ndarray):
        copy_into(_basic(x, parts), _without_leading_ones(host(value)))
    else:
        view_of(x, _basic(x, parts)).fill(value)


def scatter(x: ndarray, key: Any, value: Any, op: str) -> None:
    """x[key] = op(x[key], value), where every duplicate counts, in any order."""
    parts, advanced = _prepared(x, key)
    ufunc, allowed = _SCATTERS[op]
    if not advanced:
        region = _basic(x, parts)
        ufunc(region, _of_dtype(value, x.dtype), out=region, casting="unsafe")
        return
    places, values = _pairs(x, parts, value)
    if x.dtype.char not in allowed and not any(_is_mask(p) for p in parts):
        raise TypeError(f"cupy.{ufunc.__name__}.at only supports {allowed} as data type, got {x.dtype}")
    flat = x._host.reshape(-1)
    with np.errstate(all="ignore"):
        ufunc.at(flat, places, values)
    if not np.shares_memory(flat, x._host):
        x._host[...] = flat.reshape(x.shape)


_BITS = "ilqILQ"
_SCATTERS: dict[str, tuple[np.ufunc, str]] = {
    "add": (np.add, _BITS + "efd"),
    "sub": (np.subtract, "iI"),
    "max": (np.maximum, _BITS + "fd"),
    "min": (np.minimum, _BITS + "fd"),
    "and": (np.bitwise_and, _BITS),
    "or": (np.bitwise_or, _BITS),
    "xor": (np.bitwise_xor, _BITS),
}


# ---------------------------------------------------------------------- the key
def _prepared(x: ndarray, key: Any) -> tuple[Key, bool]:
    """The key for the host array, and whether it has arrays in it."""
    host(x)
    parts = list(key) if isinstance(key, tuple) else [key]
    parts = [_part(p) for p in parts]
    advanced = any(isinstance(p, np.ndarray) for p in parts)
    used = sum(_width(p) for p in parts)
    if used > x.ndim:
        raise IndexError(f"too many indices for array: array is {x.ndim}-dimensional, but {used} were indexed")
    return tuple(_wrapped(x.shape, parts)) if advanced else tuple(parts), advanced


def _part(part: Any) -> Any:
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, ndarray):
        values = host(part)
    elif np.isscalar(part) and not isinstance(part, (bool, np.bool_)):
        return _integer(part)
    else:  # lists, NumPy arrays and bools go to the device first
        values = array(part)._host
        values = values.astype(np.int32) if isinstance(part, (list, tuple)) and not values.size else values
    if values.dtype.kind not in "biu":
        raise IndexError(f"arrays used as indices must be of integer or boolean type. (actual: {values.dtype.type})")
    return values


def _integer(part: Any) -> int:
    if not isinstance(part, (int, np.integer)):
        raise IndexError(f"only integers, slices, ellipsis, None and arrays are valid indices, got {part!r}")
    return int(part)


def _is_mask(part: Any) -> bool:
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def _width(part: Any) -> int:
    """How many dimensions a part of the key takes."""
    return 0 if part is None or part is Ellipsis else part.ndim if _is_mask(part) else 1


def _wrapped(shape: tuple[int, ...], parts: list[Any]) -> list[Any]:
    """The key with the indices of its integer arrays brought into range."""
    axis, done = 0, []
    rest = len(shape) - sum(_width(p) for p in parts)
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype.kind in "iu":
            part = _modulo(part, shape[axis])
        elif isinstance(part, int) and not -shape[axis] <= part < shape[axis]:
            raise IndexError(f"Index {part} is out of bounds for axis {axis} with size {shape[axis]}")
        done.append(part)
        axis += rest if part is Ellipsis else _width(part)
    return done


def _modulo(indices: Host, size: int) -> Host:
    if size == 0:
        return indices.astype(np.int64)
    unsigned = indices.dtype == np.uint64
    return (indices % np.uint64(size)).astype(np.int64) if unsigned else indices.astype(np.int64) % size


def _basic(x: ndarray, parts: Key) -> Host:
    # The Ellipsis keeps NumPy from giving a scalar.
    return x._host[parts if Ellipsis in parts else (*parts, ...)]


# ---------------------------------------------------------------------- writing by arrays
def _assign(x: ndarray, parts: Key, value: Any) -> None:
    places, values = _pairs(x, parts, value)
    if np.size(x._host) and x._host.flags.c_contiguous:
        x._host.reshape(-1)[places] = values
    elif np.size(x._host):
        x._host.flat[places] = values


def _pairs(x: ndarray, parts: Key, value: Any) -> tuple[Host, Host]:
    """Positions in the flat array and what to put there, in random order: the last of duplicates is a random one."""
    positions = np.arange(x.size).reshape(x.shape)[parts]
    spread = np.broadcast_to(_without_leading_ones(_of_dtype(value, x.dtype)), positions.shape)
    order = arbitrary.permutation(positions.size)
    return positions.reshape(-1)[order], spread.reshape(-1)[order]


def _of_dtype(value: Any, dtype: Any) -> Host:
    return cast(host(value), dtype) if isinstance(value, ndarray) else array(value, dtype)._host


def _without_leading_ones(x: Host) -> Host:
    lead = next((i for i, n in enumerate(x.shape) if n != 1), x.ndim)
    return x.reshape(x.shape[lead:])


# ---------------------------------------------------------------------- functions
def take(a: Any, indices: Any, axis: int | None = None, out: Any = None) -> ndarray:
    """Indices wrap; `out` must have the dtype of `a`. There is no `mode`."""
    values = host(a)
    places = host(indices) if isinstance(indices, ndarray) else np.asarray(indices)
    if places.dtype.kind not in "iu" and places.size:
        raise TypeError(f"take: expected integer indices, got {places.dtype}")
    values, axis = (values.reshape(-1), 0) if axis is None else (np.atleast_1d(values), axis)
    axis = normalize_axis_index(axis, values.ndim)
    shape = values.shape[:axis] + places.shape + values.shape[axis + 1 :]
    target = empty(shape, values.dtype) if out is None else out
    if host(target).dtype != values.dtype:
        raise TypeError("Output dtype mismatch")
    if target.shape != shape:
        raise ValueError("Output shape mismatch")
    if values.size == 0 and target.size:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    target._host[...] = np.take(values, _modulo(places, values.shape[axis]), axis)
    return target


def take_along_axis(a: Any, indices: Any, axis: int | None) -> ndarray:
    if indices.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    a, axis = (a.ravel(), 0) if axis is None else (a, axis)
    axis = normalize_axis_index(axis, a.ndim)
    if a.ndim != indices.ndim:
        raise ValueError("`indices` and `a` must have the same number of dimensions")
    return getitem(a, _along(a.shape, indices, axis))


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    if axis is None:
        raise NotImplementedError("put_along_axis: the stand-in needs an axis")
    axis = normalize_axis_index(axis, arr.ndim)
    setitem(arr, _along(arr.shape, indices, axis), values)


def _along(shape: tuple[int, ...], indices: ndarray, axis: int) -> Key:
    """Open ranges over every dimension but `axis`."""
    ndim = len(shape)
    ranges = [np.arange(n).reshape([-1 if j == i else 1 for j in range(ndim)]) for i, n in enumerate(shape)]
    return tuple(indices if i == axis else adopt(r) for i, r in enumerate(ranges))


def put(a: Any, ind: Any, v: Any, mode: str = "wrap") -> None:
    if mode != "wrap":
        raise NotImplementedError(f"put: the stand-in has no mode {mode!r}")
    places = host(ind) if isinstance(ind, ndarray) else np.asarray(ind)
    values = np.resize(_of_dtype(v, a.dtype), places.size)
    order = arbitrary.permutation(places.size)
    a._host.flat[_modulo(places, a.size).reshape(-1)[order]] = values[order]


def nonzero(a: Any) -> tuple[ndarray, ...]:
    values = host(a)
    if values.ndim == 0:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use cp.atleast_1d(scalar).nonzero() instead.")
    found = adopt(np.argwhere(values))  # one array with a column for each dimension, as CuPy makes it
    return tuple(view_of(found, found._host[:, i]) for i in range(values.ndim))


def scatter_function(op: str) -> Callable[[Any, Any, Any], None]:
    """`cupyx.scatter_add` and its like."""

    def apply(a: Any, slices: Any, value: Any) -> None:
        scatter(a, slices, value, op)

    return apply

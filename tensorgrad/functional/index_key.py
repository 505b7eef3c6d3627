"""What users write between the brackets of `x[...]`, checked and brought to the form that ops take.

A key is taken in two steps, as PyTorch does: ints, slices, None and Ellipsis first, which gives a view; then
the index arrays and masks, which stand at dims of that view.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device
from tensorgrad.backends.device import levels_to_the_caller
from tensorgrad.backends.primitives import INDEX
from tensorgrad.dtypes import bool_, int64, type_name, uint8
from tensorgrad.errors import (
    ArgumentError,
    BoundsError,
    DeviceError,
    DTypeError,
    IndexShapeError,
    IndexTypeError,
    ShapeError,
)
from tensorgrad.functional.promotion import cast

__all__ = ["Key", "broadcast_shapes", "is_plain", "normalise_key", "view_shape", "wrapped"]

Shape = tuple[int, ...]
_ALL = slice(None)


class Key(NamedTuple):
    """A key in its two steps. `basic`: for getitem, None where it would change nothing. `places`: INDEX and
    full slices, for the result of the first step. `indices`: the index tensors, in order, not negative and
    checked."""

    basic: tuple[Any, ...] | None
    places: tuple[Any, ...]
    indices: list[Tensor]


def normalise_key(name: str, input: Tensor, key: Any) -> Key:
    """`key` as users write it, checked against `input`.

    Taken are ints, slices (also with negative steps), None, Ellipsis, bools, tensors of integers or bools,
    NumPy arrays, ranges and nested lists of them. A 0-d integer tensor is read by the host and counts as an int, as in
    PyTorch; a uint8 tensor is a mask, with a warning. Integer indices count from the end where negative. Raises
    BoundsError for an index out of range or too many of them, ShapeError for a mask that does not fit,
    DTypeError for anything else.
    """
    entries = _entries(name, key, input.device)
    basic, arrays = _first_step(name, input.array.shape, entries)
    nontrivial = any(k is not _ALL for k in basic)
    viewed = view_shape(input.array.shape, basic) if nontrivial and arrays else input.array.shape
    places, indices = _second_step(name, viewed, arrays, input.device)
    return Key(basic if nontrivial else None, places, indices)


def _entries(name: str, key: Any, device: Device) -> list[Any]:
    """The key's entries, each an int, slice, None, Ellipsis, bool or index tensor."""
    return [_entry(name, k, device) for k in (key if type(key) is tuple else (key,))]


def _entry(name: str, k: Any, device: Device) -> Any:
    if k is None or k is Ellipsis or isinstance(k, bool):
        return k
    if isinstance(k, slice):
        bounds = [_bound(name, v) for v in (k.start, k.stop, k.step)]
        return _ALL if bounds == [None, None, None] else slice(*bounds)
    if isinstance(k, (list, tuple, range, np.ndarray)):
        k = _index_array(name, k, device)
    if isinstance(k, Variable):
        if k.device is not device:
            raise DeviceError(f"{name}: the index is on {k.device}, the tensor on {device}; move it with .to(device)")
        return _index_tensor(name, k)
    if isinstance(k, np.bool_):
        return bool(k)
    try:
        return operator.index(k)
    except TypeError:
        raise IndexTypeError(
            f"{name}: an index must be an int, slice, None, Ellipsis, or a tensor, array or list of integers "
            f"or bools, got {type_name(k)}"
        ) from None


def _bound(name: str, bound: Any) -> int | None:
    try:
        return None if bound is None else operator.index(bound)
    except TypeError:
        raise DTypeError(f"{name}: the bounds of a slice must be whole numbers or None, got {bound!r}") from None


def _index_array(name: str, k: Any, device: Device) -> Tensor:
    try:
        host = np.asarray(k)
    except ValueError:
        raise ShapeError(f"{name}: a list of indices must be as long everywhere, got {k!r}") from None
    if host.dtype.kind not in "biuf":
        raise DTypeError(
            f"{name}: a list that is an index must be of integers or bools, got {k!r}; slices, None and Ellipsis "
            "stand in a tuple"
        )
    if not host.size and host.dtype != bool_:
        host = host.astype(int64)  # NumPy makes an empty list float64
    return new_tensor(device.backend.asarray(host), device)


def _index_tensor(name: str, index: Variable) -> Any:
    """An index as ops take it: bool, or int64 in which positions can be counted whatever the sizes; or, where it has no
    dimensions, what it holds."""
    dtype = index.array.dtype
    if dtype == uint8:
        warnings.warn(
            f"{name}: a uint8 index is taken for a mask, as in PyTorch; use .bool() for a mask, .long() for positions",
            UserWarning,
            stacklevel=levels_to_the_caller(),
        )
        index, dtype = cast(index, bool_), bool_
    if dtype.kind not in "ib":
        raise IndexTypeError(f"{name}: an index tensor must be of signed integers or bools, got {dtype}; use .long()")
    if not index.ndim:
        return _read_scalar(index)
    return index if dtype.kind == "b" else cast(index, int64)


def _read_scalar(index: Variable) -> Any:
    return index.device.backend.to_numpy(index.array).item()


def _consumed(k: Any) -> int:
    """How many dims of the input a key's entry stands for."""
    if k is None or k is Ellipsis or isinstance(k, bool):
        return 0
    return k.ndim if isinstance(k, Variable) and k.array.dtype.kind == "b" else 1


def _first_step(name: str, shape: Shape, entries: list[Any]) -> tuple[tuple[Any, ...], list[tuple[int, Any]]]:
    """The basic key, and for the second step each array with the dim, after that key, at which it stands."""
    free = len(shape) - sum(_consumed(k) for k in entries)
    if free < 0:
        raise BoundsError(f"{name}: too many indices, {len(shape) - free} for the {len(shape)} dims of shape {shape}")
    if sum(k is Ellipsis for k in entries) > 1:
        raise BoundsError(f"{name}: an index can have one Ellipsis (...) only")
    basic: list[Any] = []
    arrays: list[tuple[int, Any]] = []
    source = out = 0  # the dim of the input, and of the view, that comes next
    for k in entries:
        if k is Ellipsis:
            basic += [_ALL] * free
            source, out = source + free, out + free
        elif isinstance(k, (bool, Variable)):
            wide = _consumed(k)
            arrays.append((out, k))
            basic += [None] if isinstance(k, bool) else [_ALL] * wide
            source, out = source + wide, out + (1 if isinstance(k, bool) else wide)
        else:
            basic.append(_checked(name, k, source, shape))
            source, out = source + _consumed(k), out + (type(k) is not int)
    return tuple(basic), arrays


def _checked(name: str, k: Any, dim: int, shape: Shape) -> Any:
    if type(k) is int and not -shape[dim] <= k < shape[dim]:
        raise _out_of_range(name, k, dim, shape[dim])
    if type(k) is slice and k.step == 0:
        raise ArgumentError(f"{name}: the step of a slice must not be zero (dimension {dim})")
    return k


def _out_of_range(name: str, index: int, dim: int, size: int) -> BoundsError:
    return BoundsError(f"{name}: index {index} is out of range for dimension {dim} of size {size}")


def view_shape(shape: Shape, basic: tuple[Any, ...]) -> Shape:
    """The shape of x[basic], where x has `shape`."""
    sizes = iter(shape)
    found: list[int] = []
    for k in basic:
        if k is None:
            found.append(1)
            continue
        n = next(sizes)
        if type(k) is slice:
            found.append(len(range(*k.indices(n))))
    return (*found, *sizes)


def _second_step(
    name: str, shape: Shape, arrays: list[tuple[int, Any]], device: Device
) -> tuple[tuple[Any, ...], list[Tensor]]:
    places: list[Any] = []
    indices: list[Tensor] = []
    for dim, k in arrays:
        places += [_ALL] * (dim - len(places))
        found = _positions(name, k, shape, dim, device)
        places += [INDEX] * len(found)
        indices += found
    return tuple(places), indices


def _positions(name: str, k: Any, shape: Shape, dim: int, device: Device) -> list[Tensor]:
    """One index tensor for each dim that `k` stands for."""
    if isinstance(k, bool):
        return [new_tensor(device.backend.full((int(k),), 0, int64), device)]
    if k.array.dtype.kind != "b":
        return [wrapped(name, k, dim, shape[dim])]
    if k.array.shape != shape[dim : dim + k.ndim]:
        raise IndexShapeError(
            f"{name}: a mask must have the sizes of the dims it stands for, {shape[dim : dim + k.ndim]}, got {k.shape}"
        )
    return [new_tensor(found, k.device) for found in k.device.backend.nonzero(k.array)]


def wrapped(name: str, index: Tensor, dim: int, size: int) -> Tensor:
    """`index` counted from the start, checked against the size of the dim it indexes."""
    what = f"{name}: indices into dimension {dim} of size {size}"
    return new_tensor(index.device.backend.wrap_indices(index.array, size, what=what), index.device)


def broadcast_shapes(name: str, shapes: Sequence[Shape]) -> Shape:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise IndexShapeError(
            f"{name}: the shapes must broadcast with each other, got {', '.join(str(s) for s in shapes)}"
        ) from None


def is_plain(key: tuple[Any, ...], shape: Shape) -> bool:
    """Whether `key` is of Python ints, all in range, and slices of them only: no more checks then."""
    if len(key) > len(shape):
        return False
    for k, n in zip(key, shape, strict=False):
        kind = type(k)
        if kind is int:
            if not -n <= k < n:
                return False
        elif kind is not slice or k.step == 0 or not _of_ints(k):
            return False
    return True


def _of_ints(k: slice) -> bool:
    return all(v is None or type(v) is int for v in (k.start, k.stop, k.step))

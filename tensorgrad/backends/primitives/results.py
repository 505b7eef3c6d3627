"""Rules of the table: the shape and dtype of what each primitive makes, told from its arguments alone.

A rule takes the arguments of its primitive, of which it reads shapes and dtypes, and returns a `Spec`, or a tuple of
them where there are several results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from tensorgrad.dtypes import DType, bool_, float64, int64, uint32, uint64

__all__ = ["Spec", "reduced_shape"]

Shape: TypeAlias = tuple[int, ...]
Axis: TypeAlias = int | tuple[int, ...] | None
Array: TypeAlias = Any


class Spec(NamedTuple):
    """What can be told of an array without its values: all that is left of one that the tape does not keep.

    The node or the leaf that an array belongs to may stand for it, which have these attributes as well.
    """

    shape: Shape
    dtype: DType

    @property
    def ndim(self) -> int:
        return len(self.shape)


# ---------------------------------------------------------------------- elementwise
def like(x: Array, *_: Any, **__: Any) -> Spec:
    return Spec(x.shape, x.dtype)


def truth(x: Array, /) -> Spec:
    return Spec(x.shape, bool_)


def broadcast(x: Array, y: Array, /) -> Spec:
    """Of two arrays of one dtype, or of one and a Python scalar, which takes its dtype."""
    dtype: DType = x.dtype if hasattr(x, "dtype") else y.dtype
    return Spec(_broadcast(x, y), dtype)


def broadcast_truth(x: Array, y: Array, /) -> Spec:
    return Spec(_broadcast(x, y), bool_)


def chosen(condition: Array, x: Array, y: Array, /) -> Spec:
    return Spec(_broadcast(condition, x, y), broadcast(x, y).dtype)


def _broadcast(*operands: Array) -> Shape:
    shapes = [getattr(x, "shape", ()) for x in operands]
    return shapes[0] if all(s == shapes[0] for s in shapes) else np.broadcast_shapes(*shapes)


# ---------------------------------------------------------------------- reductions and products
def reduced_shape(shape: Shape, axis: Axis, keepdims: bool) -> Shape:
    """What is left of `shape` when `axis` (None: all) is reduced."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {a % len(shape) for a in axes}
    if keepdims:
        return tuple([1 if i in gone else n for i, n in enumerate(shape)])
    return tuple([n for i, n in enumerate(shape) if i not in gone])


def reduced(x: Array, /, *, axis: Axis = None, keepdims: bool = False, **_: Any) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), x.dtype)


def reduced_twice(x: Array, /, **keywords: Any) -> tuple[Spec, Spec]:
    return reduced(x, **keywords), reduced(x, **keywords)


def reduced_truth(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), bool_)


def position(x: Array, /, *, axis: int | None = None, keepdims: bool = False) -> Spec:
    return Spec(reduced_shape(x.shape, axis, keepdims), int64)


def unbroadcast(g: Array, shape: Shape) -> Spec:
    return Spec(shape, g.dtype)


def product(x: Array, y: Array, /) -> Spec:
    batch = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    return Spec((*batch, *x.shape[-2:-1], *(y.shape[-1:] if y.ndim > 1 else ())), x.dtype)


def linear(x: Array, weight: Array, *_: Any) -> Spec:
    return Spec((*x.shape[:-1], weight.shape[0]), x.dtype)


def with_bias_gradient(g: Array, *_: Any) -> tuple[Spec, Spec]:
    return Spec(g.shape, g.dtype), Spec(g.shape[-1:], g.dtype)


def total(*_: Any, **__: Any) -> Spec:
    return Spec((), float64)


# ---------------------------------------------------------------------- making and copying
def filled(shape: Shape, value: float, dtype: DType) -> Spec:
    return Spec(shape, dtype)


def uninitialised(shape: Shape, dtype: DType) -> Spec:
    return Spec(shape, dtype)


def counted(start: float, stop: float, step: float, dtype: DType) -> Spec:
    return Spec((max(0, math.ceil((stop - start) / step)),), dtype)


def converted(x: Array, dtype: DType, /) -> Spec:
    return Spec(x.shape, dtype)


# ---------------------------------------------------------------------- views
def reshaped(x: Array, shape: Shape, /) -> Spec:
    return Spec(shape, x.dtype)


def transposed(x: Array, axes: tuple[int, ...] | None = None, /) -> Spec:
    order = range(x.ndim)[::-1] if axes is None else axes
    return Spec(tuple([x.shape[a] for a in order]), x.dtype)


# ---------------------------------------------------------------------- joining, sorting, indexing
def joined(arrays: Sequence[Array], axis: int, /) -> Spec:
    first = arrays[0]
    length = sum(x.shape[axis] for x in arrays)
    return Spec((*first.shape[:axis], length, *first.shape[axis:][1:]), first.dtype)


def positions(x: Array, *_: Any, **__: Any) -> Spec:
    return Spec(x.shape, int64)


def taken(x: Array, indices: Array, axis: int, /) -> Spec:
    axis %= x.ndim
    return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def taken_along(x: Array, indices: Array, axis: int, /) -> Spec:
    return Spec(indices.shape, x.dtype)


def taken_index(x: Array, /, *indices: Array, key: tuple[Any, ...]) -> Spec:
    """NumPy's rule: the index arrays' common shape stands where they are, or first where they are not neighbours."""
    block = np.broadcast_shapes(*(i.shape for i in indices))
    whole = _spelled_out(key, x.ndim)
    advanced = [i for i, k in enumerate(whole) if not isinstance(k, slice) and k is not None]
    kept: list[int] = []
    sizes = iter(x.shape)
    place = 0
    for i, k in enumerate(whole):
        n = 1 if k is None else next(sizes)
        if i in advanced:
            place = len(kept) if i == advanced[0] else place
        else:
            kept.append(len(range(n)[k]) if isinstance(k, slice) else 1)
    if advanced != list(range(advanced[0], advanced[-1] + 1)):
        place = 0
    return Spec((*kept[:place], *block, *kept[place:]), x.dtype)


def _spelled_out(key: tuple[Any, ...], ndim: int) -> list[Any]:
    """A key with a full slice for each dimension that it leaves open."""
    named = sum(k is not None and k is not Ellipsis for k in key)
    rest = [slice(None)] * (ndim - named)
    at = next((i for i, k in enumerate(key) if k is Ellipsis), None)
    return [*key, *rest] if at is None else [*key[:at], *rest, *key[at + 1 :]]


def viewed(x: Array, key: Any, /) -> Spec:
    sizes, shape = iter(x.shape), []
    for k in _spelled_out(key if isinstance(key, tuple) else (key,), x.ndim):
        if k is None:
            shape.append(1)
        else:
            n = next(sizes)
            shape += [len(range(n)[k])] if isinstance(k, slice) else []
    return Spec(tuple(shape), x.dtype)


def diagonal(x: Array, place: tuple[int, int, int], /) -> Spec:
    offset, axis1, axis2 = place
    n, m = x.shape[axis1], x.shape[axis2]
    count = max(0, min(n, m - offset) if offset >= 0 else min(n + offset, m))
    return Spec((*[s for i, s in enumerate(x.shape) if i not in (axis1, axis2)], count), x.dtype)


def reinterpreted(x: Array, dtype: DType, /) -> Spec:
    if x.dtype.itemsize == dtype.itemsize:
        return Spec(x.shape, dtype)
    return Spec((*x.shape[:-1], x.shape[-1] * x.dtype.itemsize // dtype.itemsize), dtype)


def padded(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Spec:
    return Spec(tuple([n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)]), x.dtype)


def scattered(values: Array, *_: Array, shape: Shape, **__: Any) -> Spec:
    return Spec(shape, values.dtype)


# ---------------------------------------------------------------------- losses
def losses_and_like(logits: Array, labels: Array) -> tuple[Spec, Spec]:
    return Spec(labels.shape, logits.dtype), Spec(logits.shape, logits.dtype)


def like_second(_: Array, x: Array, *__: Array, **___: Any) -> Spec:
    return Spec(x.shape, x.dtype)


def picked(x: Array, labels: Array) -> Spec:
    return Spec(labels.shape, x.dtype)


def one_hot(labels: Array, classes: int) -> Spec:
    return Spec((labels.shape[0], classes), bool_)


# ---------------------------------------------------------------------- random numbers
def key(*_: Any) -> Spec:
    return Spec((2,), uint64)


def words32(key: Array, count: int) -> Spec:
    return Spec((count,), uint32)


def words64(key: Array, count: int) -> Spec:
    return Spec((count,), uint64)


def integers(key: Array, shape: Shape, *_: int) -> Spec:
    return Spec(shape, int64)


def numbers(key: Array, shape: Shape, dtype: DType) -> Spec:
    return Spec(shape, dtype)


def coins(key: Array, shape: Shape, p: float, dtype: DType) -> Spec:
    return Spec(shape, dtype)


def twice(x: Array, *_: Any) -> tuple[Spec, Spec]:
    return Spec(x.shape, x.dtype), Spec(x.shape, x.dtype)

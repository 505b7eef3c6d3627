"""Ops that move elements about without computing: each op's gradient stands directly above its forward.

Those marked `view` share memory with their input; all others own what they return, also where they
change nothing.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.dtypes import DType, int64
from tensorgrad.ops.layout import in_order


# ---------------------------------------------------------------------- views
@op(lambda B, g, _out, _x, shape: B.reshaped(g, _x.shape), view="maybe")
def reshape(B: Backend, x: Array, shape: Shape) -> Array:
    return B.reshaped(x, shape)


def _inverse(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    return None if axes is None else tuple(sorted(range(len(axes)), key=axes.__getitem__))


@op(lambda B, g, _out, _x, axes=None: B.transpose(g, _inverse(axes)), view="always")
def transpose(B: Backend, x: Array, axes: tuple[int, ...] | None = None) -> Array:
    return B.transpose(x, axes)


@op(lambda B, g, _out, _x, shape: B.unbroadcast(g, _x.shape), view="always")
def broadcast_to(B: Backend, x: Array, shape: Shape) -> Array:
    return B.broadcast_to(x, shape)


@op(lambda B, g, _out, _x, key: B.scatter_index(g, shape=_x.shape, key=key), view="always")
def getitem(B: Backend, x: Array, key: tuple[Any, ...]) -> Array:
    """x[key] for a basic key: ints, slices, None and Ellipsis."""
    return B.getitem(x, key)


Place = tuple[int, int, int]


@op(lambda B, g, _out, _x, place: B.scatter_diagonal(g, shape=_x.shape, place=place), view="always")
def diagonal(B: Backend, x: Array, place: Place) -> Array:
    """`place`: (offset, axis1, axis2), as the primitive takes it."""
    return B.diagonal(x, place)


@op(lambda B, g, _out, _values, shape, place: B.diagonal(g, place))
def scatter_diagonal(B: Backend, values: Array, shape: Shape, place: Place) -> Array:
    """Zeros of `shape`, with `values` on a diagonal."""
    return B.scatter_diagonal(values, shape=shape, place=place)


@op(view="always")
def reinterpret(B: Backend, x: Array, dtype: DType) -> Array:
    """The bytes of `x` as another dtype. Not differentiable."""
    return B.reinterpret(x, dtype)


# ---------------------------------------------------------------------- joining
def _along(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, stop))


def _concatenate_vjp(
    B: Backend, needs: tuple[bool, ...], g: Array, _out: Array, *_arrays: Array, axis: int
) -> list[Array | None]:
    pieces: list[Array | None] = []
    start = 0
    for need, x in zip(needs, _arrays, strict=True):
        stop = start + x.shape[axis]
        pieces.append(B.getitem(g, _along(axis, start, stop)) if need else None)
        start = stop
    return pieces


@op(joint=_concatenate_vjp)
def concatenate(B: Backend, *arrays: Array, axis: int) -> Array:
    return B.concatenate(list(arrays), axis)


def _stack_vjp(
    B: Backend, needs: tuple[bool, ...], g: Array, _out: Array, *_arrays: Array, axis: int
) -> list[Array | None]:
    lead = (slice(None),) * axis
    return [B.getitem(g, (*lead, i)) if need else None for i, need in enumerate(needs)]


@op(joint=_stack_vjp)
def stack(B: Backend, *arrays: Array, axis: int) -> Array:
    shape = arrays[0].shape
    thick = (*shape[:axis], 1, *shape[axis:])
    return B.concatenate([B.reshaped(x, thick) for x in arrays], axis)


# ---------------------------------------------------------------------- repeating
def _blocks(shape: Shape, repeats: tuple[int, ...]) -> Shape:
    """(r0, n0, r1, n1, ...): every dimension with its repeats in front of it."""
    return tuple(n for pair in zip(repeats, shape, strict=True) for n in pair)


@op(
    lambda B, g, _out, _x, repeats: B.sum(
        B.reshaped(g, _blocks(_x.shape, repeats)), axis=tuple(range(0, 2 * len(repeats), 2))
    )
)
def tile(B: Backend, x: Array, repeats: tuple[int, ...]) -> Array:
    """`x` laid side by side `repeats[i]` times along dimension i; one number for each of at least one
    dimension.
    """
    single = B.reshaped(x, _blocks(x.shape, (1,) * len(repeats)))
    filled = B.copy(B.broadcast_to(single, _blocks(x.shape, repeats)))
    return B.reshaped(filled, tuple(n * r for n, r in zip(x.shape, repeats, strict=True)))


def _runs(shape: Shape, repeats: int, axis: int) -> Shape:
    return (*shape[: axis + 1], repeats, *shape[axis + 1 :])


@op(lambda B, g, _out, _x, repeats, axis: B.sum(B.reshaped(g, _runs(_x.shape, repeats, axis)), axis=axis + 1))
def repeat(B: Backend, x: Array, repeats: int, axis: int) -> Array:
    """Every element along `axis` `repeats` times in a row."""
    single = B.reshaped(x, _runs(x.shape, 1, axis))
    filled = B.copy(B.broadcast_to(single, _runs(x.shape, repeats, axis)))
    return B.reshaped(filled, (*x.shape[:axis], x.shape[axis] * repeats, *x.shape[axis + 1 :]))


# ---------------------------------------------------------------------- margins
def _inner(shape: Shape, widths: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))


@op(lambda B, g, _out, _x, widths, value: B.getitem(g, _inner(_x.shape, widths)))
def pad(B: Backend, x: Array, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """`x` with `widths[i]` = (before, after) elements of `value` around it along each dimension i."""
    return B.pad(x, widths=widths, value=value)


# ---------------------------------------------------------------------- reordering
def _flip(B: Backend, x: Array, axes: tuple[int, ...]) -> Array:
    backwards = tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))
    return B.copy(B.getitem(x, backwards))


@op(lambda B, g, _out, _x, axes: _flip(B, g, axes))
def flip(B: Backend, x: Array, axes: tuple[int, ...]) -> Array:
    return _flip(B, x, axes)


def _roll(B: Backend, x: Array, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    for shift, axis in zip(shifts, axes, strict=True):
        n = x.shape[axis]
        cut = n - shift % n if n else 0
        if cut != n:
            x = B.concatenate([B.getitem(x, _along(axis, cut, n)), B.getitem(x, _along(axis, 0, cut))], axis)
    return x


@op(lambda B, g, _out, _x, shifts, axes: _roll(B, g, tuple(-s for s in shifts), axes))
def roll(B: Backend, x: Array, shifts: tuple[int, ...], axes: tuple[int, ...]) -> Array:
    rolled = _roll(B, x, shifts, axes)
    return B.copy(x) if rolled is x else rolled


# ---------------------------------------------------------------------- triangles
def _lower(B: Backend, shape: Shape, k: int) -> Array:
    """Whether an element of the last two dimensions lies on or below the k-th diagonal."""
    rows, columns = shape[-2:]
    row = B.reshaped(B.arange(0, rows, 1, int64), (rows, 1))
    return B.greater_equal(row, B.arange(-k, columns - k, 1, int64))


def _tril(B: Backend, x: Array, k: int) -> Array:
    return B.where(_lower(B, x.shape, k), x, B.full((), 0, x.dtype))


def _triu(B: Backend, x: Array, k: int) -> Array:
    return B.where(_lower(B, x.shape, k - 1), B.full((), 0, x.dtype), x)


@op(lambda B, g, _out, _x, k: _tril(B, g, k))
def tril(B: Backend, x: Array, k: int) -> Array:
    return in_order(B, _tril(B, x, k))  # whatever the order of the input, as PyTorch's


@op(lambda B, g, _out, _x, k: _triu(B, g, k))
def triu(B: Backend, x: Array, k: int) -> Array:
    return in_order(B, _triu(B, x, k))

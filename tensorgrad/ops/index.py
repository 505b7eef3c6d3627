"""Gathers and scatters. The gradient of each is one of the others, so that any order of gradient stays in
this file.

Index arrays are inputs, never static: a replay must see new ones. They were checked and are not negative.
`key` is a tuple of full slices and, for each index array in its turn, `INDEX` (see `backends.primitives`).
"""

from __future__ import annotations

from typing import Any

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import INDEX, Array, Shape

Key = tuple[Any, ...]


def _gather(B: Backend, x: Array, indices: tuple[Array, ...], key: Key) -> Array:
    return B.take_index(x, *indices, key=key) if indices else B.getitem(x, key)


def _zero(B: Backend, like: Array) -> Array:
    return B.full((), 0, like.dtype)


# ---------------------------------------------------------------------- by one array along one axis
@op(
    lambda B, g, _out, _x, indices, axis: B.scatter_index(
        g, indices, shape=_x.shape, key=(*(slice(None),) * axis, INDEX)
    )
)
def take(B: Backend, x: Array, indices: Array, axis: int) -> Array:
    return B.take(x, indices, axis)


# ---------------------------------------------------------------------- by arrays at any dimensions
def _take_index_vjp(B: Backend, g: Array, _out: Array, _x: Array, *indices: Array, key: Key) -> Array:
    return B.scatter_index(g, *indices, shape=_x.shape, key=key)


@op(_take_index_vjp)
def take_index(B: Backend, x: Array, *indices: Array, key: Key) -> Array:
    return B.take_index(x, *indices, key=key)


def _scatter_index_vjp(
    B: Backend, g: Array, _out: Array, _values: Array, *indices: Array, shape: Shape, key: Key
) -> Array:
    return _gather(B, g, indices, key)


@op(_scatter_index_vjp)
def scatter_index(B: Backend, values: Array, *indices: Array, shape: Shape, key: Key) -> Array:
    """Zeros of `shape` with `values`, of the shape of the region, added at `key`; duplicates add up."""
    return B.scatter_index(values, *indices, shape=shape, key=key)


def _update_index_x(
    B: Backend, g: Array, _out: Array, _x: Array, _values: Array, *indices: Array, key: Key, accumulate: bool
) -> Array:
    return g if accumulate else B.update_index(g, _zero(B, g), *indices, key=key, accumulate=False)


def _update_index_values(
    B: Backend, g: Array, _out: Array, _x: Array, _values: Array, *indices: Array, key: Key, accumulate: bool
) -> Array:
    return B.unbroadcast(_gather(B, g, indices, key), _values.shape)


@op(_update_index_x, _update_index_values)
def update_index(B: Backend, x: Array, values: Array, *indices: Array, key: Key, accumulate: bool) -> Array:
    """`x` with `values`, which broadcasts to the region, put (or added) at `key`.

    Which of several values for one place is put is not defined, and each of them gets that place's gradient.
    """
    return B.update_index(x, values, *indices, key=key, accumulate=accumulate)


# ---------------------------------------------------------------------- along one axis
@op(
    lambda B, g, _out, _x, indices, axis, unique=False: B.scatter_along_axis(
        g, indices, axis=axis, shape=_x.shape, unique=unique
    )
)
def take_along_axis(B: Backend, x: Array, indices: Array, axis: int, unique: bool = False) -> Array:
    """out[.., i, ..] = x[.., indices[.., i, ..], ..]; `unique` promises that no index comes twice along
    `axis`.
    """
    return B.take_along_axis(x, indices, axis)


@op(lambda B, g, _out, _values, indices, axis, shape, unique: B.take_along_axis(g, indices, axis))
def scatter_along_axis(B: Backend, values: Array, indices: Array, axis: int, shape: Shape, unique: bool) -> Array:
    """Zeros of `shape` with `values` added at `indices` along `axis`."""
    return B.scatter_along_axis(values, indices, axis=axis, shape=shape, unique=unique)


def _update_along_x(
    B: Backend, g: Array, _out: Array, _x: Array, _values: Array, indices: Array, axis: int, accumulate: bool
) -> Array:
    return g if accumulate else B.update_along_axis(g, _zero(B, g), indices, axis=axis, accumulate=False)


@op(
    _update_along_x,
    lambda B, g, _out, _x, _values, indices, axis, accumulate: B.unbroadcast(
        B.take_along_axis(g, indices, axis), _values.shape
    ),
)
def update_along_axis(B: Backend, x: Array, values: Array, indices: Array, axis: int, accumulate: bool) -> Array:
    """`x` with `values`, which broadcasts to `indices`' shape, put (or added) at `indices` along `axis`.

    Which of several values for one place is put is not defined, and each of them gets that place's gradient.
    """
    return B.update_along_axis(x, values, indices, axis=axis, accumulate=accumulate)


# ---------------------------------------------------------------------- not differentiable
@op()
def argsort(B: Backend, x: Array, axis: int, descending: bool = False) -> Array:
    return B.argsort(x, axis, descending=descending)


# ---------------------------------------------------------------------- by a mask
@op(
    lambda B, g, _out, _x, mask, _value: B.where(mask, _zero(B, g), g),
    lambda B, g, _out, _x, _mask, _value: None,
    lambda B, g, _out, _x, mask, _value: B.where(mask, g, _zero(B, g)),
    elementwise=True,
)
def masked_fill(B: Backend, x: Array, mask: Array, value: Array) -> Array:
    """`value` where the mask holds, else `x`: in C order whatever the order of the inputs, as in PyTorch."""
    made = B.where(mask, value, x)
    return made if B.is_contiguous(made) else B.copy(made)

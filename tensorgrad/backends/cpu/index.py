"""Indexing by arrays on the CPU: NumPy's, with its slow scatters taken the fast way round.

`np.add.at` walks a one-dimensional array about five times faster than one with rows, so a scatter that adds
is first brought to positions in the flat memory. Duplicates are added one by one, in the order they come.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed, given
from tensorgrad.backends.primitives import INDEX, Array, Primitives, Shape
from tensorgrad.backends.primitives.check import out_of_bounds, place
from tensorgrad.dtypes import bool_, int64, uint64

__all__ = ["CpuIndex"]

Key = tuple[Any, ...]


class CpuIndex(Primitives):
    """The primitives that take index arrays."""

    @staticmethod
    def take(x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        return boxed(np.take(x, indices, axis)) if out is None else np.take(x, indices, axis, out, mode="clip")

    @staticmethod
    def take_index(x: Array, *indices: Array, key: Key, out: Array | None = None) -> Array:
        return given(x[_fill(key, indices)], out)

    @staticmethod
    def put_index(x: Array, values: Array, *indices: Array, key: Key, accumulate: bool = False) -> None:
        if not accumulate:
            x[_fill(key, indices)] = values
        elif x.flags.c_contiguous and _side_by_side(key):
            _add_flat(x, _flat_block(x.shape, key, indices), values)
        else:
            np.add.at(x, _fill(key, indices), values)

    @staticmethod
    def take_along_axis(x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        return given(x[_along(x.shape, indices, axis)], out)

    @staticmethod
    def put_along_axis(x: Array, indices: Array, values: Array, axis: int, *, accumulate: bool = False) -> None:
        key = _along(x.shape, indices, axis)
        if not accumulate:
            x[key] = values
        elif x.flags.c_contiguous and indices.ndim:
            _add_flat(x, _flat_positions(x.shape, key), values)
        else:
            np.add.at(x, key, values)

    @staticmethod
    def check_bounds(indices: Array, low: int, high: int, *, what: str) -> None:
        if indices.size == 0 or (indices.min() >= low and indices.max() < high):
            return
        where = tuple(int(i) for i in np.argwhere((indices < low) | (indices >= high))[0])
        raise out_of_bounds(what, low, high, indices[where], place(where))

    def wrap_indices(self, indices: Array, size: int, *, what: str, out: Array | None = None) -> Array:
        # Read as unsigned, negative indices are huge: one pass finds that all is well.
        if indices.dtype == int64 and indices.size and np.maximum.reduce(indices.view(uint64), None) < size:
            return self.copy(indices, out=out)
        self.check_bounds(indices, -size, size, what=what)
        if out is None:
            return np.where(indices < 0, indices + size, indices)
        negative = np.less(indices, 0, self.scratch(indices.shape, bool_))
        wrapped = np.add(indices, size, self.scratch(indices.shape, indices.dtype))
        return self.where(negative, wrapped, indices, out=out)


def _fill(key: Key, indices: tuple[Array, ...]) -> Key:
    arrays = iter(indices)
    return tuple([next(arrays) if k is INDEX else k for k in key])


def _along(shape: Shape, indices: Array, axis: int) -> tuple[Array, ...]:
    """The advanced key of take_along_axis: `indices` at `axis`, open ranges over its extent elsewhere."""
    grid = np.ogrid[tuple([slice(n) for n in indices.shape])] if indices.ndim else ()
    return tuple([indices if i == axis else grid[i] for i in range(len(shape))])


# ---------------------------------------------------------------------- adding at positions
def _add_flat(x: Array, positions: Array, values: Array) -> None:
    spread = np.broadcast_to(values, positions.shape)
    np.add.at(x.reshape(-1), positions.reshape(-1), spread.reshape(-1))


def _flat_positions(shape: Shape, indices: tuple[Array, ...]) -> Array:
    """Where the elements at `indices`, one a dimension, lie in the flat memory of an array of `shape`."""
    flat = indices[0]
    for n, index in zip(shape[1:], indices[1:], strict=True):
        flat = flat * n + index
    return flat


def _side_by_side(key: Key) -> bool:
    """Whether the key's index arrays follow each other, with full slices around them."""
    places = [i for i, k in enumerate(key) if k is INDEX]
    full = all(k is INDEX or k == slice(None) for k in key)
    return full and places[-1] - places[0] == len(places) - 1


def _flat_block(shape: Shape, key: Key, indices: tuple[Array, ...]) -> Array:
    """As _flat_positions, for a key with full slices before and after the index arrays."""
    start = key.index(INDEX)
    stop = start + len(indices)
    before, after = shape[:start], shape[stop:]
    block = _flat_positions(shape[start:stop], indices)
    rows = np.arange(np.prod(before, dtype=int64)).reshape((*before, *(1,) * block.ndim))
    block = rows * np.prod(shape[start:stop], dtype=int64) + block
    columns = np.arange(np.prod(after, dtype=int64)).reshape(after)
    return block.reshape((*block.shape, *(1,) * len(after))) * columns.size + columns

"""Indexing by arrays on the CPU: NumPy's, with its slow scatters taken the fast way round.

`np.add.at` walks a one-dimensional array about five times faster than one with rows, so a scatter that adds
is first brought to positions in the flat memory. Duplicates are added one by one, in the order they come: in float64
where there are so many that they are a sum (a histogram), else in the array's dtype; float16's in float32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import boxed, in_order, into, numbered
from tensorgrad.backends.cpu.sums import SHORT
from tensorgrad.backends.primitives import INDEX, Array, Primitives, Shape
from tensorgrad.backends.primitives.check import out_of_bounds, place
from tensorgrad.dtypes import bool_, float16, float32, float64, int64, uint64

__all__ = ["CpuIndex"]

Key = tuple[Any, ...]


class CpuIndex(Primitives):
    """The primitives that take index arrays."""

    def take(self, x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        if out is None:
            return boxed(np.take(x, indices, axis))
        target = out if out.flags.c_contiguous else self.scratch(out.shape, out.dtype)
        np.take(self._without_gaps(x), self._without_gaps(indices), axis, target, mode="clip")
        return out if target is out else into(out, target)

    def _without_gaps(self, x: Array) -> Array:
        """As NumPy would make it for itself."""
        return x if x.flags.c_contiguous else into(self.scratch(x.shape, x.dtype), x)

    def take_index(self, x: Array, *indices: Array, key: Key, out: Array | None = None) -> Array:
        if out is None:
            return in_order(boxed(x[_fill(key, indices)]))
        if not (x.flags.c_contiguous and _side_by_side(key)):
            return into(out, x[_fill(key, indices)])
        positions = self._flat_block(x.shape, key, indices)
        return np.take(x.reshape(-1), positions, 0, out, "clip")

    def put_index(self, x: Array, values: Array, *indices: Array, key: Key, accumulate: bool = False) -> None:
        if not accumulate:
            x[_fill(key, indices)] = values
        elif x.flags.c_contiguous and _side_by_side(key):
            self._add_flat(x, self._flat_block(x.shape, key, indices), values)
        else:
            self._add_at(x, _fill(key, indices), values)

    def take_along_axis(self, x: Array, indices: Array, axis: int, *, out: Array | None = None) -> Array:
        key = _along(x.shape, indices, axis)
        if out is None:
            return in_order(boxed(x[key]))
        if not (x.flags.c_contiguous and indices.ndim):
            return into(out, x[key])
        return np.take(x.reshape(-1), self._flat_positions(x.shape, key, indices.shape), 0, out, "clip")

    def put_along_axis(self, x: Array, indices: Array, values: Array, axis: int, *, accumulate: bool = False) -> None:
        key = _along(x.shape, indices, axis)
        if not accumulate:
            x[key] = values
        elif x.flags.c_contiguous and indices.ndim:
            self._add_flat(x, self._flat_positions(x.shape, key, indices.shape), values)
        else:
            self._add_at(x, key, values)

    def _add_at(self, x: Array, key: Any, values: Array) -> None:
        if x.dtype != float16:
            np.add.at(x, key, values)
            return
        wide = into(self.scratch(x.shape, float32), x)
        np.add.at(wide, key, values)
        into(x, wide)

    # ------------------------------------------------------------------ positions in the flat memory
    def _add_flat(self, x: Array, positions: Array, values: Array) -> None:
        if values.shape != positions.shape or not values.flags.c_contiguous:
            values = into(self.scratch(positions.shape, x.dtype), values)
        if x.dtype.kind == "f" and positions.size > SHORT * x.size:
            wide = into(self.scratch((x.size,), float64), x.reshape(-1))
            addends = into(self.scratch((values.size,), float64), values.reshape(-1))
            np.add.at(wide, positions.reshape(-1), addends)
            into(x.reshape(-1), wide)
        else:
            self._add_at(x.reshape(-1), positions.reshape(-1), values.reshape(-1))

    def _flat_positions(self, shape: Shape, indices: tuple[Array, ...], block: Shape) -> Array:
        """Where the elements at `indices`, one a dimension, which broadcast to `block`, lie in an array of `shape`."""
        flat = into(self.scratch(block, int64), indices[0])
        for n, index in zip(shape[1:], indices[1:], strict=True):
            np.multiply(flat, n, flat)
            np.add(flat, index, flat)
        return flat

    def _flat_block(self, shape: Shape, key: Key, indices: tuple[Array, ...]) -> Array:
        """As `_flat_positions`, for a key with full slices before and after the index arrays."""
        start = key.index(INDEX)
        stop = start + len(indices)
        before, after = shape[:start], shape[stop:]
        common = indices[0].shape if len(indices) == 1 else np.broadcast_shapes(*(i.shape for i in indices))
        block = self._flat_positions(shape[start:stop], indices, common)
        rows, columns = _counted(before), _counted(after)
        flat = self.scratch((*before, *common, *after), int64)
        np.multiply(block.reshape((*common, *(1,) * len(after))), columns.size, flat)
        np.add(flat, columns, flat)
        if before:
            steps = rows.reshape((*before, *(1,) * (len(common) + len(after))))
            np.add(flat, np.multiply(steps, columns.size * math.prod(shape[start:stop])), flat)
        return flat

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


def _side_by_side(key: Key) -> bool:
    """Whether the key's index arrays follow each other, with full slices around them."""
    places = [i for i, k in enumerate(key) if k is INDEX]
    full = all(k is INDEX or k == slice(None) for k in key)
    return full and places[-1] - places[0] == len(places) - 1


def _counted(shape: Shape) -> Array:
    """0, 1, 2, ... in a shape."""
    return numbered(math.prod(shape)).reshape(shape)

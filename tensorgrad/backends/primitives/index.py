"""Composite primitives of shapes and indexing: scatters and their like as functions, which write into nothing they are
given.

Each method is the definition; a device may override it. Index arrays were checked and are not negative.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.backends.primitives.basic import Array, Primitives, Shape, delivered

__all__ = ["IndexPrimitives"]

Key = tuple[Any, ...]
Views = tuple[tuple[str, Any], ...]


class IndexPrimitives(Primitives, composes=True):
    """Default compositions out of basic primitives."""

    def pad(self, x: Array, *, widths: tuple[tuple[int, int], ...], value: float, out: Array | None = None) -> Array:
        """`x` with `widths[i]` = (before, after) elements of `value` around it along each dimension i."""
        shape = tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True))
        result = self.full(shape, value, x.dtype, out=out)
        inner = tuple(slice(before, before + n) for n, (before, _) in zip(x.shape, widths, strict=True))
        self.copyto(self.getitem(result, inner), x)
        return result

    def clear_region(self, x: Array, views: Views, order: tuple[int, ...], *, out: Array | None = None) -> Array:
        """A copy of `x` with zeros where `views`, pairs of a view primitive and its argument, look one after the other.

        `order`: the axes of what they look at, from the greatest stride to the least. It decides which shapes memory
        can be looked at in, so the copy is laid out as it says, whatever the layout of `x`.
        """
        turned = order != tuple(range(x.ndim))
        cleared = self.copy(self.transpose(x, order) if turned else x)
        if turned:
            cleared = self.transpose(cleared, tuple(sorted(range(len(order)), key=order.__getitem__)))
        region = cleared
        for view, argument in views:
            region = getattr(self, view)(region, argument)
        self.copyto(self.writable(region), self.full((), 0, x.dtype))
        return delivered(self, cleared, out)

    def wrap_indices(self, indices: Array, size: int, *, what: str, out: Array | None = None) -> Array:
        """Indices counted from the end made to count from the start; BoundsError outside [-size, size)."""
        self.check_bounds(indices, -size, size, what=what)
        return self.where(self.less(indices, 0), self.add(indices, size), indices, out=out)

    # ------------------------------------------------------------------ by a key
    def scatter_index(self, values: Array, *indices: Array, shape: Shape, key: Key, out: Array | None = None) -> Array:
        """Zeros of `shape`, with `values` added at `key`: the gradient of getitem and take_index."""
        result = self.full(shape, 0, values.dtype, out=out)
        if indices:
            self.put_index(result, values, *indices, key=key, accumulate=True)
        else:
            self.copyto(self.getitem(result, key), values)
        return result

    def scatter_diagonal(
        self, values: Array, *, shape: Shape, place: tuple[int, int, int], out: Array | None = None
    ) -> Array:
        """Zeros of `shape`, with `values` on a diagonal: the gradient of `diagonal`."""
        result = self.full(shape, 0, values.dtype, out=out)
        self.copyto(self.diagonal(result, place), values)
        return result

    def update_index(
        self,
        x: Array,
        values: Array,
        *indices: Array,
        key: Key,
        accumulate: bool,
        out: Array | None = None,
    ) -> Array:
        """A copy of `x` with `values` put (or added) at `key`."""
        result = self.copy(x, out=out)
        if indices:
            self.put_index(result, values, *indices, key=key, accumulate=accumulate)
            return result
        region = self.getitem(result, key)
        if accumulate:
            self.add(region, values, out=region)
        else:
            self.copyto(region, values)
        return result

    # ------------------------------------------------------------------ along an axis
    def scatter_along_axis(
        self,
        values: Array,
        indices: Array,
        *,
        axis: int,
        shape: Shape,
        unique: bool,
        out: Array | None = None,
    ) -> Array:
        """Zeros of `shape` with `values` added at `indices` along `axis`; `unique`: no index comes twice."""
        result = self.full(shape, 0, values.dtype, out=out)
        self.put_along_axis(result, indices, values, axis, accumulate=not unique)
        return result

    def update_along_axis(
        self,
        x: Array,
        values: Array,
        indices: Array,
        *,
        axis: int,
        accumulate: bool,
        out: Array | None = None,
    ) -> Array:
        """A copy of `x` with `values` put (or added) at `indices` along `axis`."""
        result = self.copy(x, out=out)
        self.put_along_axis(result, indices, values, axis, accumulate=accumulate)
        return result

"""Long sums that CuPy makes, in pieces.

A block of CuPy's threads, or one of them where the addends do not lie side by side, has a whole sum to itself, and a
thread adds one by one. So no sum that is given to CuPy at a time is longer than makes about a hundred additions for a
thread, and longer ones are made of the sums of their pieces.
"""

from __future__ import annotations

import math
from functools import partial

import cupy

from tensorgrad.backends.cuda.results import given, reduced
from tensorgrad.backends.primitives import Array, Axis, Primitives
from tensorgrad.backends.primitives.reduce import reduced_count
from tensorgrad.backends.primitives.results import reduced_shape
from tensorgrad.dtypes import float16, float32, float64

__all__ = ["CudaSums"]

_ALONE = 128  # addends of a sum that one thread makes
_TOGETHER = 1 << 16  # of one that a block makes, where they lie in a row
_PIECE = 4096  # of such a row


class CudaSums(Primitives):
    """Mixin of CudaBackend."""

    def _long_sum(self, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array | None:
        """The sum in pieces, or None where CuPy may make it at once."""
        if x.dtype.kind != "f" or reduced_count(x.shape, axis) <= _ALONE:
            return None
        axes = sorted(
            range(x.ndim) if axis is None else {a % x.ndim for a in ((axis,) if isinstance(axis, int) else axis)}
        )
        if x.flags.c_contiguous and axes[-1] - axes[0] == len(axes) - 1:
            count = math.prod([x.shape[a] for a in axes])
            last = math.prod(x.shape[axes[-1] + 1 :]) == 1
            if last and count <= _TOGETHER:
                return None
            rows = self.reshape(x, (x.size // count, count)) if last else None
            if rows is None:
                rows = self.reshape(x, (math.prod(x.shape[: axes[0]]), count, math.prod(x.shape[axes[-1] + 1 :])))
            total = self._along(rows, 1)
        else:
            total = self._each_axis(x, axes)
        shape = reduced_shape(x.shape, axis, keepdims)
        total = total.reshape(shape)
        return total.astype(x.dtype) if out is None else given(total, out)

    def _each_axis(self, x: Array, axes: list[int]) -> Array:
        strides = self.strides(x)
        order = sorted(range(x.ndim), key=lambda a: -abs(strides[a]))
        moved = x.transpose(order)
        if not moved.flags.c_contiguous:
            order, moved = list(range(x.ndim)), self.copy(x, out=self.scratch(x.shape, x.dtype))
        for a in sorted(axes, key=lambda a: -x.shape[a]):
            moved = self._along(moved, order.index(a))
        return moved.transpose([order.index(a) for a in range(x.ndim)])

    def _along(self, x: Array, axis: int) -> Array:
        """The sum over one axis of an array without gaps, which is kept with size 1; of float16 in float32."""
        dtype = float32 if x.dtype == float16 else x.dtype
        add = partial(cupy.sum, dtype=dtype)
        before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
        last = math.prod(after) == 1
        if n <= (_TOGETHER if last else _ALONE):
            return reduced(add, x, axis, True, self.scratch((*before, 1, *after), dtype))
        piece = _PIECE if last else _ALONE
        count, left = divmod(n, piece)
        everything = (slice(None),) * axis
        pieces = self.getitem(x, (*everything, slice(n - left)))
        pieces = pieces.reshape((*before, count, piece, *after))
        sums = reduced(add, pieces, axis + 1, False, self.scratch((*before, count, *after), dtype))
        total = self._along(sums, axis)
        if not left:
            return total
        rest = self.getitem(x, (*everything, slice(n - left, None)))
        return cupy.add(total, reduced(add, rest, axis, True, self.scratch((*before, 1, *after), dtype)), total)

    def _long_cumsum(self, x: Array, axis: int, out: Array | None) -> Array | None:
        """Of float16 and float32 in float64, where there are many. CuPy scans blocks, and then the blocks' totals."""
        if x.dtype.kind != "f" or x.dtype == float64 or x.shape[axis] <= _ALONE:
            return None
        return given(cupy.cumsum(x, axis, float64).astype(x.dtype), out)

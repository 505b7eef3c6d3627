"""Sums: their kernels' launches (see `activation.py` for what they ask of arrays), and the primitive."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.cuda.launch import (
    Launcher,
    arithmetic_dtype,
    check_arrays,
    check_dtype,
    matrix,
    suffix_of,
    suits,
)
from tensorgrad.backends.cuda.override import KernelOverrides
from tensorgrad.backends.primitives import Array, Axis

__all__ = ["CudaReduce", "ReduceKernels"]


class ReduceKernels:
    """Sums over the rows of a matrix: the same bits in every run."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def column_sums(self, x: Array, out: Array) -> None:
        """out (columns,) = the sum of x (rows, columns) over its rows, added in float32 (float64 for float64)."""
        op = "column_sums kernel"
        check_dtype(op, "x", x)
        rows, columns = matrix(op, x)
        check_arrays(op, x.dtype, None, x=x)
        check_arrays(op, x.dtype, (columns,), out=out)
        self.two_stages("column_sums", x, rows, columns, out, (x,), ())

    def two_stages(
        self, name: str, x: Array, rows: int, columns: int, out: Array, before: tuple[Any, ...], after: tuple[Any, ...]
    ) -> None:
        """Launch NAME(*before, partial, rows, columns, slab_rows, *after), then add the slabs to `out`."""
        if columns == 0:
            return
        launcher, wide = self._launcher, arithmetic_dtype(x.dtype)
        tiles, block = launcher.tiles(columns, x.dtype.itemsize)
        slabs, height = launcher.slabs(max(rows, 1), tiles, block[1])
        partial = launcher.scratch((slabs, columns), wide)
        kernel = launcher.get_function(f"{name}_{suffix_of(x)}")
        kernel((tiles, slabs), block, (*before, partial, rows, columns, height, *after))
        tiles, block = launcher.tiles(columns, wide.itemsize)
        kernel = launcher.get_function(f"column_finish_{suffix_of(x)}")
        kernel((tiles,), block, (partial, out, slabs, columns))


class CudaReduce(KernelOverrides):
    """Mixin of CudaBackend."""

    _reduce: ReduceKernels

    def _column_sums(self, x: Array, axis: Axis, keepdims: bool, out: Array | None) -> Array | None:
        """The sum over leading axes by the kernel for the columns of a matrix, or None where it cannot do it."""
        axes = (axis,) if isinstance(axis, int) else axis
        if not axes or axes != tuple(range(len(axes))) or not x.size or not suits(x, out):
            return None
        left = x.shape[len(axes) :]
        columns = math.prod(left)
        if columns == 1:
            return None  # one sum over everything, for which the kernel has too few threads
        shape = (1,) * len(axes) + left if keepdims else left
        out = self.empty(shape, x.dtype) if out is None else out
        self._reduce.column_sums(self.reshape(x, (x.size // columns, columns)), self.reshape(out, (columns,)))
        return out

"""The optimizers' rules on NumPy, in pieces that stay in the cache.

A formula of `primitives/optimizer_rules.py` is about a dozen passes over an array; run over a whole large one, each
pass goes out to memory. Here each piece goes through the whole formula before the next one is touched, and all share
the scratch memory of one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import given
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.optimizer import Arrays, OptimizerPrimitives, rows_of
from tensorgrad.backends.primitives.optimizer_rules import Rule, prepared_gradient
from tensorgrad.dtypes import DType

__all__ = ["CpuOptimizer"]

# Adam works on five pieces at a time (p, g, m, v and scratch): 320 KiB, within the second-level cache of any
# core that is sold today. A third of that and the calls begin to show, twice that and older cores fall out of
# the cache.
_PIECE_BYTES = 64 * 1024
# OpenBLAS starts its threads for dot products of more than 10,000 elements; waking them costs more than they
# give.
_DOT_PIECE = 8192


class CpuOptimizer(OptimizerPrimitives):
    """Mixin of `CpuBackend`: the steps of `OptimizerPrimitives`, piece by piece. Results are the same bits."""

    def _each_parameter(
        self,
        rule: Rule,
        columns: Sequence[Arrays | None],
        weight_decay: float,
        maximize: bool,
        constants: dict[str, Any],
    ) -> None:
        rows = rows_of(columns)
        dtype = rows[0][0].dtype
        decay = self._as(dtype, weight_decay) if weight_decay else 0.0
        most = _PIECE_BYTES // dtype.itemsize
        count = min(most, max([row[0].size for row in rows]))
        t = self.scratch((count,), dtype)
        s = self.scratch((count,), dtype) if weight_decay or maximize else None
        for row in rows:
            for p, g, *state in _pieces(row, most):
                if s is not None:
                    g = prepared_gradient(np, p, g, decay, maximize, _shaped(s, p))
                rule.update(np, p, g, *state, _shaped(t, p), **constants)

    @staticmethod
    def _as(dtype: DType, value: Any) -> Any:
        """A number too becomes a 0-d array, which NumPy takes up faster than Python's."""
        return value if value is None or isinstance(value, bool) else np.asarray(value, dtype)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        if norm_type == 2.0 and all(g.dtype.itemsize >= 4 for g in grads):
            return given(np.asarray(math.sqrt(sum(_sum_of_squares(g) for g in grads)), np.float64), out)
        return super().total_norm(grads, norm_type, out=out)


def _shaped(scratch: Array, x: Array) -> Array:
    """As much of `scratch`, in one dimension, as `x` has elements, in its shape."""
    return scratch[: x.size].reshape(x.shape)


def _pieces(row: Sequence[Array | None], most: int) -> Iterator[Sequence[Array | None]]:
    """Arrays of one shape, or None, in pieces of at most `most` elements: parts of the same place of each."""
    p = row[0]
    assert p is not None
    if p.size <= most:
        yield row
    elif all(x is None or x.flags.c_contiguous for x in row):
        flat = [None if x is None else x.reshape(-1) for x in row]
        for start in range(0, p.size, most):
            yield [None if x is None else x[start : start + most] for x in flat]
    else:  # rows of the first axis need no contiguity
        stride = max(1, most * len(p) // p.size)
        for start in range(0, len(p), stride):
            rows = [None if x is None else x[start : start + stride] for x in row]
            yield from _pieces(rows if stride > 1 else [None if x is None else x[0] for x in rows], most)


def _sum_of_squares(g: Array) -> float:
    flat = g.reshape(-1)
    pieces = (flat[i : i + _DOT_PIECE] for i in range(0, flat.size, _DOT_PIECE))
    return float(sum(float(np.dot(piece, piece)) for piece in pieces))

"""The optimizers' rules on NumPy, in pieces that stay in the cache.

A rule of `primitives/optimizer.py` is about a dozen passes over an array; run over a whole large one, each pass
goes out to memory. Here each piece goes through the whole rule before the next one is touched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import given
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.optimizer import Arrays, OptimizerPrimitives, Rule, apply_rule, rows_of
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
        ready = {name: _constant(value, dtype) for name, value in constants.items()}
        decay = _constant(weight_decay, dtype) if weight_decay else 0.0
        changes_gradient = bool(weight_decay or maximize)
        for row in rows:
            for p, g, *state in _pieces(row):
                t = np.empty_like(p, subok=False)
                s = np.empty_like(p, subok=False) if changes_gradient else t
                apply_rule(np, rule, p, g, state, s, t, decay, maximize, ready)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        if norm_type == 2.0 and all(g.dtype.itemsize >= 4 for g in grads):
            return given(np.asarray(math.sqrt(sum(_sum_of_squares(g) for g in grads)), np.float64), out)
        return super().total_norm(grads, norm_type, out=out)


def _constant(value: Any, dtype: DType) -> Any:
    """A number as a 0-d array, which NumPy takes up faster than Python's; flags and None as they are."""
    return value if value is None or isinstance(value, bool) else np.asarray(value, dtype)


def _pieces(row: tuple[Array | None, ...]) -> Iterator[Sequence[Array | None]]:
    p = row[0]
    assert p is not None
    capacity = _PIECE_BYTES // p.dtype.itemsize
    if p.size <= capacity:
        yield row
        return
    if all(x is None or x.flags.c_contiguous for x in row):
        row, stride = tuple(None if x is None else x.reshape(-1) for x in row), capacity
    else:  # rows of the first axis need no contiguity
        stride = max(1, capacity * p.shape[0] // p.size)
    for start in range(0, len(row[0]), stride):  # type: ignore[arg-type]
        yield [None if x is None else x[start : start + stride] for x in row]


def _sum_of_squares(g: Array) -> float:
    flat = g.reshape(-1)
    pieces = (flat[i : i + _DOT_PIECE] for i in range(0, flat.size, _DOT_PIECE))
    return float(sum(float(np.dot(piece, piece)) for piece in pieces))

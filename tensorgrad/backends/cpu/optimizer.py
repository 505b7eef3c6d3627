"""The optimizers' rules, and norms, on NumPy, in pieces that stay in the cache.

A formula of `primitives/optimizer_rules.py` is about a dozen passes over an array; run over a whole large one, each
pass goes out to memory. Here each piece goes through the whole formula before the next one is touched, and all share
the scratch memory of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import given
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.optimizer import Arrays, OptimizerPrimitives, rows_of
from tensorgrad.backends.primitives.optimizer_rules import Rule, prepared_gradient
from tensorgrad.dtypes import DType, float32, float64

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
        decay = np.asarray(weight_decay, dtype) if weight_decay else 0.0
        most = _PIECE_BYTES // dtype.itemsize
        count = min(most, max([row[0].size for row in rows]))
        t = self.scratch((count,), dtype)
        s = self.scratch((count,), dtype) if weight_decay or maximize else None
        for row in rows:
            for p, g, *state in _pieces(row, most):
                if s is not None:
                    g = prepared_gradient(np, p, g, decay, maximize, _shaped(s, p))
                rule.update(np, p, g, *state, _shaped(t, p), **constants)

    def _constants(self, rule: Rule, dtype: DType, lr: Array, step: Array, options: dict[str, Any]) -> dict[str, Any]:
        # With NumPy's scalars, which cost less than arrays. Numbers become 0-d arrays, taken up faster than Python's.
        constants = rule.constants(np, lr, step, options)
        return {n: v if v is None or isinstance(v, bool) else np.asarray(v, dtype) for n, v in constants.items()}

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        join: Callable[[Iterable[float]], float] = _greatest if math.isinf(norm_type) else sum
        work = self.scratch((_DOT_PIECE,), float64)
        total = join(_norm_part(g, norm_type, work) for g in grads if g.size)
        result = given(np.asarray(math.sqrt(total) if norm_type == 2.0 else total, float64), out)
        return result if norm_type in (2.0, math.inf) else np.power(result, 1.0 / norm_type, out=result)


def _shaped(scratch: Array, x: Array) -> Array:
    """As much of `scratch`, in one dimension, as `x` has elements, in its shape."""
    flat = scratch[: x.size]
    return flat if x.ndim == 1 else flat.reshape(x.shape)


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


def _norm_part(g: Array, norm_type: float, work: Array) -> float:
    """sum |g|^norm_type, each piece added up in float32 (float64 for float64), or max |g|; `work` is scratch."""
    g = g if g.flags.c_contiguous else g.T  # in any order
    if g.dtype.itemsize >= 4 and math.isinf(norm_type):
        return _greatest((float(g.max()), -float(g.min())))
    if g.dtype.itemsize >= 4 and norm_type == 2.0 and g.flags.c_contiguous:
        flat = g.reshape(-1)
        pieces = (flat[i : i + _DOT_PIECE] for i in range(0, flat.size, _DOT_PIECE))
        return sum(float(np.dot(x, x)) for x in pieces)
    work = work.view(float32 if g.dtype.itemsize < 4 else g.dtype)
    parts = (_norm_part_of(x, norm_type, work[: x.size]) for (x,) in _pieces((g,), _DOT_PIECE))  # type: ignore[union-attr]
    return _greatest(parts) if math.isinf(norm_type) else sum(parts)


def _norm_part_of(piece: Any, norm_type: float, x: Array) -> float:
    """Of one piece; `x` is scratch of as many elements, in one dimension."""
    if norm_type == 2.0:
        np.copyto(x.reshape(piece.shape), piece)
    elif piece.dtype == x.dtype:
        np.absolute(piece, out=x.reshape(piece.shape))
    else:
        np.copyto(x.reshape(piece.shape), piece)  # as a ufunc's argument it would be converted in a buffer of NumPy's
        np.absolute(x, out=x)
    if norm_type == 2.0:
        return float(np.dot(x, x))
    if math.isinf(norm_type):
        return float(x.max())
    return float((x if norm_type == 1.0 else np.power(x, norm_type, out=x)).sum())


def _greatest(sizes: Iterable[float]) -> float:
    """NaN where there is one, which Python's maximum may pass over; 0 where there is nothing."""
    greatest = 0.0
    for size in sizes:
        if size > greatest or size != size:
            greatest = size
    return greatest

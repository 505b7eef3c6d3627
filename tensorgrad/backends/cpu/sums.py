"""Long sums of floats on NumPy arrays, with the error of pairwise summation whatever the axes and the layout.

NumPy adds pairwise along the axis whose elements lie closest together, if that is one it sums over; along all others it
adds one array after another to the result, so that the error grows with their number, and 2^24 is as far as float32
counts. Here the addends of a long axis are added in pieces, then the pieces' sums in the same way: no addend passes
through more than a few hundred additions. What NumPy adds well by itself is left to it (`is_long`).

Of an array without gaps the pieces are taken across: m rows, each of k rows of the array side by side, are added by
BLAS as a product with ones; then the k sums. That reads memory as it lies, and no row is too short to be fast.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Axis, Primitives, Shape
from tensorgrad.backends.primitives.results import reduced_shape
from tensorgrad.dtypes import HALF, DType, float16, float32, float64

__all__ = ["SHORT", "CpuSums", "is_long"]

SHORT = 128  # so many addends may be added one by one
_PIECE = 32
_WIDE_ROW = 1024  # elements of a row from which on NumPy's time a row does not count
_BUFFER = 8192  # elements that NumPy converts at a time, where it sums in another dtype: each buffer by itself
_WORTH = 8  # an innermost axis of so many is added first: there are as many times fewer sums then
_MOST_ROWS = 256  # BLAS adds four rows at a time
_ROWS = 64
_LONGEST_ROW = 1024  # BLAS keeps eight sums of a row
_ROW_PIECE = 512
_CALL = 16  # so many rows take the time of a call
_SCANNED = 1 << 16  # elements whose running sums are made in float64 at a time

_add_reduce: Any = np.add.reduce
_add_accumulate: Any = np.add.accumulate  # np.cumsum would warn in NumPy's name


class CpuSums(Primitives):
    """Mixin of `CpuBackend`: what sums, means and running sums are made of."""

    def _long_sum(self, x: Array, axis: Axis, keepdims: bool, out: Array | None, count: float | None = None) -> Array:
        """The sum over `axis`, divided by `count` where there is one; of float16 in float32 until then."""
        reduced = _flags(x.ndim, axis)
        # Along an axis that broadcasting stretched all elements are one, and NumPy's order is not told by strides.
        stretched = [n > 1 and s == 0 for n, s in zip(x.shape, x.strides, strict=True)]
        times = math.prod([n for n, s, r in zip(x.shape, stretched, reduced, strict=True) if s and r])
        one = x[(*[slice(1) if s else slice(None) for s in stretched], ...)]
        total = self._pieces(one, reduced)
        if times != 1:
            np.multiply(total, float(times), total)
        if count is not None:
            np.divide(total, count, total)
        total = total.reshape([1 if r else n for n, r in zip(one.shape, reduced, strict=True) if keepdims or not r])
        return into(np.empty(reduced_shape(x.shape, axis, keepdims), x.dtype) if out is None else out, total)

    def _pieces(self, x: Array, reduced: tuple[bool, ...]) -> Array:
        """The sum over the axes that are `reduced`, without them. No stride is 0 but of axes of size 1."""
        plan = _planned(x.shape, x.strides, reduced)
        tidy = x.transpose(plan.order)[plan.forwards].reshape(plan.shape)
        total = self._grouped(tidy, plan.reduced)
        return total.reshape(plan.kept).transpose(plan.back)

    def _grouped(self, x: Array, reduced: tuple[bool, ...]) -> Array:
        """As `_pieces`, of an array whose strides fall and whose neighbouring axes cannot be seen as one."""
        dtype: DType = float32 if x.dtype.char == HALF else x.dtype
        if _one_by_one(x.shape, reduced, x.dtype.char == HALF) <= SHORT:
            axes = tuple([i for i, r in enumerate(reduced) if r])
            kept = tuple([n for n, r in zip(x.shape, reduced, strict=True) if not r])
            return _add_reduce(x, axes, dtype, self.scratch(kept, dtype))
        if dtype == x.dtype and x.flags.c_contiguous and reduced in ((True, False), (False, True, False)):
            return self._columns(x)
        if reduced[-1] and x.shape[-1] >= _WORTH and (dtype == x.dtype or x.shape[-1] <= _BUFFER):
            inner = _add_reduce(x, x.ndim - 1, dtype, self.scratch(x.shape[:-1], dtype))
            return self._pieces(inner, reduced[:-1])
        at = max((n, i) for i, (n, r) in enumerate(zip(x.shape, reduced, strict=True)) if r)[1]
        return self._along(x, at, reduced, dtype)

    def _along(self, x: Array, at: int, reduced: tuple[bool, ...], dtype: DType) -> Array:
        """The addends along the axis `at` in pieces, and what is left of them besides."""
        before, n, after = x.shape[:at], x.shape[at], x.shape[at + 1 :]
        if n <= SHORT:
            sums = _add_reduce(x, at, dtype, self.scratch(before + after, dtype))
            return self._pieces(sums, reduced[:at] + reduced[at + 1 :])
        side_by_side = max(1, min(_WIDE_ROW // math.prod(after), n // _PIECE))
        blocks = n // (_PIECE * side_by_side)
        done = blocks * _PIECE * side_by_side
        everything = (slice(None),) * at
        pieces = x[(*everything, slice(done))].reshape((*before, blocks, _PIECE, side_by_side, *after))
        sums = _add_reduce(pieces, at + 1, dtype, self.scratch((*before, blocks, side_by_side, *after), dtype))
        total = self._pieces(sums.reshape((*before, blocks * side_by_side, *after)), reduced)
        if done == n:
            return total
        return np.add(total, self._pieces(x[(*everything, slice(done, None))], reduced), total)

    def _column_sums(self, x: Array, keepdims: bool, out: Array | None) -> Array:
        """The sums of the columns of a matrix without gaps: 2 to 10 times as fast as NumPy's."""
        rows, columns = x.shape
        if not keepdims and rows <= _MOST_ROWS and (out is None or out.flags.c_contiguous):
            return np.dot(_ones(rows, x.dtype), x, out)
        total = self._ones_times(x) if rows <= _MOST_ROWS else self._columns(x)
        if keepdims:
            return into(np.empty((1, columns), x.dtype) if out is None else out, total)
        return total if out is None else into(out, total)

    def _columns(self, x: Array) -> Array:
        """The sums over the last axis but one of an array (..., rows, columns) whose rows follow each other."""
        *lead, rows, columns = x.shape
        if rows <= _ROWS:
            return self._ones_times(x)
        side_by_side = -(-rows // _ROWS)
        high = rows // side_by_side
        done = high * side_by_side
        head = x[..., :done, :].reshape((*lead, high, side_by_side * columns))
        total = self._columns(self._ones_times(head).reshape((*lead, side_by_side, columns)))
        return total if done == rows else np.add(total, self._columns(x[..., done:, :]), total)

    def _ones_times(self, x: Array) -> Array:
        result = self.scratch((*x.shape[:-2], x.shape[-1]), x.dtype)
        return (np.dot if x.ndim == 2 else np.matmul)(_ones(x.shape[-2], x.dtype), x, result)

    def _row_sums(self, x: Array, out: Array | None) -> Array:
        """The sums of the rows of `x` (rows, columns), as (rows, 1)."""
        rows, columns = x.shape
        if x.dtype.char == HALF:
            return into(np.empty((rows, 1), float16) if out is None else out, _add_reduce(x, 1, float32, None, True))
        if not x.flags.c_contiguous:
            return _add_reduce(x, 1, None, out, True)
        if columns <= _LONGEST_ROW:
            return np.dot(x, _ones(columns, x.dtype).reshape(-1, 1), out)
        total = self._long_rows(x).reshape(rows, 1)
        return total if out is None else into(out, total)

    def _long_rows(self, x: Array) -> Array:
        """By pieces of all rows where those are few beside the rows, else by the pieces of one row after another."""
        rows, columns = x.shape
        count, left = divmod(columns, _LONGEST_ROW)
        if _CALL * count <= rows:
            parts = self.scratch((count + (left > 0), rows), x.dtype)
            for i, part in enumerate(parts):
                piece = x[:, i * _LONGEST_ROW : (i + 1) * _LONGEST_ROW]
                np.matmul(piece, _ones(piece.shape[1], x.dtype), part)  # np.dot would copy the piece
            return self._columns(parts)
        count, left = divmod(columns, _ROW_PIECE)
        pieces = x[:, : columns - left].reshape(rows, count, _ROW_PIECE)
        parts = np.matmul(pieces, _ones(_ROW_PIECE, x.dtype), self.scratch((rows, count), x.dtype))
        if count > _LONGEST_ROW:
            total = self._long_rows(parts)
        else:
            total = np.dot(parts, _ones(count, x.dtype), self.scratch((rows,), x.dtype))
        if not left:
            return total
        rest = np.matmul(x[:, -left:], _ones(left, x.dtype), self.scratch((rows,), x.dtype))
        return np.add(total, rest, total)

    # ------------------------------------------------------------------ running sums
    def _long_cumsum(self, x: Array, axis: int, out: Array) -> Array:
        """Of floats, into `out`: of float16 and float32 in float64, of float64 in pieces."""
        if x.dtype == float64:
            return self._scan(x, axis % x.ndim, out)
        return self._wide_scan(x, axis % x.ndim, out)

    def _wide_scan(self, x: Array, axis: int, out: Array) -> Array:
        if x.size <= _SCANNED:
            wide = into(self.scratch(x.shape, float64), x)
            return into(out, _add_accumulate(wide, axis, None, wide))
        lead = (slice(None),) * axis
        step = max(1, min(x.shape[axis], _SCANNED * x.shape[axis] // x.size))
        wide = self.scratch((*x.shape[:axis], step, *x.shape[axis + 1 :]), float64)
        carry = self.scratch((*x.shape[:axis], 1, *x.shape[axis + 1 :]), float64)
        for start in range(0, x.shape[axis], step):
            here = (*lead, slice(start, start + step))
            part = wide[(*lead, slice(x[here].shape[axis]))]
            np.copyto(part, x[here])
            if start:
                first = part[(*lead, slice(1))]
                np.add(first, carry, first)
            _add_accumulate(part, axis, None, part)
            np.copyto(carry, part[(*lead, slice(-1, None))])
            np.copyto(out[here], part, casting="unsafe")
        return out

    def _scan(self, x: Array, axis: int, out: Array) -> Array:
        """The running sums of each piece, to which those of the pieces before are added."""
        n, lead = x.shape[axis], (slice(None),) * axis
        if n <= SHORT:
            return _add_accumulate(x, axis, None, out)
        count = n // _PIECE
        inside, last = (*lead, slice(count * _PIECE)), (*lead, slice(count * _PIECE, None))
        shape = (*x.shape[:axis], count, _PIECE, *x.shape[axis + 1 :])
        pieces = out[inside].reshape(shape)
        _add_accumulate(x[inside].reshape(shape), axis + 1, None, pieces)
        totals = self.scratch((*x.shape[:axis], count, *x.shape[axis + 1 :]), x.dtype)
        np.copyto(totals, pieces[(*lead, slice(None), -1)])
        self._scan(totals, axis, totals)
        later = pieces[(*lead, slice(1, None))]
        np.add(later, totals[(*lead, slice(-1), None)], later)
        if n > count * _PIECE:
            _add_accumulate(x[last], axis, None, out[last])
            np.add(out[last], totals[(*lead, slice(-1, None))], out[last])
        return out


@lru_cache(maxsize=64)
def _ones(count: int, dtype: DType) -> Array:
    return np.ones(count, dtype)


# ---------------------------------------------------------------------- how NumPy adds
def is_long(x: Array, axis: Axis) -> bool:
    """Whether NumPy would add more than SHORT floats one by one."""
    if axis is None:
        if x.flags.c_contiguous:
            return bool(x.dtype.char == HALF and x.size > _BUFFER * SHORT)
    elif isinstance(axis, int):
        if x.shape[axis] <= SHORT:
            return False
    elif len(axis) == 1 and x.shape[axis[0]] <= SHORT:
        return False
    return x.dtype.kind == "f" and _is_long(x.shape, x.strides, axis, x.dtype.char == HALF)


@lru_cache(maxsize=4096)
def _is_long(shape: Shape, strides: Shape, axis: Axis, converted: bool) -> bool:
    reduced = _flags(len(shape), axis)
    if any(n > 1 and s == 0 for n, s in zip(shape, strides, strict=True)):
        return math.prod([n for n, r in zip(shape, reduced, strict=True) if r]) > SHORT
    plan = _planned(shape, strides, reduced)
    return _one_by_one(plan.shape, plan.reduced, converted) > SHORT


@lru_cache(maxsize=1024)
def _flags(ndim: int, axis: Axis) -> tuple[bool, ...]:
    if axis is None:
        return (True,) * ndim
    axes = {a % ndim for a in ((axis,) if isinstance(axis, int) else axis)}
    return tuple([i in axes for i in range(ndim)])


def _one_by_one(shape: Shape, reduced: tuple[bool, ...], converted: bool) -> int:
    """How many addends NumPy adds one after another, of an array whose strides fall: of the last axis it adds pairwise
    all, or, where it converts them, what its buffer holds.
    """
    if not reduced or 0 in shape:
        return 0
    inner = shape[-1] if reduced[-1] else 1
    many = math.prod([n for n, r in zip(shape, reduced, strict=True) if r]) // inner
    return many * (-(-inner // _BUFFER) if converted else 1)


class _Plan(NamedTuple):
    """How to see an array so that strides fall and axes that can be seen as one are one.

    Its axes in that `order`, those that are summed `forwards`, in this `shape`, of which these are `reduced`; the sums
    come in the shape `kept`, and `back` is the order of axes in which they were asked for.
    """

    order: tuple[int, ...]
    forwards: tuple[slice, ...]
    shape: Shape
    reduced: tuple[bool, ...]
    kept: Shape
    back: tuple[int, ...]


@lru_cache(maxsize=4096)
def _planned(shape: Shape, strides: Shape, reduced: tuple[bool, ...]) -> _Plan:
    order = tuple(sorted(range(len(shape)), key=lambda i: -abs(strides[i])))
    forwards = tuple([slice(None, None, -1 if reduced[i] and strides[i] < 0 else None) for i in order])
    groups: list[tuple[int, int, bool]] = []  # (elements, stride, reduced) of axes seen as one
    for i in order:
        if shape[i] == 1:
            continue
        step = abs(strides[i]) if reduced[i] else strides[i]
        if groups and groups[-1][1] == shape[i] * step and groups[-1][2] == reduced[i]:
            groups[-1] = (groups[-1][0] * shape[i], step, reduced[i])
        else:
            groups.append((shape[i], step, reduced[i]))
    left = [i for i in order if not reduced[i]]
    return _Plan(
        order,
        forwards,
        tuple([n for n, _, _ in groups]),
        tuple([r for _, _, r in groups]),
        tuple([shape[i] for i in left]),
        tuple([left.index(i) for i in sorted(left)]),
    )

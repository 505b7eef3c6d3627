"""The launches of the kernels on many arrays at once: optimizer steps, norms, clipping.

The kernels read where the arrays lie from tables in device memory (see kernels/common/table.cuh). A table is kept and
used again while addresses and sizes stay the same; where only addresses change, only they are uploaded. A caller that
records a CUDA graph runs the launch once before, so that the table is there: an upload cannot be captured.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tensorgrad.backends.cuda.errors import ERROR_WORDS, DeferredErrors
from tensorgrad.backends.cuda.launch import Launcher, check_arrays, check_dtype, suffix_of, suits
from tensorgrad.backends.cuda.override import KernelOverrides
from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.optimizer import OptimizerPrimitives
from tensorgrad.backends.primitives.optimizer_rules import Rule
from tensorgrad.dtypes import float64, int64
from tensorgrad.errors import ShapeError

__all__ = ["ClipKernels", "CudaOptimizer", "OptimizerKernels", "Tables"]

Arrays = Sequence[Array]

# Elements of a piece. A block does a float32 piece in eight rounds; smaller pieces make the table longer, larger ones
# leave multiprocessors idle at the end.
PIECE = 8192
_CONSTANTS = 16  # doubles: those of an optimizer's rule, and SKIPPED in kernels/optimizer/optimizer.h
_KINDS = {1.0: 1, 2.0: 2, math.inf: 3}  # NormKind in kernels/optimizer/norm.h

_V = TypeVar("_V")
_Key = tuple[int, ...]


@dataclass(frozen=True)
class _Layout:
    """What a table says about sizes: which piece is where."""

    sizes: Array
    work: Array
    pieces: int


class Tables:
    """The tables of a device, kept from call to call.

    `kept`: how many of each kind; those used longest ago go first. None: all, for as long as this lives, since a graph
    that was captured goes on reading those of its launches.
    """

    def __init__(self, launcher: Launcher, piece: int = PIECE, kept: int | None = 64) -> None:
        self.launcher = launcher
        self.piece = piece
        self.kept = kept
        self._lock = threading.Lock()  # optimizers of several threads have their tables in common
        self._layouts: dict[_Key, _Layout] = {}
        self._pointers: dict[_Key, Array] = {}

    def arguments(self, columns: Sequence[Arrays]) -> tuple[tuple[Any, ...], int]:
        """(pointers, sizes, tensors, work, pieces, piece) of arrays [column][tensor], and how many pieces there are."""
        rows = [row for row in zip(*columns, strict=True) if row[0].size]
        if not rows:
            return (), 0
        sizes = tuple([int(row[0].size) for row in rows])
        addresses = tuple([int(x.data.ptr) for column in zip(*rows, strict=True) for x in column])
        layout = self._found(self._layouts, sizes, self._layout)
        pointers = self._found(self._pointers, addresses, lambda key: self.launcher.upload(np.array(key, np.uint64)))
        return (pointers, layout.sizes, len(rows), layout.work, layout.pieces, self.piece), layout.pieces

    def _layout(self, sizes: tuple[int, ...]) -> _Layout:
        counts = [-(-size // self.piece) for size in sizes]
        tensor = np.repeat(np.arange(len(sizes)), counts)
        start = np.concatenate([np.arange(count) for count in counts]) * self.piece
        work = np.stack([tensor, start], 1).astype(np.int64)
        upload = self.launcher.upload
        return _Layout(upload(np.array(sizes, np.int64)), upload(work), len(work))

    def _found(self, cache: dict[_Key, _V], key: _Key, make: Callable[[_Key], _V]) -> _V:
        """What was made for this key before, or now."""
        with self._lock:
            found = cache.pop(key, None)
            if found is None:
                found = make(key)
                while self.kept is not None and len(cache) >= max(self.kept, 1):
                    del cache[next(iter(cache))]
            cache[key] = found
        return found

    def launch(self, name: str, columns: Sequence[Arrays], *args: Any) -> None:
        """Launch NAME(table, *args) on the arrays; their dtype, which all share, makes the kernel's suffix."""
        table, pieces = self.arguments(columns)
        if pieces:
            self.launcher.blocks(f"{name}_{suffix_of(columns[0][0])}", self.launcher.pieces(pieces), *table, *args)


class OptimizerKernels:
    """A step of all parameters of a group in one launch, after one of a single thread that advances `step`.

    What it does to them is `OptimizerPrimitives`' step of the same rule. All arrays are C-contiguous, of one dtype.

    `error`: the error word of the device (`DeferredErrors.word`), which the device reads at each step. While its code
    is not 0, steps change neither arrays nor `step`. None: a word of its own, in which nothing is ever wrong.
    """

    def __init__(self, tables: Tables, error: Array | None = None) -> None:
        self._tables = tables
        self._error = tables.launcher.upload(np.zeros(ERROR_WORDS, np.int64)) if error is None else error
        check_arrays("optimizer kernels", int64, (ERROR_WORDS,), error=self._error)

    def step(
        self, rule: Rule, columns: Sequence[Arrays | None], lr: Array, step: Array, options: dict[str, Any]
    ) -> None:
        """The step of `rule`; `columns`: parameters, gradients, and each state, None where it is not."""
        op, launcher = f"{rule.primitive} kernel", self._tables.launcher
        state = dict(zip(rule.state, columns[2:], strict=True))
        there = {name: state[name] is not None for name in rule.optional}
        given: list[Any] = [*columns[:2], *[column for name, column in state.items() if there.get(name, True)]]
        _check_columns(op, given)
        check_arrays(op, float64, (), lr=lr, step=step)
        constants = launcher.scratch((_CONSTANTS,), float64)
        numbers = [float(options[name]) for name in rule.numbers]
        flags = [_flag(options[name]) for name in rule.flags if name not in rule.kernel_flags]
        launcher.one_thread(f"{rule.name}_prepare", lr, self._error, step, constants, *numbers, *flags)
        flags = [_flag(value) for value in (*there.values(), *[options[name] for name in rule.kernel_flags])]
        self._tables.launch(rule.name, given, constants, *flags)


class ClipKernels:
    """The norm of many arrays taken as one vector, and clipping. Results are the same in every run."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def total_norm(self, grads: Arrays, norm_type: float, out: Array) -> Array:
        """The norm, in `out`, a 0-d float64 array; zero of nothing. Dtypes may differ."""
        self._norm_and_scale(grads, math.inf, norm_type, False, out)
        return out

    def clip_grads_by_norm(
        self, grads: Arrays, max_norm: float, norm_type: float, out: Array, *, if_finite: bool = False
    ) -> Array:
        """Scale all arrays in place by min(1, max_norm / (norm + 1e-6)); the norm they had, in `out`, as above.

        With `if_finite` arrays whose norm is not finite stay as they are.
        """
        scale = self._norm_and_scale(grads, max_norm, norm_type, if_finite, out)
        for group in _by_dtype(grads):
            self._tables.launch("scale_tensors", [group], scale)
        return out

    def clip_grads_by_value(self, grads: Arrays, limit: float) -> None:
        """Clamp every element to [-limit, limit], in place; nan stays."""
        _check_columns("clip_grads_by_value kernel", [grads], same_dtype=False)
        for group in _by_dtype(grads):
            self._tables.launch("clamp_tensors", [group], float(limit))

    def _norm_and_scale(self, grads: Arrays, max_norm: float, norm_type: float, if_finite: bool, norm: Array) -> Array:
        """Writes the norm; the scale, a 0-d float64 array of scratch memory."""
        _check_columns("total_norm kernel", [grads], same_dtype=False)
        check_arrays("total_norm kernel", float64, (), out=norm)
        launcher = self._tables.launcher
        kind, p = np.int32(_KINDS.get(float(norm_type), 0)), float(norm_type)
        groups = [(group, *self._tables.arguments([group])) for group in _by_dtype(grads)]
        blocks = [launcher.pieces(pieces) for _, _, pieces in groups]
        partial, scale = launcher.scratch((max(sum(blocks), 1),), float64), launcher.scratch((), float64)
        first = 0
        for (group, table, _), count in zip(groups, blocks, strict=True):
            launcher.blocks(f"norm_parts_{suffix_of(group[0])}", count, *table, partial, first, kind, p)
            first += count
        launcher.blocks("norm_finish", 1, partial, first, kind, p, float(max_norm), np.int32(if_finite), norm, scale)
        return scale


def _flag(value: Any) -> np.int32:
    """As a kernel's parameter."""
    return np.int32(bool(value))


def _by_dtype(arrays: Arrays) -> list[list[Array]]:
    """Arrays with elements, those of one dtype together, in the order they come."""
    groups: dict[str, list[Array]] = {}
    for x in arrays:
        if x.size:
            groups.setdefault(x.dtype.name, []).append(x)
    return list(groups.values())


def _check_columns(op: str, columns: Sequence[Arrays], same_dtype: bool = True) -> None:
    """Raise unless the arrays at one position have equal shapes, and all are floating, contiguous and of one dtype."""
    lengths = [len(column) for column in columns]
    if len(set(lengths)) != 1:
        raise ShapeError(f"{op}: expected lists of equal length, got {', '.join(map(str, lengths))}")
    for t, row in enumerate(zip(*columns, strict=True)):
        check_dtype(op, f"array {t}", row[0])
        dtype = columns[0][0].dtype if same_dtype else row[0].dtype
        for c, x in enumerate(row):
            check_arrays(op, dtype, row[0].shape, **{f"column {c}, array {t}": x})


class CudaOptimizer(KernelOverrides, OptimizerPrimitives):
    """Mixin of CudaBackend."""

    errors: DeferredErrors
    _optimizers: OptimizerKernels
    _clip: ClipKernels

    def _apply_rule(
        self, rule: Rule, columns: Sequence[Arrays | None], lr: Array, step: Array, options: dict[str, Any]
    ) -> None:
        """Nothing is changed from the failure of a check until its error is raised: the kernel sees to that itself."""
        if suits(*[x for column in columns if column is not None for x in column]):
            self._optimizers.step(rule, columns, lr, step, options)
            self.errors.look_at_the_next_wait()
        else:
            self.errors.raise_pending(always=True)
            super()._apply_rule(rule, columns, lr, step, options)

    def total_norm(self, grads: Arrays, norm_type: float, *, out: Array | None = None) -> Array:
        if not all(suits(g) for g in grads):
            return super().total_norm(grads, norm_type, out=out)
        out = self.empty((), float64) if out is None else out
        return self._clip.total_norm(grads, norm_type, out)

    def clip_grads_by_norm(
        self,
        grads: Arrays,
        max_norm: float,
        norm_type: float,
        *,
        if_finite: bool = False,
        out: Array | None = None,
    ) -> Array:
        if not all(suits(g) for g in grads):
            return super().clip_grads_by_norm(grads, max_norm, norm_type, if_finite=if_finite, out=out)
        out = self.empty((), float64) if out is None else out
        return self._clip.clip_grads_by_norm(grads, max_norm, norm_type, out, if_finite=if_finite)

    def clip_grads_by_value(self, grads: Arrays, limit: float) -> None:
        if all(suits(g) for g in grads):
            self._clip.clip_grads_by_value(grads, limit)
        else:
            super().clip_grads_by_value(grads, limit)

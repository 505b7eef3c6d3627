"""The launches of the kernels on single arrays: activations, softmax and its loss, random numbers, sums, index checks.

Each method writes into arrays that it is given (`out`, `dx`, ...) and returns nothing. All arrays are C-contiguous; any
alignment will do (16 bytes, as fresh arrays have it, is the fastest). Wrong arguments raise DTypeError, ShapeError or
ArgumentError before anything is launched. `cuda_optimizers.py` has the kernels that take many arrays at once.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import numpy as np

from tensorgrad.backends.cuda_launch import (
    FLOATS,
    INTEGERS,
    SUFFIXES,
    Launcher,
    arithmetic_dtype,
    check_arrays,
    check_dtype,
    suffix_of,
)
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import DType, int64, uint32, uint64
from tensorgrad.errors import ArgumentError, ShapeError

__all__ = [
    "ACTIVATIONS",
    "ActivationKernels",
    "CheckKernels",
    "RandomKernels",
    "RowKernels",
    "SumKernels",
    "dtype_suffix_of",
    "source_of",
]

# Which file of kernels/ holds a kernel: by its name without the suffix of the dtype, _backward and _backward_bias.
_FILES = {
    "relu.cu": "relu leaky_relu",
    "gelu.cu": "gelu gelu_tanh",
    "sigmoid.cu": "sigmoid tanh silu",
    "softmax.cu": "softmax log_softmax",
    "softmax_cross_entropy.cu": "softmax_cross_entropy softmax_cross_entropy_gradient",
    "philox.cu": "random_bits random_words64 random_integers random_uniform random_normal random_bernoulli",
    "dropout.cu": "dropout",
    "reduce.cu": "column_sums column_finish norm_parts norm_finish scale_tensors clamp_tensors nonfinite",
    "adam.cu": "adam adam_prepare",
    "sgd.cu": "sgd sgd_prepare",
    "rmsprop.cu": "rmsprop rmsprop_prepare",
    "adagrad.cu": "adagrad adagrad_prepare",
    "checks.cu": "check_bounds wrap_indices check_range",
}
_SOURCES = {name: file for file, names in _FILES.items() for name in names.split()}
_ENDINGS = re.compile(rf"(_backward|_backward_bias)?(_({'|'.join(SUFFIXES.values())}))?$")


def source_of(kernel: str) -> str:
    """The file of kernels/ that holds a kernel: `source_of("gelu_backward_f32") == "gelu.cu"`."""
    file = _SOURCES.get(_ENDINGS.sub("", kernel))
    if file is None:
        raise ArgumentError(f"source_of: no file of kernels/ holds {kernel!r}; there are {', '.join(_SOURCES)}")
    return file


def dtype_suffix_of(kernel: str) -> str:
    """What a kernel's name says of its dtype: `dtype_suffix_of("adam_f32") == "f32"`, `("adam_prepare") == ""`."""
    last = kernel.rpartition("_")[2]
    return last if last in SUFFIXES.values() else ""


# What each activation's backward is given: its result, or its argument (then also the bias, which is added again).
# Of leaky_relu the result serves as well, where its slope is not negative.
ACTIVATIONS = {
    "relu": "output",
    "sigmoid": "output",
    "tanh": "output",
    "leaky_relu": "input",
    "gelu": "input",
    "gelu_tanh": "input",
    "silu": "input",
}

_YES, _NO = np.int32(1), np.int32(0)


class ActivationKernels:
    """act(x + bias) and its gradients. Arrays are (..., columns), the bias (columns,) or None."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def forward(self, name: str, x: Array, bias: Array | None, out: Array, *, alpha: float = 0.0) -> None:
        """out = act(x + bias); `out` may be `x` where the gradient needs only the result."""
        op = f"{name} kernel"
        columns = _checked(op, name, x, bias, x=x, out=out)
        bias, has_bias = _optional(bias, x)
        args = (x, bias, has_bias, out, x.size, columns, float(alpha))
        self._launcher.flat(f"{name}_{suffix_of(x)}", x.size, _each(x), *args)

    def backward(self, name: str, g: Array, saved: Array, bias: Array | None, dx: Array, *, alpha: float = 0.0) -> None:
        """dx = g act'; `saved` is act's result or its argument less `bias` (see ACTIVATIONS). dx may be g or saved."""
        op = f"{name}_backward kernel"
        columns = _checked(op, name, g, bias, g=g, saved=saved, dx=dx)
        bias, has_bias = _optional(bias, g)
        args = (g, saved, bias, has_bias, dx, g.size, columns, float(alpha))
        self._launcher.flat(f"{name}_backward_{suffix_of(g)}", g.size, _each(g), *args)

    def backward_bias(
        self, name: str, g: Array, saved: Array, bias: Array | None, dx: Array, db: Array, *, alpha: float = 0.0
    ) -> None:
        """As `backward`, and db (columns,) = the sum of dx over all rows, added in float32 (float64 for float64)."""
        op = f"{name}_backward_bias kernel"
        columns = _checked(op, name, g, bias, g=g, saved=saved, dx=dx)
        check_arrays(op, g.dtype, (columns,), db=db)
        bias, has_bias = _optional(bias, g)
        sums = SumKernels(self._launcher)
        args = (g, saved, bias, has_bias, dx)
        sums.two_stages(f"{name}_backward_bias", g, g.size // max(columns, 1), columns, db, args, (float(alpha),))


class SumKernels:
    """Sums over the rows of a matrix: the same bits in every run."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def column_sums(self, x: Array, out: Array) -> None:
        """out (columns,) = the sum of x (rows, columns) over its rows, added in float32 (float64 for float64)."""
        op = "column_sums kernel"
        check_dtype(op, "x", x)
        rows, columns = _matrix(op, x)
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
        partial = launcher.empty((slabs, columns), wide)
        kernel = launcher.get_function(f"{name}_{suffix_of(x)}")
        kernel((tiles, slabs), block, (*before, partial, rows, columns, height, *after))
        tiles, block = launcher.tiles(columns, wide.itemsize)
        kernel = launcher.get_function(f"column_finish_{suffix_of(x)}")
        kernel((tiles,), block, (partial, out, slabs, columns))


class RowKernels:
    """Softmax along the last axis, and the cross-entropy of labels. `out` may be any of the inputs of its shape."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def softmax(self, x: Array, out: Array) -> None:
        """exp(x) / sum(exp(x)) along the last axis."""
        self._forward("softmax", x, out)

    def log_softmax(self, x: Array, out: Array) -> None:
        """x - log(sum(exp(x))) along the last axis."""
        self._forward("log_softmax", x, out)

    def softmax_backward(self, g: Array, y: Array, out: Array) -> None:
        """y (g - sum(g y)) along the last axis, y = softmax(x)."""
        self._backward("softmax_backward", g, y, out)

    def log_softmax_backward(self, g: Array, y: Array, out: Array) -> None:
        """g - exp(y) sum(g) along the last axis, y = log_softmax(x)."""
        self._backward("log_softmax_backward", g, y, out)

    def cross_entropy(self, logits: Array, labels: Array, losses: Array, probabilities: Array) -> None:
        """losses (rows,) and probabilities of logits (rows, columns), for int64 labels (rows,); nan for a label out of
        range."""
        name = "softmax_cross_entropy"
        rows, columns = self._loss_shapes(name, logits, labels, losses, probabilities)
        args = (logits, labels, losses, probabilities, rows, columns)
        self._launcher.rows(f"{name}_{suffix_of(logits)}", rows, columns, *args)

    def cross_entropy_gradient(self, logits: Array, labels: Array, scale: Array, losses: Array, out: Array) -> None:
        """losses, and out = scale (probabilities - one-hot label), for a `scale` of each row (rows elements) or of all
        (one)."""
        name = "softmax_cross_entropy_gradient"
        rows, columns = self._loss_shapes(name, logits, labels, losses, out)
        stride = _scale_stride(name, logits, scale, rows)
        args = (logits, labels, scale, stride, losses, out, rows, columns)
        self._launcher.rows(f"{name}_{suffix_of(logits)}", rows, columns, *args)

    def cross_entropy_backward(self, scale: Array, probabilities: Array, labels: Array, out: Array) -> None:
        """out = scale (probabilities - one-hot label); `scale` as above."""
        name = "softmax_cross_entropy_backward"
        rows, columns = self._loss_shapes(name, probabilities, labels, None, out)
        stride = _scale_stride(name, probabilities, scale, rows)
        args = (scale, stride, probabilities, labels, out, rows, columns)
        self._launcher.rows(f"{name}_{suffix_of(out)}", rows, columns, *args)

    def _forward(self, name: str, x: Array, out: Array) -> None:
        rows, columns = _rows(name, x, x=x, out=out)
        self._launcher.rows(f"{name}_{suffix_of(x)}", rows, columns, x, out, rows, columns)

    def _backward(self, name: str, g: Array, y: Array, out: Array) -> None:
        rows, columns = _rows(name, g, g=g, y=y, out=out)
        self._launcher.rows(f"{name}_{suffix_of(g)}", rows, columns, g, y, out, rows, columns)

    def _loss_shapes(self, name: str, x: Array, labels: Array, losses: Array | None, out: Array) -> tuple[int, int]:
        op = f"{name} kernel"
        check_dtype(op, "the rows", x)
        rows, columns = _matrix(op, x)
        check_arrays(op, x.dtype, x.shape, x=x, out=out)
        check_arrays(op, int64, (rows,), labels=labels)
        if losses is not None:
            check_arrays(op, x.dtype, (rows,), losses=losses)
        return rows, columns


class RandomKernels:
    """Draws of a key (uint64[2]: seed, offset in blocks of four words), and dropout: see backends/philox.py."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def bits(self, key: Array, out: Array) -> None:
        """uint32 words."""
        self._draw("random_bits", key, out, uint32, 4)

    def words64(self, key: Array, out: Array) -> None:
        """uint64, of two words each, the first one low."""
        self._draw("random_words64", key, out, uint64, 2)

    def integers(self, key: Array, out: Array, low: int, high: int) -> None:
        """int64 in [low, high)."""
        if not low < high or high - low >= 1 << 63:
            raise ArgumentError(f"random_integers kernel: low must be below high by less than 2^63, got {low}, {high}")
        self._draw("random_integers", key, out, int64, 2, low, high - low)

    def uniform(self, key: Array, out: Array) -> None:
        """Numbers in [0, 1)."""
        self._draw(f"random_uniform_{_float_suffix('random_uniform', out)}", key, out, out.dtype, _each(out))

    def normal(self, key: Array, out: Array) -> None:
        """Standard normal numbers."""
        self._draw(f"random_normal_{_float_suffix('random_normal', out)}", key, out, out.dtype, _each(out))

    def bernoulli(self, key: Array, out: Array, p: float) -> None:
        """1 with probability p, else 0."""
        name = f"random_bernoulli_{_float_suffix('random_bernoulli', out)}"
        self._draw(name, key, out, out.dtype, _each(out), float(p))

    def dropout(self, x: Array, key: Array, p: float, out: Array, mask: Array | None) -> None:
        """out = x mask, mask = 0 with probability p, else 1 / (1 - p). Without a mask nothing is kept: the gradient is
        the dropout of the gradient under the same key. `out` may be `x`."""
        op = "dropout kernel"
        check_dtype(op, "x", x)
        check_arrays(op, x.dtype, x.shape, x=x, out=out, mask=out if mask is None else mask)
        check_arrays(op, uint64, (2,), key=key)
        if not 0 <= p < 1:
            raise ArgumentError(f"{op}: p must be in [0, 1), got {p}")
        mask, has_mask = _optional(mask, out)
        args = (x, key, out, mask, has_mask, x.size, float(p), 1 / (1 - p))
        self._launcher.flat(f"dropout_{suffix_of(x)}", x.size, max(4, _each(x)), *args)

    def _draw(self, name: str, key: Array, out: Array, dtype: DType, each: int, *more: Any) -> None:
        check_arrays(f"{name} kernel", dtype, None, out=out)
        check_arrays(f"{name} kernel", uint64, (2,), key=key)
        self._launcher.flat(name, out.size, each, key, out, out.size, *more)


class CheckKernels:
    """Checks of indices and numbers that the host does not wait for.

    `error` is int64[8], zeros at first: code, where, value, position, low, high, launch and a lock. The first launch
    that finds something while the code is 0 sets the others, for the least position; later ones leave them. The host
    clears the code alone. Whatever shares the word is launched through one CheckKernels, which counts the launches, on
    any stream and from any thread. `where` is the caller's number of the check.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._launches = itertools.count(1)

    def check_bounds(self, indices: Array, low: int, high: int, code: int, where: int, error: Array) -> None:
        """Report the first index outside [low, high) as `code` (not 0)."""
        suffix = self._checked("check_bounds kernel", INTEGERS, code, error, indices=indices)
        args = (indices, indices.size, low, high, code, where, next(self._launches), error)
        self._launcher.flat(f"check_bounds_{suffix}", indices.size, 4, *args)

    def wrap_indices(self, indices: Array, out: Array, size: int, code: int, where: int, error: Array) -> None:
        """out = indices counted from the start, reporting the first outside [-size, size), for which 0 stands in `out`.
        `out` may not be `indices`."""
        suffix = self._checked("wrap_indices kernel", INTEGERS, code, error, indices=indices, out=out)
        if out.data.ptr == indices.data.ptr and out.size:
            raise ArgumentError("wrap_indices kernel: out must be another array than indices")
        args = (indices, out, indices.size, size, code, where, next(self._launches), error)
        self._launcher.flat(f"wrap_indices_{suffix}", indices.size, 4, *args)

    def check_range(self, x: Array, low: float, high: float, code: int, where: int, error: Array) -> None:
        """Report the first element that does not lie in [low, high], as nan does not. The bounds are numbers of x's
        dtype; value, low and high are reported as the bits of doubles."""
        suffix = self._checked("check_range kernel", FLOATS, code, error, x=x)
        args = (x, x.size, float(low), float(high), code, where, next(self._launches), error)
        self._launcher.flat(f"check_range_{suffix}", x.size, _each(x), *args)

    def check_finite(self, x: Array, code: int, where: int, error: Array) -> None:
        """Report the first element that is nan or infinite, as `check_range` does."""
        greatest = float(np.finfo(arithmetic_dtype(x.dtype)).max)
        self.check_range(x, -greatest, greatest, code, where, error)

    def _checked(self, op: str, dtypes: tuple[str, ...], code: int, error: Array, **arrays: Array) -> str:
        name, first = next(iter(arrays.items()))
        check_dtype(op, name, first, dtypes)
        check_arrays(op, first.dtype, first.shape, **arrays)
        check_arrays(op, int64, (8,), error=error)
        if code == 0:
            raise ArgumentError(f"{op}: code must not be 0, which says that nothing is wrong")
        return suffix_of(first)


# ---------------------------------------------------------------------- checks
def _checked(op: str, name: str, x: Array, bias: Array | None, /, **arrays: Array) -> int:
    """The number of columns, once everything fits together."""
    if name not in ACTIVATIONS:
        raise ArgumentError(f"{op}: expected one of {', '.join(ACTIVATIONS)}, got {name!r}")
    check_dtype(op, next(iter(arrays)), x)
    check_arrays(op, x.dtype, x.shape, **arrays)
    columns: int = x.shape[-1] if x.shape else 1
    if bias is not None:
        check_arrays(op, x.dtype, (columns,), bias=bias)
    return columns


def _optional(x: Array | None, stand_in: Array) -> tuple[Array, np.int32]:
    """An array that may be missing, as a kernel takes it: some pointer of the right type, and whether to follow it."""
    return (stand_in, _NO) if x is None else (x, _YES)


def _each(x: Array) -> int:
    """How many elements 16 bytes hold."""
    return 16 // int(x.dtype.itemsize)


def _float_suffix(op: str, x: Array) -> str:
    check_dtype(f"{op} kernel", "out", x)
    return suffix_of(x)


def _matrix(op: str, x: Array) -> tuple[int, int]:
    if len(x.shape) != 2:
        raise ShapeError(f"{op}: expected (rows, columns), got shape {x.shape}")
    return x.shape[0], x.shape[1]


def _rows(name: str, x: Array, /, **arrays: Array) -> tuple[int, int]:
    op = f"{name} kernel"
    check_dtype(op, next(iter(arrays)), x)
    if not x.shape:
        raise ShapeError(f"{op}: expected at least one dimension, got shape ()")
    check_arrays(op, x.dtype, x.shape, **arrays)
    return math.prod(x.shape[:-1]), x.shape[-1]


def _scale_stride(name: str, x: Array, scale: Array, rows: int) -> int:
    check_arrays(f"{name} kernel", x.dtype, None, scale=scale)
    if scale.size not in (1, rows):
        raise ShapeError(f"{name} kernel: scale must have one element or {rows}, got shape {scale.shape}")
    return 0 if scale.size == 1 else 1

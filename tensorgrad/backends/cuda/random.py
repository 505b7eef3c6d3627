"""Random numbers: their kernels' launches (see `activation.py` for what they ask of arrays), and their primitives.

Of numbers that are drawn there is no composition to fall back on: an `out` of another dtype is an error.
"""

from __future__ import annotations

from typing import Any

from tensorgrad.backends.cuda.launch import (
    Launcher,
    check_arrays,
    check_dtype,
    float_suffix,
    optional,
    per_vector,
    suffix_of,
    suits,
)
from tensorgrad.backends.cuda.override import KernelOverrides, or_composition, without_gaps
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.backends.primitives.random import RandomPrimitives
from tensorgrad.dtypes import DType, int64, uint32, uint64
from tensorgrad.errors import ArgumentError

__all__ = ["CudaRandom", "RandomKernels"]


class RandomKernels:
    """Draws of a key (uint64[2]: seed, offset in blocks of four words), and dropout: see primitives/random.py."""

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
        self._draw(f"random_uniform_{float_suffix('random_uniform', out)}", key, out, out.dtype, per_vector(out))

    def normal(self, key: Array, out: Array) -> None:
        """Standard normal numbers."""
        self._draw(f"random_normal_{float_suffix('random_normal', out)}", key, out, out.dtype, per_vector(out))

    def bernoulli(self, key: Array, out: Array, p: float) -> None:
        """1 with probability p, else 0."""
        name = f"random_bernoulli_{float_suffix('random_bernoulli', out)}"
        self._draw(name, key, out, out.dtype, per_vector(out), float(p))

    def dropout(self, x: Array, key: Array, p: float, out: Array, mask: Array | None) -> None:
        """out = x mask, mask = 0 with probability p, else 1 / (1 - p). Without a mask nothing is kept: the gradient is
        the dropout of the gradient under the same key. `out` may be `x`."""
        op = "dropout kernel"
        check_dtype(op, "x", x)
        check_arrays(op, x.dtype, x.shape, x=x, out=out, mask=out if mask is None else mask)
        check_arrays(op, uint64, (2,), key=key)
        if not 0 <= p < 1:
            raise ArgumentError(f"{op}: p must be in [0, 1), got {p}")
        mask, has_mask = optional(mask, out)
        args = (x, key, out, mask, has_mask, x.size, float(p), 1 / (1 - p))
        self._launcher.flat(f"dropout_{suffix_of(x)}", x.size, max(4, per_vector(x)), *args)

    def _draw(self, name: str, key: Array, out: Array, dtype: DType, each: int, *more: Any) -> None:
        check_arrays(f"{name} kernel", dtype, None, out=out)
        check_arrays(f"{name} kernel", uint64, (2,), key=key)
        self._launcher.flat(name, out.size, each, key, out, out.size, *more)


class CudaRandom(KernelOverrides, RandomPrimitives):
    """Mixin of CudaBackend."""

    _random: RandomKernels

    @without_gaps
    def random_bits(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        out = self.empty((count,), uint32) if out is None else out
        self._random.bits(self._contiguous(key), out)
        return out

    @without_gaps
    def random_words64(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        out = self.empty((count,), uint64) if out is None else out
        self._random.words64(self._contiguous(key), out)
        return out

    @or_composition(RandomPrimitives.random_integers)
    def random_integers(
        self, key: Array, shape: Shape, low: int, high: int, *, out: Array | None = None
    ) -> Array | None:
        if high > 1 << 63 or high - low >= 1 << 63:
            return None
        out = self.empty(shape, int64) if out is None else out
        self._random.integers(self._contiguous(key), out, low, high)
        return out

    @without_gaps
    def random_uniform(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        out = self.empty(shape, dtype) if out is None else out
        self._random.uniform(self._contiguous(key), out)
        return out

    @without_gaps
    def random_normal(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        out = self.empty(shape, dtype) if out is None else out
        self._random.normal(self._contiguous(key), out)
        return out

    @or_composition(RandomPrimitives.random_bernoulli)
    def random_bernoulli(
        self, key: Array, shape: Shape, p: float, dtype: DType, *, out: Array | None = None
    ) -> Array | None:
        out = self.empty(shape, dtype) if out is None else out
        if not suits(out):
            return None
        self._random.bernoulli(self._contiguous(key), out, p)
        return out

    @or_composition(RandomPrimitives.dropout)
    def dropout(
        self, x: Array, key: Array, p: float, *, out: tuple[Array, Array] | None = None
    ) -> tuple[Array, Array] | None:
        x = self._contiguous(x)
        if not suits(x, *(out or ())) or not 0 <= p < 1:
            return None
        result, mask = out or (self.empty(x.shape, x.dtype), self.empty(x.shape, x.dtype))
        self._random.dropout(x, self._contiguous(key), p, result, mask)
        return result, mask

    @or_composition(RandomPrimitives.dropout_backward)
    def dropout_backward(
        self, g: Array, mask: Array, key: Array, p: float, *, out: Array | None = None
    ) -> Array | None:
        g = self._contiguous(g)
        if not suits(g, *(() if out is None else (out,))) or not 0 <= p < 1:
            return None
        out = self.empty(g.shape, g.dtype) if out is None else out
        self._random.dropout(g, self._contiguous(key), p, out, None)
        return out

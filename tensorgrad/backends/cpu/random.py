"""Philox on NumPy: ten rounds of five calls on pieces that stay in the cache, in memory that is used again
and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import given, into
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.backends.primitives.random import (
    KEY_STEPS,
    MASK,
    MULTIPLIERS,
    ROUNDS,
    RandomPrimitives,
    words_of_normal,
    words_per_number,
)
from tensorgrad.dtypes import DType, uint32, uint64

__all__ = ["CpuRandom"]

# Blocks at a time. Half of it and NumPy's iterator, which buffers up to 8192 elements, shows; twice that and
# the scratch (64 bytes a block) leaves the second-level cache.
_PIECE = 12288
_INDEX = np.arange(_PIECE, dtype=uint64)
_FACTORS = np.array(MULTIPLIERS, uint64)[:, None]
_KEY_TABLE = (np.arange(ROUNDS, dtype=uint64)[:, None] * np.array(KEY_STEPS, uint64))[:, :, None]
_MASK = np.array(MASK, uint64)
_32 = np.array(32, uint64)


class _Scratch(threading.local):
    """Memory that each thread keeps: fresh pages would cost a third of a draw."""

    def __init__(self) -> None:
        self.wide = np.empty((4, 2, _PIECE), uint64)
        self.bits = np.empty((_PIECE, 4), uint32)


_scratch = _Scratch()


class CpuRandom(RandomPrimitives):
    """Mixin of `CpuBackend`: the same bits as the compositions of `RandomPrimitives`."""

    def random_bits(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        blocks = -(-count // 4)
        words = np.empty((blocks, 4), uint32) if out is None else self.scratch((blocks, 4), uint32)
        for start, keys, offset in _pieces(key, blocks):
            _encrypt(offset, keys, words[start : start + _PIECE])
        return given(words.reshape(-1)[:count], out)

    def random_uniform(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        return self._converted(key, shape, dtype, words_per_number(dtype), self._bits_to_uniform, out)

    def random_normal(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        return self._converted(key, shape, dtype, words_of_normal(dtype), self._bits_to_normal, out)

    def _converted(
        self, key: Array, shape: Shape, dtype: DType, words: int, convert: Callable[[Array, DType], Array],
        out: Array | None,
    ) -> Array:  # fmt: skip
        """Convert the words of a draw piece by piece, while they are in the cache."""
        if out is None:
            result = np.empty(shape, dtype)
        else:
            result = out if out.flags.c_contiguous else self.scratch(shape, dtype)
        flat = result.reshape(-1)
        blocks = -(-flat.size * words // 4)
        for start, keys, offset in _pieces(key, blocks):
            bits = _scratch.bits[: min(_PIECE, blocks - start)]
            _encrypt(offset, keys, bits)
            target = flat[start * 4 // words :][: 4 * _PIECE // words]
            target[...] = convert(bits.reshape(-1), dtype)[: len(target)]
        return result if out is None or result is out else into(out, result)


def _pieces(key: Array, blocks: int) -> Iterator[tuple[int, Array, Any]]:
    """For each piece its first block, the keys of the rounds and its first counter."""
    seed, offset = key[0:1], key[1:2]
    halves = np.array((seed & _MASK, seed >> _32))
    keys = (halves + _KEY_TABLE) & _MASK
    for start in range(0, blocks, _PIECE):
        yield start, keys, offset + np.array(start, uint64)


def _encrypt(offset: Array, keys: Array, out: Array) -> None:
    """Write the blocks whose counters start at `offset` to `out` (n, 4)."""
    n = len(out)
    x, product, spare, y = _scratch.wide[:, :, :n]
    np.add(_INDEX[:n], offset, out=product[0])
    np.bitwise_and(product[0], _MASK, out=x[0])
    np.right_shift(product[0], _32, out=y[0])
    x[1] = y[1] = 0
    # The rows of x are words 0 and 2. Those of y are words 1 and 3 with the rest of the product still above
    # them: one mask, after the xor, removes both what was above and what the next product must not see.
    for key in keys:
        np.multiply(x, _FACTORS, out=product)
        swapped = product[::-1]
        np.right_shift(swapped, _32, out=x)
        np.bitwise_xor(x, y, out=x)
        np.bitwise_xor(x, key, out=x)
        np.bitwise_and(x, _MASK, out=x)
        y, product, spare = swapped, spare, product
    for row in (0, 1):
        out[:, 2 * row] = x[row]
        np.copyto(out[:, 2 * row + 1], y[row], casting="unsafe")

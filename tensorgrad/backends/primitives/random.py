"""The composite primitives of random numbers: pure functions of a key that stays on the device.

Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
It encrypts a counter, so each number depends on its position alone: the same on every device, whatever the
number of threads.

- `key` is a uint64 array (seed, offset). The Philox key is (low half of seed, high half of seed); block i of
  a draw encrypts the 128-bit counter (offset + i, 0), in little-endian words of 32 bits, to four words.
- A draw's words are block 0's four, then block 1's, ...; a number takes `words_per_number` of them in turn.
- The offset counts blocks. A draw uses `random_blocks` of them; its owner then moves the offset on by as
  many.

Nothing here reads the key on the host or branches on it, so a recorded draw gives fresh numbers when it is
replayed.
"""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.primitives.basic import Array, Primitives, Shape, delivered
from tensorgrad.dtypes import DType, float16, float32, float64, int64, uint32, uint64, wrap_integer

__all__ = ["RandomPrimitives", "words_of_normal", "words_per_number"]

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
MASK = 0xFFFFFFFF


def words_per_number(dtype: DType) -> int:
    """How many 32-bit words one number of `dtype` is made of; integers are made of 64 random bits."""
    return 2 if dtype in (float64, uint64) else 1


def words_of_normal(dtype: DType) -> int:
    """How many words a normal number is made of; two of them share twice as many."""
    return 2 if dtype == float64 else 1


class RandomPrimitives(Primitives, composes=True):
    """Default compositions out of basic primitives, on uint64 arrays."""

    multiply_unless_zero: Any  # of the activations, which every backend has

    def next_key(self, state: Array, blocks: int, *, out: Array | None = None) -> Array:
        """The key of a draw of `blocks` blocks: a copy of a generator's `state` (uint64[2]), whose offset moves on by
        as many. So whoever notes calls sees how far a draw goes."""
        key = self.copy(state, out=out)
        offset = self.getitem(state, (slice(1, 2),))
        self.add(offset, blocks, out=offset)
        return key

    def random_blocks(self, count: int, dtype: DType) -> int:
        """How many blocks a draw of `count` numbers of `dtype` uses."""
        return -(-count * words_per_number(dtype) // 4)

    def random_bits(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        """uint32[count]: the words of the draw."""
        blocks = -(-count // 4)
        index = self.arange(0, blocks, 1, uint64)
        position = self.add(index, self.getitem(key, (slice(1, 2),)))
        seed = self.getitem(key, (slice(0, 1),))
        zero = self.bitwise_and(index, 0)
        counter = (*self._halves(position), zero, zero)
        words = [self.reshaped(w, (blocks, 1)) for w in self._philox_rounds(counter, self._halves(seed))]
        flat = self.reshaped(self.astype(self.concatenate(words, 1), uint32), (4 * blocks,))
        return delivered(self, self.getitem(flat, (slice(0, count),)), out)

    def _philox_rounds(self, counter: tuple[Array, ...], key: tuple[Array, ...]) -> tuple[Array, ...]:
        """Encrypt four counter words with two key words: uint64 arrays of values below 2^32 in and out."""
        c0, c1, c2, c3 = counter
        k0, k1 = key
        for _ in range(ROUNDS):
            high0, low0 = self._wide_product(c0, MULTIPLIERS[0])
            high1, low1 = self._wide_product(c2, MULTIPLIERS[1])
            c0, c1 = self.bitwise_xor(self.bitwise_xor(high1, c1), k0), low1
            c2, c3 = self.bitwise_xor(self.bitwise_xor(high0, c3), k1), low0
            k0 = self.bitwise_and(self.add(k0, KEY_STEPS[0]), MASK)
            k1 = self.bitwise_and(self.add(k1, KEY_STEPS[1]), MASK)
        return c0, c1, c2, c3

    def random_uniform(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        """Numbers in [0, 1), evenly spaced: multiples of 2^-24 (float32), 2^-53 (float64) or 2^-11
        (float16)."""
        count = math.prod(shape)
        bits = self.random_bits(key, count * words_per_number(dtype))
        return delivered(self, self.reshaped(self._bits_to_uniform(bits, dtype), shape), out)

    def _bits_to_uniform(self, bits: Array, dtype: DType) -> Array:
        """The top 24 bits of each word as a float32, 11 as a float16; the top 53 of each (low, high) pair as
        a float64."""
        if dtype == float64:
            return self.multiply(self.astype(self.right_shift(self._paired(bits), 11), float64), 2.0**-53)
        kept = 11 if dtype == float16 else 24
        return self.multiply(self.astype(self.right_shift(bits, 32 - kept), dtype), 2.0**-kept)

    def random_bernoulli(self, key: Array, shape: Shape, p: float, dtype: DType, *, out: Array | None = None) -> Array:
        """1 where a uniform number is below p, else 0; the number is float64 for float64, else float32."""
        drawn = self.random_uniform(key, shape, float64 if dtype == float64 else float32)
        return self.astype(self.less(drawn, p), dtype, out=out)

    def random_normal(self, key: Array, shape: Shape, dtype: DType, *, out: Array | None = None) -> Array:
        """Standard normal numbers: G. Box and M. Muller, "A note on the generation of random normal
        deviates", 1958.

        Numbers 2i and 2i + 1 are sqrt(-2 log u) times the cosine and the sine of 2 pi v, for u in (0, 1] made
        of all bits of number 2i and the uniform number v in [0, 1) made of number 2i + 1. A float16 is a
        float32, rounded.
        """
        count = math.prod(shape)
        words = words_of_normal(dtype)
        normal = self._bits_to_normal(self.random_bits(key, 2 * words * -(-count // 2)), dtype)
        return delivered(self, self.reshaped(self.getitem(normal, (slice(0, count),)), shape), out)

    def _bits_to_normal(self, bits: Array, dtype: DType) -> Array:
        """Normal numbers of the words of an even count of them."""
        if dtype == float16:
            return self.astype(self._bits_to_normal(bits, float32), dtype)
        words = words_of_normal(dtype)
        pairs = bits.shape[0] // (2 * words)
        split = self.reshaped(bits, (pairs, 2, words))
        u, v = (self.reshaped(self.getitem(split, (slice(None), i)), (pairs * words,)) for i in (0, 1))
        radius = self.sqrt(self.multiply(self.log(self._positive_uniform(u, dtype)), -2))
        angle = self.multiply(self._bits_to_uniform(v, dtype), 2 * math.pi)
        both = [self.reshaped(self.multiply(radius, f(angle)), (pairs, 1)) for f in (self.cos, self.sin)]
        return self.reshaped(self.concatenate(both, 1), (2 * pairs,))

    def random_words64(self, key: Array, count: int, *, out: Array | None = None) -> Array:
        """uint64[count]: two words each, the first one low."""
        return self._paired(self.random_bits(key, 2 * count), out)

    def random_integers(self, key: Array, shape: Shape, low: int, high: int, *, out: Array | None = None) -> Array:
        """int64 in [low, high): low + (64 random bits) modulo (high - low), so uneven by less than 2^-64
        (high - low). Numbers of uint64 are the bits of their int64."""
        words = self.reshaped(self.random_words64(key, math.prod(shape)), shape)
        if high - low < 1 << 64:
            words = self.remainder(words, high - low)
        return self.add(self.astype(words, int64), wrap_integer(low, int64), out=out)

    def dropout(self, x: Array, key: Array, p: float, *, out: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """(x * mask, mask): mask is 0 where the float32 uniform number is below p, else 1 / (1 - p). 0 <= p < 1.

        Where the mask is 0 the result is, whatever x.
        """
        kept = self.greater_equal(self.random_uniform(key, x.shape, float32), p)
        dropped, mask = out or (None, None)
        mask = self.multiply(self.astype(kept, x.dtype), 1 / (1 - p), out=mask)
        return self.multiply_unless_zero(mask, x, out=dropped), mask

    def dropout_backward(self, g: Array, mask: Array, key: Array, p: float, *, out: Array | None = None) -> Array:
        """g * mask, and 0 where the mask is 0, whatever g. A device may draw the mask again, by `key` and `p`."""
        return self.multiply_unless_zero(mask, g, out=out)

    # ------------------------------------------------------------------ pieces
    def _halves(self, wide: Array) -> tuple[Array, Array]:
        return self.bitwise_and(wide, MASK), self.right_shift(wide, 32)

    def _wide_product(self, x: Array, factor: int) -> tuple[Array, Array]:
        """The high and the low 32 bits of x * factor."""
        low, high = self._halves(self.multiply(x, factor))
        return high, low

    def _paired(self, bits: Array, out: Array | None = None) -> Array:
        """uint64 of each two words, the first one low."""
        pairs = self.astype(self.reshaped(bits, (bits.shape[0] // 2, 2)), uint64)
        low, high = (self.getitem(pairs, (slice(None), i)) for i in (0, 1))
        return self.bitwise_or(low, self.left_shift(high, 32), out=out)

    def _positive_uniform(self, bits: Array, dtype: DType) -> Array:
        """Numbers in (0, 1]: the middles of 2^32 (or 2^64) equal steps. Small ones keep all their bits: long
        tails."""
        words, size = (self._paired(bits), 64) if dtype == float64 else (bits, 32)
        return self.add(self.multiply(self.astype(words, dtype), 2.0**-size), 2.0 ** -(size + 1))

"""Philox4x32-10: known answers, the vectorised form against the composition, and the distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives.random import RandomPrimitives, words_per_number
from tensorgrad.dtypes import float16, float32, float64, uint64

B = CpuBackend()
FLOATS = (float16, float32, float64)

# The known answers published with the Random123 library: counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def _words(text: str) -> tuple[Any, ...]:
    return tuple(np.array([int(word, 16)], np.uint64) for word in text.split())


def _key(seed: int, offset: int = 0) -> Any:
    return np.array([seed, offset], np.uint64)


def _philox(counter: int, key: int) -> list[int]:
    """The cipher on Python's integers, in the words of the paper: an oracle that shares no code."""
    c = [counter >> 32 * i & 0xFFFFFFFF for i in range(4)]
    k = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


# ---------------------------------------------------------------------- bits
@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_known_answers(counter: str, key: str, result: str) -> None:
    got = B._philox_rounds(_words(counter), _words(key))
    assert [f"{int(word[0]):08x}" for word in got] == result.split()


def test_the_first_block_of_seed_zero_is_the_known_answer() -> None:
    assert " ".join(f"{word:08x}" for word in B.random_bits(_key(0), 4)) == KNOWN[0][2]


@pytest.mark.parametrize("offset", [0, 5, 2**32 - 2, 2**63 + 11, 2**64 - 4])
def test_blocks_encrypt_their_counters(offset: int) -> None:
    seed = 0x0123456789ABCDEF
    expected = [_philox(offset + i, seed) for i in range(4)]
    assert B.random_bits(_key(seed, offset), 16).reshape(4, 4).tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 4, 7, 4 * 12288, 4 * 12288 + 1, 150_001])
def test_vectorised_bits_are_the_compositions(count: int) -> None:
    key = _key(0xFEDCBA9876543210, 2**32 - 1000)
    bits = B.random_bits(key, count)
    assert bits.dtype == np.uint32
    np.testing.assert_array_equal(bits, RandomPrimitives.random_bits(B, key, count))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (7,), (3, 5), (60_001,)], ids=str)
def test_vectorised_numbers_are_the_compositions(dtype: Any, shape: tuple[int, ...]) -> None:
    key = _key(3, 17)
    for name in ("random_uniform", "random_normal"):
        got = getattr(B, name)(key, shape, dtype)
        expected = getattr(RandomPrimitives, name)(B, key, shape, dtype)
        assert (got.shape, got.dtype) == (shape, dtype)
        np.testing.assert_array_equal(got, expected)


def test_the_key_is_not_written() -> None:
    key = _key(1, 2)
    B.random_normal(key, (100,), float32)
    assert key.tolist() == [1, 2]


# ---------------------------------------------------------------------- positions
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_later_offset_continues_the_stream(dtype: Any) -> None:
    """Numbers depend on their position alone: two draws, one after the other, are one long draw."""
    half = 64
    both = B.random_uniform(_key(9), (2 * half,), dtype)
    second = B.random_uniform(_key(9, B.random_blocks(half, dtype)), (half,), dtype)
    np.testing.assert_array_equal(both[half:], second)


def test_random_blocks_covers_a_draw() -> None:
    assert [B.random_blocks(n, float32) for n in (0, 1, 4, 5)] == [0, 1, 1, 2]
    assert [B.random_blocks(n, float64) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert [B.random_blocks(n, uint64) for n in (0, 2, 3)] == [0, 1, 2]


# ---------------------------------------------------------------------- uniform numbers
@pytest.mark.parametrize(("dtype", "kept"), [(float16, 11), (float32, 24), (float64, 53)])
def test_uniform_numbers_are_the_top_bits(dtype: Any, kept: int) -> None:
    words = B.random_bits(_key(4), 64 * words_per_number(dtype)).tolist()
    if dtype == float64:
        wide = [low + (high << 32) for low, high in zip(words[::2], words[1::2], strict=True)]
        expected = [(w >> 64 - kept) / 2**kept for w in wide]
    else:
        expected = [(w >> 32 - kept) / 2**kept for w in words]
    assert B.random_uniform(_key(4), (64,), dtype).tolist() == expected


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_the_ends_of_the_interval(dtype: Any) -> None:
    ends = np.array([0, 0, 0xFFFFFFFF, 0xFFFFFFFF], np.uint32)
    low, *_, high = B._bits_to_uniform(ends, dtype).tolist()
    assert low == 0.0
    assert high == 1 - {float16: 2.0**-11, float32: 2.0**-24, float64: 2.0**-53}[dtype]


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_uniform_distribution(seed: int) -> None:
    u = B.random_uniform(_key(seed), (100_000,), float64)
    assert abs(u.mean() - 0.5) < 4 / np.sqrt(12 * u.size)
    assert abs(u.var() - 1 / 12) < 0.001
    assert stats.kstest(u, "uniform").pvalue > 0.001
    counts = np.histogram(B.random_uniform(_key(seed), (100_000,), float32), 100, (0, 1))[0]
    assert stats.chisquare(counts).pvalue > 0.001


def test_bits_are_balanced_and_neighbours_independent() -> None:
    bits = B.random_bits(_key(77), 200_000)
    ones = [int((bits >> np.uint32(i) & np.uint32(1)).sum()) for i in range(32)]
    assert max(abs(n - 100_000) for n in ones) < 4 * np.sqrt(50_000)
    high = (bits >> np.uint32(28)).astype(np.int64)
    pairs = np.bincount(high[:-1:2] * 16 + high[1::2], minlength=256)
    assert stats.chisquare(pairs).pvalue > 0.001


def test_neighbouring_seeds_and_offsets_are_uncorrelated() -> None:
    n = 50_000
    base = B.random_normal(_key(5), (n,), float64)
    for other in (_key(6), _key(5, n), _key(5 + 2**32)):
        assert abs(np.corrcoef(base, B.random_normal(other, (n,), float64))[0, 1]) < 4 / np.sqrt(n)


# ---------------------------------------------------------------------- normal numbers
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_normal_numbers_are_box_mullers(dtype: Any) -> None:
    """Against the formula in float64 on the words; float32 loses a few roundings of an angle up to 2 pi."""
    wide = dtype == float64
    words = B.random_bits(_key(8), 400 * (2 if wide else 1)).astype(np.float64)
    x = words[::2] + words[1::2] * 2.0**32 if wide else words
    u, v = (x[::2] + 0.5) / 2.0 ** (64 if wide else 32), x[1::2] / 2.0 ** (64 if wide else 32)
    radius = np.sqrt(-2 * np.log(u))
    expected = np.stack([radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)], 1).reshape(-1)
    slack = {float16: 5e-3, float32: 4e-6, float64: 1e-13}[dtype]
    np.testing.assert_allclose(B.random_normal(_key(8), (400,), dtype), expected, rtol=0, atol=slack)


@pytest.mark.parametrize("dtype", [float32, float64], ids=str)
@pytest.mark.parametrize("seed", [0, 42])
def test_normal_distribution(dtype: Any, seed: int) -> None:
    z = B.random_normal(_key(seed), (100_000,), dtype).astype(np.float64)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert abs(stats.kurtosis(z)) < 0.07


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_extreme_words_give_finite_normal_numbers(dtype: Any) -> None:
    ends = np.array([0, 0, 0xFFFFFFFF, 0xFFFFFFFF] * 2, np.uint32)
    z = B._bits_to_normal(ends, dtype)
    assert np.isfinite(z).all()
    assert abs(z).max() > 6  # the tail reaches as far as 32 bits allow


# ---------------------------------------------------------------------- integers and dropout
def test_integers_are_the_words_modulo_the_range() -> None:
    words = B.random_words64(_key(2), 50).tolist()
    got = B.random_integers(_key(2), (5, 10), -3, 4)
    assert got.dtype == np.int64
    assert got.reshape(-1).tolist() == [w % 7 - 3 for w in words]
    widest = B.random_integers(_key(2), (50,), -(2**63), 2**63 - 1).tolist()
    assert widest == [w % (2**64 - 1) - 2**63 for w in words]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_dropout(p: float, dtype: Any) -> None:
    x = np.linspace(-2, 2, 40_000, dtype=np.float64).astype(dtype).reshape(200, 200)
    out, mask = B.dropout(x, _key(6), p)
    u = B.random_uniform(_key(6), x.shape, float32)
    assert out.dtype == mask.dtype == dtype
    np.testing.assert_array_equal(mask, np.where(u < np.float32(p), 0, 1 / (1 - p)).astype(dtype))
    np.testing.assert_array_equal(out, x * mask)
    assert abs((mask == 0).mean() - p) < 4 * np.sqrt(p * (1 - p) / x.size)

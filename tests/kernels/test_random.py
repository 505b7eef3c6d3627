"""Philox and what is made of it: the bits and uniform numbers of the composition, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.random import RandomKernels
from tensorgrad.backends.kernel_files import FLOATS
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import EmulatedDevice
from tests.kernels.oracles import NORMAL_ERRORS

Array = Any
SIZES = (0, 1, 3, 31, 32, 33, 255, 1000, 4097)
KEYS = ((0, 0), (12345, 7), (2**64 - 1, 2**64 - 3), (1 << 40, 2**32 - 2))


def key_of(i: int) -> Array:
    return np.array(KEYS[i % len(KEYS)], np.uint64)


def sizes(device: EmulatedDevice) -> Any:
    return SIZES[2::3] if device.sanitizer else SIZES


def test_bits(device: EmulatedDevice) -> None:
    for i, size in enumerate(sizes(device)):
        key = key_of(i)
        kernels = RandomKernels(device.launcher((32, 64, 256)[i % 3]))
        out = device.array(np.zeros(size, np.uint32), offset=i % 4)
        kernels.bits(device.array(key), out)
        np.testing.assert_array_equal(out.array, B.random_bits(key, size))
        wide = device.array(np.zeros(size, np.uint64), offset=i % 2)
        kernels.words64(device.array(key), wide)
        np.testing.assert_array_equal(wide.array, B.random_words64(key, size))


def test_integers(device: EmulatedDevice) -> None:
    for i, (low, high) in enumerate([(0, 10), (-5, 5), (-(2**62), 2**62 - 1), (3, 4), (-7, 2**40)]):
        out = device.array(np.zeros(101, np.int64))
        RandomKernels(device.launcher()).integers(device.array(key_of(i)), out, low, high)
        np.testing.assert_array_equal(out.array, B.random_integers(key_of(i), (101,), low, high))


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_numbers_are_bit_identical(device: EmulatedDevice, dtype: str) -> None:
    for i, size in enumerate(sizes(device)):
        out = device.empty((size,), dtype, i % 8)
        RandomKernels(device.launcher((32, 64, 256)[i % 3])).uniform(device.array(key_of(i)), out)
        expected = B.random_uniform(key_of(i), (size,), np.dtype(dtype))
        np.testing.assert_array_equal(out.array, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal(device: EmulatedDevice, dtype: str) -> None:
    for i, size in enumerate(sizes(device)):
        out = device.empty((size,), dtype, i % 8)
        key = key_of(i)
        RandomKernels(device.launcher((32, 64, 256)[i % 3])).normal(device.array(key), out)
        working = np.dtype("float64" if dtype == "float64" else "float32")
        expected = B.random_normal(key, (size,), working)
        np.testing.assert_allclose(device.values(out).astype(np.float64), expected, rtol=0, atol=NORMAL_ERRORS[dtype])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_bernoulli(device: EmulatedDevice, dtype: str, p: float) -> None:
    out = device.empty((1000,), dtype, 1)
    RandomKernels(device.launcher()).bernoulli(device.array(key_of(1)), out, p)
    drawn = B.random_uniform(key_of(1), (1000,), np.dtype("float64" if dtype == "float64" else "float32"))
    np.testing.assert_array_equal(device.values(out), drawn < p)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_dropout(device: EmulatedDevice, dtype: str, p: float) -> None:
    rng = np.random.default_rng(1)
    for i, size in enumerate(sizes(device)):
        x, key = sample(rng, size, dtype), key_of(i)
        at, to = (0, 0) if i % 3 == 0 else (i % 8, i % 5)
        out, mask = device.empty((size,), dtype, to), device.empty((size,), dtype)
        kernels = RandomKernels(device.launcher((32, 128)[i % 2]))
        kernels.dropout(device.array(x, dtype, at), device.array(key), p, out, mask)
        for got, part in ((out, 0), (mask, 1)):
            check_error(
                device.values(got), dtype, lambda x, key, part: B.dropout(x, key, p)[part], x, key, np.array(part)
            )
        again = device.array(x, dtype, at)
        kernels.dropout(again, device.array(key), p, again, None)
        np.testing.assert_array_equal(device.values(again), device.values(out))

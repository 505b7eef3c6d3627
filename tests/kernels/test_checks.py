"""Bounds of indices, reported through the device's error word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda_kernels import CheckKernels
from tests.kernels.device import DeviceArray, EmulatedDevice

Array = Any
every_dtype = pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])


def word(device: EmulatedDevice) -> DeviceArray:
    return device.array(np.zeros(8, np.int64))


@every_dtype
def test_indices_in_range_leave_the_word_alone(device: EmulatedDevice, dtype: str) -> None:
    error = word(device)
    for size in (0, 1, 33, 1000):
        indices = device.array(np.arange(size) % 7, dtype, 1)
        CheckKernels(device.launcher(64)).check_bounds(indices, 0, 7, 1, 5, error)
    assert not error.array.any()


@every_dtype
@pytest.mark.parametrize("position", [0, 1, 31, 255, 999])
def test_the_first_offender_is_reported(device: EmulatedDevice, dtype: str, position: int) -> None:
    error, values = word(device), np.arange(1000) % 7
    values[position] = 9
    values[position + 1 :: 3] = 8  # more of them behind it
    CheckKernels(device.launcher(64)).check_bounds(device.array(values, dtype), 0, 7, 3, 42, error)
    assert error.array.tolist() == [3, 42, 9, position, 0, 7, 0, 0]


def test_the_first_launch_wins(device: EmulatedDevice) -> None:
    error, kernels = word(device), CheckKernels(device.launcher(64))
    kernels.check_bounds(device.array(np.array([1, 2, 3])), 0, 4, 1, 10, error)
    kernels.check_bounds(device.array(np.array([1, 4, 3])), 0, 4, 1, 11, error)
    kernels.check_bounds(device.array(np.array([-1, 4, 3])), 0, 4, 2, 12, error)
    assert error.array.tolist() == [1, 11, 4, 1, 0, 4, 0, 0]


@every_dtype
def test_wrapping(device: EmulatedDevice, dtype: str) -> None:
    error, rng = word(device), np.random.default_rng(1)
    for size in (0, 1, 33, 1000):
        values = rng.integers(0 if dtype == "uint8" else -7, 7, size)
        out = device.array(np.full(size, 99), dtype, 1)
        CheckKernels(device.launcher(64)).wrap_indices(device.array(values, dtype), out, 7, 1, 5, error)
        np.testing.assert_array_equal(out.array, np.where(values < 0, values + 7, values))
    assert not error.array.any()


def test_a_wrapped_index_outside_becomes_zero(device: EmulatedDevice) -> None:
    error, out = word(device), device.array(np.full(4, 99))
    values = device.array(np.array([6, -8, 7, -7]))
    CheckKernels(device.launcher(64)).wrap_indices(values, out, 7, 1, 5, error)
    assert out.array.tolist() == [6, 0, 0, 0]
    assert error.array.tolist() == [1, 5, -8, 1, -7, 7, 0, 0]

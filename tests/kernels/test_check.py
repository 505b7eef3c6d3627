"""Bounds of indices and of numbers, reported through the device's error word."""

from __future__ import annotations

import math
import multiprocessing
import shutil
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.check import CheckKernels
from tensorgrad.backends.kernel_files import FLOATS
from tests.kernels.device import DeviceArray, EmulatedDevice

Array = Any
every_integer = pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "uint8"])
every_float = pytest.mark.parametrize("dtype", FLOATS)
GREATEST = {"float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308, "float16": 65504.0}


def word(device: EmulatedDevice) -> DeviceArray:
    return device.array(np.zeros(8, np.int64))


def bits(value: float) -> int:
    """Of a double."""
    return int(np.float64(value).view(np.int64))


def noted(error: DeviceArray) -> list[int]:
    """Code, where, value, position, low, high; the lock is free."""
    assert error.array[7] == 0
    found: list[int] = error.array[:6].tolist()
    return found


# ---------------------------------------------------------------------- indices
@every_integer
def test_indices_in_range_leave_the_word_alone(device: EmulatedDevice, dtype: str) -> None:
    error = word(device)
    for size in (0, 1, 33, 1000):
        indices = device.array(np.arange(size) % 7, dtype, 1)
        CheckKernels(device.launcher(64)).check_bounds(indices, 0, 7, 1, 5, error)
    assert not error.array.any()


@every_integer
@pytest.mark.parametrize("position", [0, 1, 31, 255, 999])
def test_the_first_offender_is_reported(device: EmulatedDevice, dtype: str, position: int) -> None:
    error, values = word(device), np.arange(1000) % 7
    values[position] = 9
    values[position + 1 :: 3] = 8  # more of them behind it, in all the blocks
    CheckKernels(device.launcher(64)).check_bounds(device.array(values, dtype), 0, 7, 3, 42, error)
    assert noted(error) == [3, 42, 9, position, 0, 7]


def test_the_first_launch_wins(device: EmulatedDevice) -> None:
    error, kernels = word(device), CheckKernels(device.launcher(64))
    kernels.check_bounds(device.array(np.array([1, 2, 3])), 0, 4, 1, 10, error)
    kernels.check_bounds(device.array(np.array([1, 4, 3])), 0, 4, 1, 11, error)
    kernels.check_bounds(device.array(np.array([-1, 4, 3])), 0, 4, 2, 11, error)
    assert noted(error) == [1, 11, 4, 1, 0, 4]


def test_clearing_the_code_frees_the_word(device: EmulatedDevice) -> None:
    error, kernels = word(device), CheckKernels(device.launcher(64))
    kernels.check_bounds(device.array(np.array([4, 3])), 0, 4, 1, 11, error)
    error.array[0] = 0
    kernels.check_bounds(device.array(np.array([1, 2])), 0, 4, 1, 12, error)
    assert error.array[0] == 0
    kernels.check_range(device.array(np.array([0.5, 0.5, 2.0])), 0.0, 1.0, 3, 13, error)
    assert noted(error) == [3, 13, bits(2.0), 2, bits(0.0), bits(1.0)]


def test_a_replay_is_the_same_launch(device: EmulatedDevice) -> None:
    """A recorded launch keeps its number: what its second run finds further ahead stands instead."""
    error, values, launcher = word(device), device.array(np.array([0, 0, 9, 8])), device.launcher(64)
    args = (values, 4, 0, 7, 1, 5, 77, error)
    launcher.flat("check_bounds_i64", 4, 4, *args)
    values.array[:] = [0, 0, 0, 9]
    launcher.flat("check_bounds_i64", 4, 4, *args)
    assert noted(error) == [1, 5, 9, 2, 0, 7]
    values.array[:] = [0, 8, 0, 0]
    launcher.flat("check_bounds_i64", 4, 4, *args)
    assert noted(error) == [1, 5, 8, 1, 0, 7]


def launch_elsewhere(words: Any) -> None:
    """In another process: a launch that finds something, on the word that is shared with this one."""
    device, shared = EmulatedDevice(), np.frombuffer(words, np.int64)
    indices, error = device.array(np.array([0, 9])), DeviceArray(shared[:8])
    shared[8] = 1
    CheckKernels(device.launcher(64)).check_bounds(indices, 0, 7, 1, 5, error)


def test_a_block_waits_while_another_one_writes() -> None:
    if shutil.which("g++") is None:
        pytest.skip("the emulator needs g++")
    kernels = CheckKernels(EmulatedDevice().launcher(64))
    kernels.check_bounds(DeviceArray(np.zeros(1, np.int64)), 0, 7, 1, 5, DeviceArray(np.zeros(8, np.int64)))  # built
    spawn = multiprocessing.get_context("spawn")
    words = spawn.RawArray("q", 9)
    shared = np.frombuffer(words, np.int64)
    shared[7] = 1  # as if a block of another launch were writing
    process = spawn.Process(target=launch_elsewhere, args=(words,), daemon=True)
    process.start()
    while not shared[8] and process.is_alive():
        process.join(0.05)
    process.join(0.5)
    assert process.is_alive()
    assert shared[:7].tolist() == [0] * 7
    shared[7] = 0
    process.join(60)
    assert process.exitcode == 0
    assert noted(DeviceArray(shared[:8])) == [1, 5, 9, 1, 0, 7]


@every_integer
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
    assert noted(error) == [1, 5, -8, 1, -7, 7]


# ---------------------------------------------------------------------- numbers
@every_float
@pytest.mark.parametrize("offset", [0, 1, 3])
def test_numbers_in_range_leave_the_word_alone(device: EmulatedDevice, dtype: str, offset: int) -> None:
    error, rng = word(device), np.random.default_rng(2)
    for size in (0, 1, 33, 1001):
        values = rng.integers(0, 9, size) / 8  # the bounds are among them
        CheckKernels(device.launcher(64)).check_range(device.array(values, dtype, offset), 0.0, 1.0, 3, 5, error)
    assert not error.array.any()


@every_float
@pytest.mark.parametrize("position", [0, 1, 31, 255, 1000])
@pytest.mark.parametrize("value", [-0.125, 1.0078125, math.inf, -math.inf, math.nan])
def test_the_first_number_outside_is_reported(device: EmulatedDevice, dtype: str, position: int, value: float) -> None:
    error, values = word(device), np.arange(1001) % 5 / 4
    values[position] = value
    values[position + 1 :: 3] = 2.0
    CheckKernels(device.launcher(64)).check_range(device.array(values, dtype, 1), 0.0, 1.0, 3, 42, error)
    code, where, found, place, low, high = noted(error)
    assert (code, where, place, low, high) == (3, 42, position, bits(0.0), bits(1.0))
    np.testing.assert_array_equal(np.int64(found).view(np.float64), value)


@every_float
def test_every_number_is_finite_but_three(device: EmulatedDevice, dtype: str) -> None:
    error, kernels = word(device), CheckKernels(device.launcher(64))
    greatest = GREATEST[dtype]
    least = {"float32": 2.0**-149, "float64": 5e-324, "float16": 2.0**-24}[dtype]
    numbers = np.array([0.0, -0.0, 1.0, greatest, -greatest, least, -least])
    kernels.check_finite(device.array(numbers, dtype), 2, 5, error)
    kernels.check_finite(device.array(np.zeros(0), dtype), 2, 5, error)
    assert not error.array.any()
    for value in (math.nan, math.inf, -math.inf):
        for shape in ((), (7,)):
            error.array[0] = 0
            values = np.full(shape, greatest)
            values[(-1,) * len(shape)] = value
            kernels.check_finite(device.array(values, dtype), 2, 6, error)
            code, where, found, place, *_ = noted(error)
            assert (code, where, place) == (2, 6, 6 if shape else 0)
            np.testing.assert_array_equal(np.int64(found).view(np.float64), value)

"""The kernels' cases of `python -m bench.gpu`: do they launch every kernel, and see what is wrong? On the emulator."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.gpu_parts import cases_optimizer, kernel_driver
from bench.gpu_parts.kernel_cases import CASES, checked
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.activation import ACTIVATIONS
from tensorgrad.backends.kernel_files import SUFFIXES, kernel_folder
from tests.emulator import available, build

pytestmark = pytest.mark.skipif(not available(), reason="the emulator needs g++")

BY_NAME = {case.name: case for case in CASES}
SHAPE = (5, 33)


class Tampered(KernelDevice):
    """A device on which something happens instead of one kernel, or after it."""

    def __init__(self, cupy: Any, name: str, instead: Callable[..., None]) -> None:
        super().__init__(cupy)
        self._name, self._instead = name, instead

    def _function(self, name: str) -> Callable[..., None]:
        whole = super()._function(name)
        if name != self._name:
            return whole
        return lambda grid, block, args: self._instead(lambda: whole(grid, block, args), args)


# ---------------------------------------------------------------------- the kernels' cases
def test_arrays_longer_than_the_random_numbers_are_checked_as_well(cupy: Any) -> None:
    device = KernelDevice(cupy)
    device.drawn = 64
    run = kernel_driver.Run(device)
    run.launch_all(launch for launch in kernel_driver.all_launches([((29, 20), 1)]) if launch[1] in kernel_driver.FIRST)
    assert run.faults == []
    assert (run.runs, run.left_out) == (len(CASES), 0)


def test_every_kernel_of_every_file_is_launched_and_right(cupy: Any) -> None:
    run = kernel_driver.Run(KernelDevice(cupy))
    run.launch_all(kernel_driver.all_launches(kernel_driver.SHAPES[1:2]))
    written = {name for file in kernel_folder().rglob("*.cu") for name in build(file, [kernel_folder()]).kernels}
    assert run.faults == []
    assert set(run.as_json()["kernels"]) == written


def test_nothing_is_launched_when_the_time_is_over(cupy: Any) -> None:
    run = kernel_driver.Run(KernelDevice(cupy), end=time.time() - 1)
    run.launch_all(kernel_driver.wanted_launches())
    assert run.runs == 0
    assert run.left_out > 2 * len(CASES)


def test_nothing_is_launched_after_the_device_has_failed(cupy: Any, tmp_path: Path) -> None:
    class CUDADriverError(Exception):
        pass

    def fail(launch: Callable[[], None], args: tuple[Any, ...]) -> None:
        raise CUDADriverError("an illegal memory access was encountered")

    run = kernel_driver.Run(Tampered(cupy, f"{CASES[1].name}_f32", fail), tmp_path / "run.json")
    launches = list(kernel_driver.all_launches(kernel_driver.SHAPES[1:2]))
    run.launch_all(launches)
    before = len(CASES[0].dtypes)
    assert (run.runs, run.left_out) == (before, len(launches) - before - 1)
    (fault,) = json.loads((tmp_path / "run.json").read_text())["faults"]
    assert fault.endswith("CUDADriverError: an illegal memory access was encountered")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_kernel_that_writes_nothing_is_caught(cupy: Any, dtype: str) -> None:
    device = Tampered(cupy, f"gelu_{SUFFIXES[dtype]}", lambda launch, args: None)
    assert "165 elements are not written" in checked(BY_NAME["gelu"], device, dtype, SHAPE)[1]


def test_one_element_that_is_not_written_is_caught(cupy: Any) -> None:
    def skip_one(launch: Callable[[], None], args: tuple[Any, ...]) -> None:
        launch()
        args[3].view("uint32").reshape(-1)[7] = np.uint32(0xFFFFFFFF)

    fault = checked(BY_NAME["silu"], Tampered(cupy, "silu_f32", skip_one), "float32", SHAPE)[1]
    assert "1 elements are not written" in fault


@pytest.mark.parametrize(
    ("case", "kernel", "argument"),
    [
        ("tanh", "tanh_f32", 3),
        ("softmax", "softmax_f32", 1),
        ("random_uniform", "random_uniform_f32", 1),
        ("column_sums", "column_finish_f32", 1),
        ("gelu_backward_bias", "column_finish_f32", 1),
        ("scale_tensors", "scale_tensors_f32", None),
        ("adam", "adam_f32", None),
        ("norm", "norm_finish", None),
    ],
)
def test_a_wrong_result_is_caught(cupy: Any, case: str, kernel: str, argument: int | None) -> None:
    def spoil(launch: Callable[[], None], args: tuple[Any, ...]) -> None:
        if argument is None:
            return  # results in place stay as they were, others are rubbish
        launch()
        args[argument][...] += 0.01

    device = Tampered(cupy, kernel, spoil)
    assert checked(BY_NAME[case], device, "float32", SHAPE)[1] != ""


# Bytes an element over the itemsize, as the tops of the source files state them (from memory, not asked for).
BIAS = tuple(f"{name}_backward_bias" for name in ACTIVATIONS)
DRAWN = tuple(f"random_{what}" for what in ("bits", "words64", "integers", "uniform", "normal", "bernoulli"))
LOSSES = tuple(f"softmax_cross_entropy{what}" for what in ("", "_backward"))
COUNTS = {
    1: (*DRAWN, "check_bounds", "check_range", "column_sums", "norm"),
    2: (
        *ACTIVATIONS, "softmax", "log_softmax", *LOSSES,
        "dropout without mask", "wrap_indices", "scale_tensors", "clamp_tensors",
    ),
    3: (
        *(f"{name}_backward" for name in ACTIVATIONS), *BIAS, "softmax_backward", "log_softmax_backward",
        "dropout", "sgd",
    ),
    5: ("sgd momentum", "rmsprop", "adagrad"),
    7: ("adam", "rmsprop momentum", "rmsprop centered"),
    9: ("adam amsgrad", "rmsprop centered momentum"),
}  # fmt: skip
MOVED = {name: count for count, names in COUNTS.items() for name in names}
WITH_SMALL_ARRAY = tuple(case.name for case in cases_optimizer.CASES)  # of one row


def test_the_bytes_of_every_kernel_are_stated() -> None:
    assert set(MOVED) == set(BY_NAME)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bytes_moved_are_those_the_source_counts(cupy: Any, case: Any) -> None:
    rows, columns = 8, 16
    elements = (rows + (case.name in WITH_SMALL_ARRAY)) * columns
    for dtype in case.dtypes:
        moved = case.prepare(KernelDevice(cupy), dtype, (rows, columns)).moved
        assert moved == MOVED[case.name] * np.dtype(dtype).itemsize * elements


def test_long_arrays_repeat_their_block(cupy: Any) -> None:
    device = KernelDevice(cupy)
    device.offset = 3
    x = device.filled((7, 5), "float32", np.arange(4, dtype=np.float32))
    np.testing.assert_array_equal(device.values(x).reshape(-1), np.arange(35) % 4)
    assert x.data.ptr % 16 == 12

"""Cases of the checks of indices and numbers."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.check import CheckKernels
from tensorgrad.backends.kernel_files import INTEGERS
from tests.kernels.comparing import expect

__all__ = ["CASES"]

Array = Any
CODE, WHERE = 1, 3
CHECKED = 1 << 20
BOUND, FAR = 32.0, 64.0  # no normal number that is drawn is so far from zero


def bound(dtype: str) -> int:
    """Below which all indices are; a few more fit the dtype."""
    return 100 if dtype in ("int8", "uint8") else 1000


def check_bounds(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count, high, kernels = math.prod(shape), bound(dtype), CheckKernels(device.launcher)
    indices, error = device.integers((count,), high, dtype), device.filled((8,), "int64", np.zeros(8, np.int64))

    def check() -> None:
        expect(not device.values(error).any(), "indices within bounds are reported")
        place = count // 2
        indices[place] = high + 5
        kernels.check_bounds(indices, 0, high, CODE, WHERE, error)
        found = device.values(error)[:6].tolist()
        expect(found == [CODE, WHERE, high + 5, place, 0, high], f"the report is {found}")
        indices[place] = 1
        error.fill(0)

    run = partial(kernels.check_bounds, indices, 0, high, CODE, WHERE, error)
    return Prepared(run, count * indices.dtype.itemsize, [], check)


def check_range(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count, kernels = math.prod(shape), CheckKernels(device.launcher)
    x, error = device.normal((count,), dtype), device.filled((8,), "int64", np.zeros(8, np.int64))
    far = device.from_host((1,), dtype, np.array([FAR]))

    def check() -> None:
        expect(not device.values(error).any(), "numbers within bounds are reported")
        places = sorted({count // 2, count - 1})
        kept = [x[place : place + 1].copy() for place in places]
        for place in places:
            x[place : place + 1] = far
        kernels.check_range(x, -BOUND, BOUND, CODE, WHERE, error)
        found = device.values(error)
        expect([int(found[i]) for i in (0, 1, 3)] == [CODE, WHERE, places[0]], f"the report is {found[:4].tolist()}")
        numbers = found[[2, 4, 5]].view(np.float64).tolist()
        expect(numbers == [FAR, -BOUND, BOUND], f"the report is of the numbers {numbers}")
        for place, number in zip(places, kept, strict=True):
            x[place : place + 1] = number
        error.fill(0)

    run = partial(kernels.check_range, x, -BOUND, BOUND, CODE, WHERE, error)
    return Prepared(run, count * x.dtype.itemsize, [], check)


def wrap_indices(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count, high, kernels = math.prod(shape), bound(dtype), CheckKernels(device.launcher)
    indices, error = device.integers((count,), high, dtype), device.filled((8,), "int64", np.zeros(8, np.int64))
    if not dtype.startswith("u"):
        indices[:: max(2, count // 7)] = -high
    out = device.empty((count,), dtype)

    def check() -> None:
        given = device.values(indices, slice(0, CHECKED))
        expect(np.array_equal(device.values(out, slice(0, CHECKED)), given % high), "indices are wrapped wrongly")
        expect(not device.values(error).any(), "indices within bounds are reported")

    run = partial(kernels.wrap_indices, indices, out, high, CODE, WHERE, error)
    return Prepared(run, 2 * count * indices.dtype.itemsize, [out], check)


CASES = [
    Case("check_bounds", check_bounds, INTEGERS),
    Case("check_range", check_range),
    Case("wrap_indices", wrap_indices, INTEGERS),
]

"""Cases of the column sums and of the checks of indices."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape, expect
from bench.gpu_parts.cases_activation import check_sums
from bench.gpu_parts.kernel_device import DRAWN, KernelDevice
from tensorgrad.backends.cuda_kernels import CheckKernels, SumKernels

__all__ = ["CASES"]

Array = Any
CODE, WHERE, HIGH = 1, 3, 1000


def column_sums(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, out = device.normal(shape, dtype), device.empty(shape[1:], dtype)

    def check() -> None:
        period = device.values(x, slice(0, max(1, DRAWN // shape[1]))).astype(np.float64)
        check_sums(device.values(out), dtype, shape[0], period)

    run = partial(SumKernels(device.launcher).column_sums, x, out)
    return Prepared(run, math.prod(shape) * x.dtype.itemsize, [out], check)


def check_bounds(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count, kernels = math.prod(shape), CheckKernels(device.launcher)
    indices, error = device.integers((count,), HIGH, dtype), device.filled((8,), "int64", np.zeros(8, np.int64))

    def check() -> None:
        expect(not device.values(error).any(), "indices within bounds are reported")
        place = count // 2
        indices[place] = HIGH + 5
        kernels.check_bounds(indices, 0, HIGH, CODE, WHERE, error)
        found = device.values(error)[:6].tolist()
        expect(found == [CODE, WHERE, HIGH + 5, place, 0, HIGH], f"the report is {found}")
        indices[place] = 1
        error.fill(0)

    run = partial(kernels.check_bounds, indices, 0, HIGH, CODE, WHERE, error)
    return Prepared(run, count * indices.dtype.itemsize, [], check)


def wrap_indices(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    count, kernels = math.prod(shape), CheckKernels(device.launcher)
    indices, error = device.integers((count,), HIGH, dtype), device.filled((8,), "int64", np.zeros(8, np.int64))
    indices[:: max(2, count // 7)] = -HIGH
    out = device.empty((count,), dtype)

    def check() -> None:
        given = device.values(indices, slice(0, DRAWN))
        expect(np.array_equal(device.values(out, slice(0, DRAWN)), given % HIGH), "indices are wrapped wrongly")
        expect(not device.values(error).any(), "indices within bounds are reported")

    run = partial(kernels.wrap_indices, indices, out, HIGH, CODE, WHERE, error)
    return Prepared(run, 2 * count * indices.dtype.itemsize, [out], check)


CASES = [
    Case("column_sums", column_sums),
    Case("check_bounds", check_bounds, ("int64", "int32")),
    Case("wrap_indices", wrap_indices, ("int64", "int32")),
]

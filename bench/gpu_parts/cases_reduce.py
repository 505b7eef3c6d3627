"""Cases of the column sums."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from bench.gpu_parts.case import Case, Prepared, Shape, total
from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cuda.reduce import ReduceKernels
from tests.kernels.comparing import expect

__all__ = ["CASES", "check_sums"]

Array = Any


def column_sums(device: KernelDevice, dtype: str, shape: Shape) -> Prepared:
    x, out = device.normal(shape, dtype), device.empty(shape[1:], dtype)

    def check() -> None:
        period = device.values(x, slice(0, device.period(shape) // shape[1])).astype(np.float64)
        check_sums(device.values(out), dtype, shape[0], period)

    run = partial(ReduceKernels(device.launcher).column_sums, x, out)
    return Prepared(run, math.prod(shape) * x.dtype.itemsize, [out], check)


def check_sums(got: Array, dtype: str, rows: int, period: Array) -> None:
    """Column sums of `rows` rows that repeat `period`: added in float32, in any order, of terms of size 1 or more."""
    exact, size = total(rows, period), total(rows, np.maximum(np.abs(period), 1))
    unit = {"float64": 2.0**-50, "float32": 2.0**-20, "float16": 2.0**-10}[dtype]
    representable = np.abs(exact) < (60000 if dtype == "float16" else math.inf)
    error = np.abs(got.astype(np.float64) - exact)[representable]
    allowed = (2.0**-20 if dtype != "float64" else unit) * size + unit * np.abs(exact)
    expect(bool((error <= allowed[representable]).all()), f"column sums differ by up to {error.max(initial=0):.2g}")


CASES = [Case("column_sums", column_sums)]

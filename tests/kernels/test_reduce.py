"""Sums of columns."""

from __future__ import annotations

import numpy as np
import pytest

from tensorgrad.backends.cuda.reduce import ReduceKernels
from tensorgrad.backends.kernel_files import FLOATS
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import EmulatedDevice
from tests.kernels.sizes import SHAPES, some


@pytest.mark.parametrize("dtype", FLOATS)
def test_column_sums(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(6)
    for i, shape in enumerate(some(device, (*SHAPES, (4097, 3), (4097, 16), (0, 3), (5, 0)))):
        x = sample(rng, shape, dtype)
        out = device.empty((shape[1],), dtype)
        threads, multiprocessors = ((32, 1), (256, 1), (64, 4))[i % 3]
        ReduceKernels(device.launcher(threads, multiprocessors)).column_sums(device.array(x, dtype, i % 2), out)
        size = float(np.abs(x).sum(0).max(initial=0))
        check_error(device.values(out), dtype, lambda x: B.sum(x, axis=0), x, size=size)


def test_sums_are_the_same_in_every_order(device: EmulatedDevice) -> None:
    x = np.random.default_rng(7).standard_normal((777, 33))
    results = []
    for _ in range(3):  # every launch has another order of threads
        out = device.empty((33,), "float32")
        ReduceKernels(device.launcher(64, 2)).column_sums(device.array(x, "float32"), out)
        results.append(device.values(out).tobytes())
    assert len(set(results)) == 1

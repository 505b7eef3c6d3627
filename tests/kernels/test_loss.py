"""The cross-entropy of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.loss import LossKernels
from tensorgrad.backends.kernel_files import FLOATS
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import EmulatedDevice
from tests.kernels.oracles import losses_of, probabilities_of
from tests.kernels.sizes import some_rows

Array = Any

every_dtype = pytest.mark.parametrize("dtype", FLOATS)


@every_dtype
def test_cross_entropy(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(3)
    for shape, threads, processors, (at, to, more) in some_rows(device)[-9:]:
        x, labels = sample(rng, shape, dtype, 4.0), rng.integers(0, shape[1], shape[0])
        losses, out = device.empty(shape[:1], dtype, more), device.empty(shape, dtype, to)
        kernels = LossKernels(device.launcher(threads, processors))
        kernels.cross_entropy(device.array(x, dtype, at), device.array(labels), losses, out)
        check_error(device.values(out), dtype, probabilities_of, x, labels)
        check_error(device.values(losses), dtype, losses_of, x, labels, size=float(np.abs(x).max()))


@every_dtype
@pytest.mark.parametrize("per_row", [True, False], ids=["scale of each row", "one scale"])
def test_cross_entropy_backward(device: EmulatedDevice, dtype: str, per_row: bool) -> None:
    rng = np.random.default_rng(5)
    for shape, threads, processors, (at, to, _) in some_rows(device)[-9:]:
        p = device.values(device.array(rng.random(shape), dtype)).astype(np.float64)
        labels = rng.integers(0, shape[1], shape[0])
        scale = sample(rng, (shape[0], 1) if per_row else (), dtype)
        out = device.empty(shape, dtype, to)
        kernels = LossKernels(device.launcher(threads, processors))
        kernels.cross_entropy_backward(
            device.array(scale, dtype), device.array(p, dtype, at), device.array(labels), out
        )
        check_error(device.values(out), dtype, B.softmax_cross_entropy_backward, scale, p, labels)


def test_a_label_out_of_range_is_never_followed(device: EmulatedDevice) -> None:
    x = np.random.default_rng(6).standard_normal((4, 5)).astype(np.float32)
    labels = np.array([0, 5, -1, 2**62])
    losses, out = device.empty((4,), "float32"), device.empty((4, 5), "float32")
    LossKernels(device.launcher()).cross_entropy(device.array(x), device.array(labels), losses, out)
    assert np.isnan(device.values(losses)).tolist() == [False, True, True, True]
    np.testing.assert_allclose(device.values(out), B.softmax(x, axis=1), rtol=1e-6)

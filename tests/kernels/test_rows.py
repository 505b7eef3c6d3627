"""Softmax along rows and the cross-entropy of labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.activation import SoftmaxKernels
from tensorgrad.backends.cuda.loss import LossKernels
from tests.kernels.comparing import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import DTYPES, EmulatedDevice

Array = Any
# (rows, columns), threads, multiprocessors (4 of them prefer a block to a warp for few long rows), offsets.
CASES = (
    ((0, 5), 64, 1, (0, 0, 0)),
    ((5, 0), 64, 1, (0, 0, 0)),
    ((1, 1), 32, 1, (0, 0, 0)),
    ((40, 3), 64, 1, (1, 1, 1)),
    ((3, 31), 128, 1, (0, 1, 2)),
    ((9, 32), 256, 1, (0, 0, 0)),
    ((2, 255), 96, 4, (3, 3, 3)),
    ((3, 1000), 256, 4, (0, 0, 0)),
    ((33, 10), 32, 1, (2, 5, 7)),
    ((2, 4097), 64, 1, (1, 0, 0)),
    ((17, 33), 64, 1, (4, 4, 4)),
)

every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def cases(device: EmulatedDevice) -> Any:
    """All of them, or (a sanitizer starts a process a launch) some."""
    return CASES[3:8:2] if device.sanitizer else CASES


@every_dtype
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_forward(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    for i, (shape, threads, processors, (at, to, _)) in enumerate(cases(device)):
        x = sample(rng, shape, dtype, 4.0)
        given = device.array(x, dtype, at)
        out = given if i % 2 else device.empty(shape, dtype, to)
        getattr(SoftmaxKernels(device.launcher(threads, processors)), name)(given, out)
        check_error(device.values(out), dtype, lambda x: getattr(B, name)(x, axis=1), x)


@every_dtype
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_backward(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for i, (shape, threads, processors, (a, b, c)) in enumerate(cases(device)):
        g, y = sample(rng, shape, dtype), getattr(B, name)(sample(rng, shape, dtype), axis=1)
        y = device.values(device.array(y, dtype)).astype(np.float64)
        given, kept = device.array(g, dtype, a), device.array(y, dtype, b)
        out = (given, kept, device.empty(shape, dtype, c))[i % 3]
        getattr(SoftmaxKernels(device.launcher(threads, processors)), f"{name}_backward")(given, kept, out)
        size = float(np.abs(g).sum(-1).max(initial=0)) if name == "log_softmax" else 1.0
        check_error(
            device.values(out), dtype, lambda g, y: getattr(B, f"{name}_backward")(g, y, axis=1), g, y, size=size
        )


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("processors", [1, 100])
def test_rows_with_infinite_and_missing_elements(device: EmulatedDevice, name: str, processors: int) -> None:
    inf, nan = np.inf, np.nan
    rows = [[1, 2, 3], [-inf, 1, 2], [1, -inf, -inf], [-inf] * 3, [inf, 1, 2], [1, inf, inf], [nan, 1, 2], [1, 2, nan]]
    rows += [[-inf, nan, 1], [88, 89, 1e4], [-1e30, 0, 1e30], [-3.4e38, 3.4e38, 0]]
    x = np.array(rows, np.float32)
    wide = np.concatenate([np.full((len(x), 200), -np.inf, np.float32), x], 1)
    for given in (x, wide):
        out = device.empty(given.shape, "float32")
        getattr(SoftmaxKernels(device.launcher(64, processors)), name)(device.array(given), out)
        with np.errstate(all="ignore"):
            expected = getattr(B, name)(given, axis=1)
        np.testing.assert_allclose(device.values(out), expected, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_rows_in_order(device: EmulatedDevice, dtype: str) -> None:
    """Each element a new maximum: an online softmax that follows every one of them loses bits at each."""
    ascending = np.linspace(-3, 3, 20000).astype(dtype).astype(np.float64)
    x = np.stack([ascending, ascending[::-1], np.linspace(-1, 1, 20000).astype(dtype), np.full(20000, 0.5)])
    for name in ("softmax", "log_softmax"):
        out = device.empty(x.shape, dtype)
        getattr(SoftmaxKernels(device.launcher(32)), name)(device.array(x, dtype), out)
        check_error(
            device.values(out),
            dtype,
            lambda x, log: (B.log_softmax if log else B.softmax)(x, axis=1),
            x,
            np.array(name == "log_softmax"),
        )


def _losses(x: Array, labels: Array) -> Array:
    return B.softmax_cross_entropy(x, labels)[0]


def _probabilities(x: Array, labels: Array) -> Array:
    return B.softmax_cross_entropy(x, labels)[1]


def _gradient(x: Array, labels: Array, scale: Array) -> Array:
    return B.softmax_cross_entropy_backward(scale, _probabilities(x, labels), labels)


@every_dtype
def test_cross_entropy(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(3)
    for shape, threads, processors, (at, to, more) in cases(device)[-9:]:
        x, labels = sample(rng, shape, dtype, 4.0), rng.integers(0, shape[1], shape[0])
        losses, out = device.empty(shape[:1], dtype, more), device.empty(shape, dtype, to)
        kernels = LossKernels(device.launcher(threads, processors))
        kernels.cross_entropy(device.array(x, dtype, at), device.array(labels), losses, out)
        check_error(device.values(out), dtype, _probabilities, x, labels)
        check_error(device.values(losses), dtype, _losses, x, labels, size=float(np.abs(x).max()))


@every_dtype
@pytest.mark.parametrize("per_row", [True, False], ids=["scale of each row", "one scale"])
def test_cross_entropy_gradient_in_one_pass(device: EmulatedDevice, dtype: str, per_row: bool) -> None:
    rng = np.random.default_rng(4)
    for shape, threads, processors, (at, _, more) in cases(device)[-9:]:
        x, labels = sample(rng, shape, dtype, 4.0), rng.integers(0, shape[1], shape[0])
        scale = sample(rng, (shape[0], 1) if per_row else (), dtype)
        losses, logits = device.empty(shape[:1], dtype), device.array(x, dtype, at)
        kernels = LossKernels(device.launcher(threads, processors))
        kernels.cross_entropy_gradient(logits, device.array(labels), device.array(scale, dtype, more), losses, logits)
        check_error(device.values(logits), dtype, _gradient, x, labels, scale)
        check_error(device.values(losses), dtype, _losses, x, labels, size=float(np.abs(x).max()))


@every_dtype
def test_cross_entropy_backward(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(5)
    for shape, threads, processors, (at, to, _) in cases(device)[-9:]:
        p = device.values(device.array(rng.random(shape), dtype)).astype(np.float64)
        labels, scale = rng.integers(0, shape[1], shape[0]), sample(rng, (shape[0], 1), dtype)
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

"""Activations with their bias and bias gradient, and softmax along rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from tensorgrad.backends.cuda.activation import ACTIVATIONS, ActivationKernels, SoftmaxKernels
from tensorgrad.backends.kernel_files import FLOATS
from tests.composition import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import EmulatedDevice
from tests.kernels.oracles import ALPHA, BACKWARD, FORWARD
from tests.kernels.sizes import SHAPES, SIZES, some, some_rows

Array = Any
every_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
every_dtype = pytest.mark.parametrize("dtype", FLOATS)


def test_the_table_is_complete() -> None:
    assert set(FORWARD) == set(BACKWARD) == set(ACTIVATIONS)


@every_activation
@every_dtype
def test_activation(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    for size, threads, (at, to, _) in some(device, SIZES):
        x = sample(rng, size, dtype, 3.0)
        out = device.empty((size,), dtype, to)
        kernels = ActivationKernels(device.launcher(threads))
        kernels.forward(name, device.array(x, dtype, at), None, out, alpha=ALPHA)
        check_error(device.values(out), dtype, FORWARD[name], x)


@every_activation
@every_dtype
def test_activation_of_the_biased_in_place(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for i, shape in enumerate(some(device, SHAPES)):
        x, bias = sample(rng, shape, dtype), sample(rng, shape[1], dtype)
        out = device.array(x, dtype, i % 8)
        kernels = ActivationKernels(device.launcher(32))
        kernels.forward(name, out, device.array(bias, dtype, i % 3), out, alpha=ALPHA)
        check_error(
            device.values(out), dtype, lambda x, b: FORWARD[name](B.add(x, b)), x, bias, size=np.abs(x).max(initial=1)
        )


@every_activation
@every_dtype
def test_activation_backward(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    for size, threads, (a, b, c) in some(device, SIZES):
        g, saved = sample(rng, size, dtype), sample(rng, size, dtype)
        dx = device.empty((size,), dtype, c)
        kernels = ActivationKernels(device.launcher(threads))
        kernels.backward(name, device.array(g, dtype, a), device.array(saved, dtype, b), None, dx, alpha=ALPHA)
        check_error(device.values(dx), dtype, BACKWARD[name], g, saved)


@every_activation
@every_dtype
def test_activation_backward_with_bias_gradient(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    for i, shape in enumerate(some(device, SHAPES)):
        g, saved, bias = sample(rng, shape, dtype), sample(rng, shape, dtype), sample(rng, shape[1], dtype)
        place = i % 4
        given = device.array(g, dtype, place)
        dx = given if i % 2 else device.empty(shape, dtype, place)
        db = device.empty((shape[1],), dtype, 1)
        kernels = ActivationKernels(device.launcher((32, 256)[i % 2], 1 + i % 3))
        kept, added = device.array(saved, dtype, place), device.array(bias, dtype)
        kernels.backward_bias(name, given, kept, added, dx, db, alpha=ALPHA)

        def slope(g: Array, saved: Array, bias: Array) -> Array:
            return BACKWARD[name](g, B.add(saved, bias))

        def slope_sum(g: Array, saved: Array, bias: Array) -> Array:
            return B.sum(slope(g, saved, bias), axis=0)

        check_error(device.values(dx), dtype, slope, g, saved, bias)
        size = float(np.abs(slope(g, saved, bias)).sum(0).max(initial=0))
        check_error(device.values(db), dtype, slope_sum, g, saved, bias, size=size)


@every_dtype
def test_backward_adds_the_bias_again(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(5)
    g, x, bias = sample(rng, (9, 7), dtype), sample(rng, (9, 7), dtype), sample(rng, 7, dtype)
    dx = device.array(g, dtype)
    ActivationKernels(device.launcher()).backward("gelu", dx, device.array(x, dtype), device.array(bias, dtype), dx)
    check_error(device.values(dx), dtype, lambda g, x, b: B.gelu_backward(g, B.add(x, b)), g, x, bias)


@every_activation
def test_extreme_arguments(device: EmulatedDevice, name: str) -> None:
    x = np.array([0.0, -0.0, 1e-30, -1e-30, 89.0, -89.0, 1e4, -1e4, 1e20, -1e20, np.nan], np.float32)
    out, kernels = device.empty(x.shape, "float32"), ActivationKernels(device.launcher(32))
    kernels.forward(name, device.array(x), None, out, alpha=ALPHA)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(device.values(out), FORWARD[name](x), rtol=1e-5, atol=1e-30)
        saved = x if ACTIVATIONS[name] == "input" else FORWARD[name](x)
        kernels.backward(name, device.array(np.ones_like(x)), device.array(saved), None, out, alpha=ALPHA)
        expected = BACKWARD[name](np.ones_like(x), saved)
    np.testing.assert_allclose(device.values(out), expected, rtol=1e-5, atol=1e-30)


@pytest.mark.parametrize("name", ["gelu", "gelu_tanh", "silu", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tails_keep_their_relative_precision(device: EmulatedDevice, name: str, dtype: str) -> None:
    x = -np.array([0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0]).astype(dtype)
    wide = x.astype(np.float64)
    root = 2 * np.sqrt(2 / np.pi)
    exact = {
        "gelu": wide * special.ndtr(wide),
        "gelu_tanh": wide * special.expit(root * wide * (1 + 0.044715 * wide**2)),
        "silu": wide * special.expit(wide),
        "sigmoid": special.expit(wide),
    }[name]
    out = device.empty(x.shape, dtype)
    ActivationKernels(device.launcher(32)).forward(name, device.array(x), None, out)
    normal = np.abs(exact) > np.finfo(dtype).smallest_normal
    # What has rounded is exponentiated: up to half the square of 12.
    np.testing.assert_allclose(device.values(out)[normal], exact[normal], rtol=200 * float(np.finfo(dtype).eps))


# ---------------------------------------------------------------------- softmax
@every_dtype
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    for i, (shape, threads, processors, (at, to, _)) in enumerate(some_rows(device)):
        x = sample(rng, shape, dtype, 4.0)
        given = device.array(x, dtype, at)
        out = given if i % 2 else device.empty(shape, dtype, to)
        getattr(SoftmaxKernels(device.launcher(threads, processors)), name)(given, out)
        check_error(device.values(out), dtype, lambda x: getattr(B, name)(x, axis=1), x)


@every_dtype
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_backward(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for i, (shape, threads, processors, (a, b, c)) in enumerate(some_rows(device)):
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

"""Activations with their bias and bias gradient, conversions between storage types, sums of columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.activation import ACTIVATIONS, ActivationKernels
from tensorgrad.backends.cuda.reduce import ReduceKernels
from tests.kernels.comparing import COMPOSITION as B
from tests.kernels.comparing import check_error, sample
from tests.kernels.device import DTYPES, EmulatedDevice

Array = Any
ALPHA = 0.1
# Each size with a block size and offsets of the arrays: equal (heads and tails), and different from one another.
SIZES = (
    (0, 32, (0, 0, 0)),
    (1, 32, (0, 0, 0)),
    (3, 64, (1, 1, 1)),
    (31, 32, (0, 1, 2)),
    (32, 128, (0, 0, 0)),
    (33, 64, (3, 3, 3)),
    (255, 96, (7, 7, 7)),
    (1000, 32, (5, 1, 4)),
    (4097, 64, (2, 2, 2)),
    (4097, 256, (6, 6, 3)),
)
SHAPES = (
    (1, 1),
    (3, 1),
    (5, 3),
    (33, 4),
    (7, 31),
    (4, 32),
    (64, 33),
    (129, 8),
    (11, 72),
    (3, 1000),
    (1000, 10),
    (0, 5),
)

FORWARD: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: B.maximum(x, 0),
    "leaky_relu": lambda x: B.where(B.greater(x, 0), x, B.multiply(x, ALPHA)),
    "sigmoid": B.sigmoid,
    "tanh": B.tanh,
    "silu": B.silu,
    "gelu": B.gelu,
    "gelu_tanh": B.gelu_tanh,
}
BACKWARD: dict[str, Callable[[Array, Array], Array]] = {
    "relu": B.relu_backward,
    "leaky_relu": lambda g, x: B.where(B.greater(x, 0), g, B.multiply(g, ALPHA)),
    "sigmoid": B.sigmoid_backward,
    "tanh": lambda g, y: B.multiply(g, B.subtract(1, B.square(y))),
    "silu": B.silu_backward,
    "gelu": B.gelu_backward,
    "gelu_tanh": B.gelu_tanh_backward,
}

every_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def cases(device: EmulatedDevice, all_cases: Any) -> Any:
    """All of them, or (a sanitizer starts a process a launch) every third."""
    return all_cases[::3] if device.sanitizer else all_cases


def test_the_table_is_complete() -> None:
    assert set(FORWARD) == set(BACKWARD) == set(ACTIVATIONS)


@every_activation
@every_dtype
def test_activation(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    for size, threads, (at, to, _) in cases(device, SIZES):
        x = sample(rng, size, dtype, 3.0)
        out = device.empty((size,), dtype, to)
        kernels = ActivationKernels(device.launcher(threads))
        kernels.forward(name, device.array(x, dtype, at), None, out, alpha=ALPHA)
        check_error(device.values(out), dtype, FORWARD[name], x)


@every_activation
@every_dtype
def test_activation_of_the_biased_in_place(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(2)
    for i, shape in enumerate(cases(device, SHAPES)):
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
    for size, threads, (a, b, c) in cases(device, SIZES):
        g, saved = sample(rng, size, dtype), sample(rng, size, dtype)
        dx = device.empty((size,), dtype, c)
        kernels = ActivationKernels(device.launcher(threads))
        kernels.backward(name, device.array(g, dtype, a), device.array(saved, dtype, b), None, dx, alpha=ALPHA)
        check_error(device.values(dx), dtype, BACKWARD[name], g, saved)


@every_activation
@every_dtype
def test_activation_backward_with_bias_gradient(device: EmulatedDevice, name: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    for i, shape in enumerate(cases(device, SHAPES)):
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


# ---------------------------------------------------------------------- sums
@every_dtype
def test_column_sums(device: EmulatedDevice, dtype: str) -> None:
    rng = np.random.default_rng(6)
    for i, shape in enumerate(cases(device, (*SHAPES, (4097, 3), (4097, 16), (0, 3), (5, 0)))):
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


# ---------------------------------------------------------------------- conversions
def _awkward_floats() -> Array:
    """Values around every half-way case of float16, its range's ends, and random bits."""
    halves = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    middles = ((halves[:-1].astype(np.float64) + halves[1:]) / 2).astype(np.float32)
    near = np.concatenate([np.nextafter(middles, np.float32(0)), middles, np.nextafter(middles, np.float32(1e6))])
    random = np.random.default_rng(8).integers(0, 2**32, 20000, dtype=np.uint32).view(np.float32)
    ends = np.array(
        [65504, 65519.99, 65520, 65536, 1e30, np.inf, np.nan, 2.0**-24, 2.0**-25, 2.0**-26, 1e-40], np.float32
    )
    every = np.concatenate([halves, near, random, ends])
    return np.concatenate([every, -every])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_rounding_to_storage_is_to_nearest_even(dtype: str) -> None:
    device = EmulatedDevice()
    x = _awkward_floats()
    out = device.empty(x.shape, dtype)
    launcher = device.launcher(256)
    kernel = launcher.get_function(f"column_finish_{'f16' if dtype == 'float16' else 'bf16'}")
    tiles, block = launcher.tiles(x.size, 4)
    kernel((tiles,), block, (device.array(x), out, 1, x.size))
    with np.errstate(over="ignore", invalid="ignore"):
        expected = (
            x.astype(np.float16).astype(np.float32) if dtype == "float16" else device.values(device.array(x, dtype))
        )
    np.testing.assert_array_equal(device.values(out).astype(np.float32), expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_number_survives_loading_and_storing(dtype: str) -> None:
    device = EmulatedDevice()
    bits = np.arange(1 << 16, dtype=np.uint32).astype(np.uint16)
    x = device.array(np.zeros(bits.shape), dtype)
    x.array.view(np.uint16)[...] = bits
    out = device.empty(bits.shape, dtype)
    ActivationKernels(device.launcher(256)).forward("leaky_relu", x, None, out, alpha=1.0)
    np.testing.assert_array_equal(device.values(out), device.values(x))

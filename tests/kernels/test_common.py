"""What all kernels share: conversions between storage types."""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cuda.activation import ActivationKernels
from tests.kernels.device import EmulatedDevice

Array = Any


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


def test_rounding_to_storage_is_to_nearest_even() -> None:
    device = EmulatedDevice()
    x = _awkward_floats()
    out = device.empty(x.shape, "float16")
    launcher = device.launcher(256)
    tiles, block = launcher.tiles(x.size, 4)
    launcher.get_function("column_finish_f16")((tiles,), block, (device.array(x), out, 1, x.size))
    with np.errstate(over="ignore", invalid="ignore"):
        np.testing.assert_array_equal(device.values(out), x.astype(np.float16))


def test_every_number_survives_loading_and_storing() -> None:
    device = EmulatedDevice()
    x = device.array(np.arange(1 << 16, dtype=np.uint32).astype(np.uint16).view(np.float16))
    out = device.empty(x.shape, "float16")
    ActivationKernels(device.launcher(256)).forward("leaky_relu", x, None, out, alpha=1.0)
    np.testing.assert_array_equal(device.values(out), device.values(x))

"""When a kernel is right: its error against float64 is at most twice that of the composition in the same precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["EPS", "check_error", "expect", "sample"]

Array = Any
EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10}


def sample(rng: np.random.Generator, shape: Any, dtype: str, scale: float = 1.0) -> Array:
    """Normal numbers that `dtype` can hold, as float64."""
    return (rng.standard_normal(shape) * scale).astype(dtype).astype(np.float64)


def expect(condition: bool, message: str) -> None:
    """AssertionError with a message that says enough where pytest is not there to explain it."""
    if not condition:
        raise AssertionError(message)


def check_error(
    got: Array, dtype: str, compute: Callable[..., Array], *inputs: Array, size: float = 0.0, units: float = 32
) -> None:
    """`compute(*inputs)` is the composition; it is given floating inputs, which `dtype` can hold, in float64 and in
    `dtype`. Nothing may be infinite or nan that should not be.

    Beside twice the composition's error one unit in the last place is allowed. In float64, where there is nothing more
    exact, `units` are. `size` is that of the terms of a sum, where the result may be smaller.
    """
    with np.errstate(all="ignore"):
        exact, theirs = (compute(*_floats_as(precision, inputs)) for precision in ("float64", dtype))
        representable = exact.astype(dtype)
    expect(got.shape == exact.shape, f"shape {got.shape}, expected {exact.shape}")
    expect(np.array_equal(np.isnan(got), np.isnan(exact)), "nan in other places than expected")
    expect(np.array_equal(np.isinf(got), np.isinf(representable)), "infinite in other places than expected")
    finite = np.isfinite(got)
    unit = EPS[dtype] * max(size, _greatest(exact[finite]))
    error = _greatest(got[finite].astype(np.float64) - exact[finite])
    if dtype == "float64":
        limit = units * unit
    else:
        limit = 2 * _greatest(theirs[finite].astype(np.float64) - exact[finite]) + unit
    expect(error <= limit, f"error {error:.2g}, allowed {limit:.2g}")


def _floats_as(precision: str, inputs: tuple[Array, ...]) -> list[Array]:
    return [x.astype(precision) if x.dtype.kind == "f" else x for x in inputs]


def _greatest(x: Array) -> float:
    return float(np.abs(x).max(initial=0))

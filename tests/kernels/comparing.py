"""When a kernel is right: its error against float64 is at most twice that of the composition in the same precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.gpu_parts.case import COMPOSITION, EPS

__all__ = ["COMPOSITION", "check_error", "sample"]

Array = Any


def sample(rng: np.random.Generator, shape: Any, dtype: str, scale: float = 1.0) -> Array:
    """Normal numbers that `dtype` can hold, as float64."""
    return (rng.standard_normal(shape) * scale).astype(dtype).astype(np.float64)


def check_error(got: Array, dtype: str, compute: Callable[..., Array], *inputs: Array, size: float = 0.0) -> None:
    """`compute(*inputs)` is the composition; inputs that are float64 are given to it in `dtype` as well.

    In float64, where there is nothing more exact, 32 units in the last place are allowed. `size` is that of the terms
    of a sum, where the result may be smaller.
    """
    exact = compute(*inputs)
    assert got.shape == exact.shape
    if not got.size:
        return
    assert np.array_equal(np.isnan(got), np.isnan(exact))
    assert np.array_equal(np.isinf(got), np.isinf(exact.astype(dtype)))
    finite = np.isfinite(got)
    largest = max(size, float(np.abs(exact[finite]).max(initial=0)))
    unit = EPS[dtype] * largest
    error = _largest(got, exact, finite)
    if dtype == "float64":
        assert error <= 32 * unit, f"error {error:.3g}, unit {unit:.3g}"
        return
    plain = compute(*[x.astype(dtype) if x.dtype == np.float64 else x for x in inputs])
    theirs = _largest(plain, exact, finite)
    assert error <= 2 * theirs + unit, f"error {error:.3g}, composition's {theirs:.3g}, unit {unit:.3g}"


def _largest(x: Array, exact: Array, where: Array) -> float:
    return float(np.abs(x.astype(np.float64) - exact)[where].max(initial=0))

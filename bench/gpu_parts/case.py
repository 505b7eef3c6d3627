"""What a kernel's case says, and when its result is right: never further from float64 than twice the composition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.kernel_files import FLOATS
from tensorgrad.backends.primitives.activation import ActivationPrimitives
from tensorgrad.backends.primitives.linear import LinearPrimitives
from tensorgrad.backends.primitives.loss import LossPrimitives
from tensorgrad.backends.primitives.optimizer import OptimizerPrimitives
from tensorgrad.backends.primitives.random import RandomPrimitives
from tensorgrad.backends.primitives.reduce import ReducePrimitives

__all__ = [
    "COMPOSITION",
    "EPS",
    "FLOATS",
    "Case",
    "Prepared",
    "Shape",
    "check_error",
    "expect",
    "sampled_rows",
    "total",
]

Array = Any
Shape = tuple[int, int]

_MIXINS = (
    ActivationPrimitives,
    LinearPrimitives,
    LossPrimitives,
    ReducePrimitives,
    OptimizerPrimitives,
    RandomPrimitives,
)
_DEFAULTS = {
    name: value for mixin in _MIXINS for name, value in vars(mixin).items() if callable(value) and name[:2] != "__"
}
# NumPy's basic primitives, and no composite one but by its default composition.
COMPOSITION: Any = type("Composition", (CpuBackend,), _DEFAULTS)()
EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10}
SAMPLED = 24


@dataclass(frozen=True)
class Prepared:
    """A launch that is ready. `check` raises AssertionError where the results of the first `run` are wrong; `outputs`
    are what it must have overwritten. `moved`: bytes read and written."""

    run: Callable[[], object]
    moved: float
    outputs: Sequence[Array]
    check: Callable[[], None]


@dataclass(frozen=True)
class Case:
    """A kernel, and how to prepare it for a dtype and a shape (rows, columns)."""

    name: str
    prepare: Callable[[KernelDevice, str, Shape], Prepared]
    dtypes: tuple[str, ...] = FLOATS


def sampled_rows(device: KernelDevice, rows: int) -> Array:
    """The first, the last and some other rows; all of a few."""
    if rows <= SAMPLED:
        return np.arange(rows)
    return np.unique(np.concatenate([[0, 1, rows - 2, rows - 1], device.rng.integers(0, rows, SAMPLED)]))


def expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def check_error(got: Array, dtype: str, compute: Callable[..., Array], *inputs: Array, size: float = 0.0) -> None:
    """`compute` is the composition. `size`: of the terms of a sum, whose result may be smaller. Beside twice the
    composition's error one unit in the last place is allowed; in float64, with nothing more exact, 64 units."""
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs]
    with np.errstate(all="ignore"):
        exact, theirs = compute(*wide), compute(*inputs)
    unit = EPS[dtype] * max(size, float(np.abs(exact).max(initial=0)))
    own = _largest(got, exact)
    limit = 64 * unit if dtype == "float64" else 2 * _largest(theirs.astype(dtype), exact) + unit
    expect(got.shape == exact.shape, f"shape {got.shape}, expected {exact.shape}")
    expect(own <= limit, f"error {own:.2g}, allowed {limit:.2g}")


def _largest(x: Array, exact: Array) -> float:
    """The greatest difference; infinite where something is not finite."""
    difference = np.abs(x.astype(np.float64) - exact)
    return float(difference.max(initial=0)) if np.isfinite(difference).all() else math.inf


def total(count: int, period: Array) -> Array:
    """Sum along the first axis of `count` rows that repeat those of `period`."""
    whole, rest = divmod(count, len(period))
    return whole * period.sum(0) + period[:rest].sum(0)

"""What a kernel's case says. When its result is right stands in `tests/kernels/comparing.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.gpu_parts.kernel_device import KernelDevice
from tensorgrad.backends.kernel_files import FLOATS
from tests.kernels import comparing

__all__ = ["FLOATS", "Case", "Prepared", "Shape", "check_error", "sampled_rows", "total"]

Array = Any
Shape = tuple[int, int]

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


def check_error(got: Array, dtype: str, compute: Callable[..., Array], *inputs: Array, size: float = 0.0) -> None:
    """`comparing.check_error`, with more units allowed in float64: a device's own functions are not the host's."""
    comparing.check_error(got, dtype, compute, *inputs, size=size, units=64)


def total(count: int, period: Array) -> Array:
    """Sum along the first axis of `count` rows that repeat those of `period`."""
    whole, rest = divmod(count, len(period))
    return whole * period.sum(0) + period[:rest].sum(0)

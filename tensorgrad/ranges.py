"""Making tensors of numbers at equal distances, and the identity matrix; see `creation`."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.arguments import hinted
from tensorgrad.autograd.variable import Tensor
from tensorgrad.backends import Backend, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.primitives import Array
from tensorgrad.creation import MOST_ELEMENTS, as_size, leaf
from tensorgrad.dtypes import DType, as_dtype, fitting, float64, get_default_dtype, int64, shown
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.host_data import number

__all__ = ["arange", "eye", "linspace"]

_PLAIN = {int, float}
_SMALL = 2**31  # integers below it fit, and a range of them does


def _as_count(name: str, n: Any) -> int:
    """`as_size` of one dimension."""
    return n if type(n) is int and 0 <= n <= MOST_ELEMENTS else as_size(name, (n,))[0]


@hinted
def arange(
    start: Tensor | float,
    end: Tensor | float | None = None,
    step: Tensor | float = 1,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers of [start, end) at distance `step`: start + i * step for i below ceil((end - start) / step).
    `arange(end)` starts at 0. Integers give int64.

    Floats are computed in float64 and rounded once. In an integer dtype a step without a fraction goes from `start`
    without its fraction (and in int64 to `end` without it: PyTorch's rules); with one, each number loses its own.

    Raises ArgumentError for a step that does not lead from start to end, and for numbers that are nan or infinite, or
    that an integer `dtype` does not hold; DTypeError for bool.
    """
    if end is None:
        start, end = 0, start
    place = as_device(device)
    if type(start) is type(end) is type(step) is int and dtype is None and -_SMALL < start <= end < _SMALL and step > 0:
        return leaf(place.backend.arange(start, end, step, int64), place, requires_grad)  # as most calls are
    if not (type(start) in _PLAIN and type(end) in _PLAIN and type(step) in _PLAIN):
        start, end, step = (number("arange", n) for n in (start, end, step))
    whole = isinstance(start, int) and isinstance(end, int) and isinstance(step, int)
    kind = as_dtype(dtype) if dtype is not None else int64 if whole else get_default_dtype()
    if kind.kind == "b":
        raise DTypeError("arange: expected a dtype of numbers, got bool")
    if not (-math.inf < start < math.inf and -math.inf < end < math.inf and -math.inf < step < math.inf):
        raise ArgumentError(f"arange: expected finite numbers, got {_range(start, end, step)}")
    if step == 0 or (start > end if step > 0 else start < end):
        raise ArgumentError(f"arange: step must lead from start to end, got {_range(start, end, step)}")
    return leaf(_counted(place.backend, start, end, step, kind), place, requires_grad)


def _range(*numbers: Any) -> str:
    return f"arange({', '.join(map(shown, numbers))})"


def _counted(backend: Backend, start: Any, end: Any, step: Any, dtype: DType) -> Array:
    """The array of `arange`, whose arguments are right."""
    if dtype.kind == "f":
        _as_count("arange", _count(start, end, step))
        return backend.arange(start, end, step, dtype)
    whole = step == int(step)
    if whole and dtype == int64:
        start, end = int(start), int(end)
    count = _as_count("arange", _count(start, end, step))
    if not count:
        return backend.empty((0,), dtype)
    if whole:
        start, step = int(start), int(step)
    last = start + (count - 1) * step
    fitting("arange", math.trunc(start), dtype)
    fitting("arange", math.trunc(last), dtype)
    if isinstance(step, float):
        numbers = backend.arange(start, end, step, float64)
        if dtype.kind == "u" and min(start, last) < 0:  # what devices make of negative floats is their own affair
            numbers = backend.astype(numbers, int64)
        return backend.astype(numbers, dtype)
    if dtype.kind == "u" and min(start, last) < 0:
        return backend.astype(backend.arange(start, last + step, step, int64), dtype)
    return backend.arange(start, last + step, step, dtype)


def _count(start: Any, end: Any, step: Any) -> Any:
    """How many numbers [start, end) holds: of integers exactly."""
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        return -(-(end - start) // step)
    try:
        return math.ceil((end - start) / step)
    except OverflowError:  # infinitely many, or integers that no float holds
        return MOST_ELEMENTS + 1


@hinted
def linspace(
    start: Tensor | float,
    end: Tensor | float,
    steps: int,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included, computed in float64 and rounded once.

    A negative integer as an end is wrapped around in an unsigned dtype before the numbers are spaced (PyTorch's rule).

    Raises ArgumentError for negative `steps`, and for ends that an integer `dtype` does not hold; DTypeError for bool.
    """
    if type(start) not in _PLAIN or type(end) not in _PLAIN:
        start, end = (number("linspace", n) for n in (start, end))
    steps = _as_count("linspace", steps)
    place, kind = as_device(device), get_default_dtype() if dtype is None else as_dtype(dtype)
    if kind.kind == "b":
        raise DTypeError("linspace: expected a dtype of numbers, got bool")
    if kind.kind != "f":
        wrapped = [fitting("linspace", value, kind) for value in (start, end)]
        start, end = (w if v < 0 and kind.kind == "u" else v for v, w in zip((start, end), wrapped, strict=True))
    return leaf(place.backend.astype(_spaced(place.backend, start, end, steps), kind), place, requires_grad)


def _spaced(backend: Backend, start: Any, end: Any, steps: int) -> Array:
    """The float64 array of `linspace`: from both ends towards the middle, so that the last number is `end` exactly."""
    if steps < 2:
        return backend.full((steps,), start, float64)
    width = (end - start) / (steps - 1)
    if math.isinf(width):
        width = end / (steps - 1) - start / (steps - 1)
    count = backend.arange(0, steps, 1, float64)
    up = backend.add(backend.multiply(count, width), start)
    down = backend.subtract(end, backend.multiply(backend.subtract(steps - 1, count), width))
    return backend.where(backend.less(count, steps / 2), up, down)


@hinted
def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix, `n` by `m` (or by `n`)."""
    rows = _as_count("eye", n)
    columns = rows if m is None else _as_count("eye", m)
    place, kind = as_device(device), get_default_dtype() if dtype is None else as_dtype(dtype)
    backend = place.backend
    row = backend.reshape(backend.arange(0, rows, 1, int64), (rows, 1))
    return leaf(backend.astype(backend.equal(row, backend.arange(0, columns, 1, int64)), kind), place, requires_grad)

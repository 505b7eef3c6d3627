"""Making tensors: from data, filled, and in ranges. PyTorch's names, signatures and defaults.

Everywhere: `dtype=None` is the default floating dtype unless said otherwise, `device=None` the default device (that of
the data, where these are a Tensor or an array on CUDA), and `requires_grad=True` makes a leaf that gradients accumulate
on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.dtypes import (
    as_dtype,
    fitting,
    float64,
    get_default_dtype,
    how_to_make_one,
    int64,
    scalar_dtype,
    type_name,
)
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.host_data import PLAIN, by_dlpack, host_array, off_host, taken_in

__all__ = [
    "arange", "as_size", "as_tensor", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "full", "full_like",
    "linspace", "new_data", "new_empty", "new_full", "new_ones", "new_zeros", "ones", "ones_like", "tensor", "zeros",
    "zeros_like"
]  # fmt: skip


# ---------------------------------------------------------------------- from data
def tensor(data: Any, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A new Tensor with a copy of `data`: a number, nested sequence, NumPy array or Tensor.

    Python floats give the default floating dtype, integers int64, bools bool; arrays keep their dtype. Raises
    ShapeError for ragged sequences, DTypeError for data that are not numbers, and ArgumentError for Python numbers that
    an integer dtype does not hold.
    """
    if type(data) not in PLAIN:
        data = taken_in("tensor", data)
    if isinstance(data, Variable):
        made = data.detach().to(device=device, dtype=dtype, copy=True)  # type: ignore[attr-defined]
        return _leaf(made.array, made.device, requires_grad)
    place = as_device(device)
    host = host_array("tensor", data, dtype)
    return _leaf(place.backend.asarray(np.array(host, order="C")), place, requires_grad)


def as_tensor(data: Any, *, dtype: object = None, device: DeviceLike = None) -> Tensor:
    """`data` as a Tensor: itself where it is one, sharing memory with a NumPy array on the CPU or any array on CUDA.

    An array of another dtype than `dtype`, or whose elements lie a fraction of one apart (a field of records), is
    copied. One of which several elements share memory is read, and may not be written.
    """
    if type(data) not in PLAIN:
        data = taken_in("as_tensor", data)
    if isinstance(data, Variable):
        return data.to(device=device, dtype=dtype)  # type: ignore[attr-defined, no-any-return]
    place = as_device(device)
    return new_tensor(place.backend.asarray(host_array("as_tensor", data, dtype)), place)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A CPU Tensor that shares memory with `array`: a write to either shows in the other.

    Any strides are taken, negative ones too, which PyTorch refuses; a read-only array makes a Tensor that may not be
    written. Raises DTypeError for other objects and for dtypes that tensors do not have, ArgumentError where a part is
    masked.
    """
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"from_numpy: expected a NumPy array, got {type_name(array)}")
    return new_tensor(host_array("from_numpy", array, None), as_device("cpu"))


def from_dlpack(source: Any) -> Tensor:
    """A Tensor that shares memory with `source`, any array with `__dlpack__` (NumPy's, PyTorch's, CuPy's, ...), on the
    device where that is. Raises DTypeError for anything else and for dtypes that tensors do not have, DeviceError where
    it is on a CUDA device that cannot be used here, ArgumentError where its library or NumPy will not share it.
    """
    found = off_host("from_dlpack", source)
    if found is None:
        if not hasattr(source, "__dlpack__"):
            got = f"{type_name(source)}; {how_to_make_one(source)}"
            raise DTypeError(f"from_dlpack: expected an array with `__dlpack__` and `__dlpack_device__`, got {got}")
        found = by_dlpack("from_dlpack", source), as_device("cpu")
    return new_tensor(*found)


def _leaf(array: Any, device: Device, requires_grad: bool) -> Tensor:
    made = new_tensor(array, device)
    if requires_grad:
        made.requires_grad = True
    return made


# ---------------------------------------------------------------------- filled
def as_size(name: str, size: Sequence[Any]) -> tuple[int, ...]:
    """The shape given as `f(2, 3)` or `f((2, 3))`, or an ArgumentError that names `name`."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    try:
        found = tuple(n.__index__() for n in size)
    except AttributeError:
        raise DTypeError(f"{name}: a size consists of integers, got {tuple(size)!r}") from None
    if any(n < 0 for n in found):
        raise ArgumentError(f"{name}: sizes must not be negative, got {found}")
    return found


def full(
    size: Sequence[int],
    fill_value: float,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """A Tensor of shape `size` filled with `fill_value`, whose type gives the dtype where none is given.

    Raises ArgumentError for a number that an integer `dtype` does not hold.
    """
    place, number = as_device(device), _number("full", fill_value)
    kind = scalar_dtype(number) if dtype is None else as_dtype(dtype)
    shape = as_size("full", (size,))
    return _leaf(place.backend.full(shape, fitting("full", number, kind), kind), place, requires_grad)


def _number(name: str, value: Any) -> Any:
    """A number as Python has it, from Python, NumPy or a tensor of one element."""
    if type(value) in (int, float, bool):
        return value
    if isinstance(value, (np.generic, Variable)):
        return value.item()  # type: ignore[union-attr]
    if not isinstance(value, (int, float)):
        raise DTypeError(f"{name}: expected a number, got {type_name(value)}")
    return value


def _filled(name: str, size: Sequence[Any], value: float, dtype: object, device: DeviceLike, grad: bool) -> Tensor:
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    return full(as_size(name, size), value, dtype=kind, device=device, requires_grad=grad)


def zeros(*size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _filled("zeros", size, 0, dtype, device, requires_grad)


def ones(*size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones: `ones(2, 3)` or `ones((2, 3))`."""
    return _filled("ones", size, 1, dtype, device, requires_grad)


def empty(*size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A Tensor whose values are whatever the memory held."""
    place = as_device(device)
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    return _leaf(place.backend.empty(as_size("empty", size), kind), place, requires_grad)


def full_like(
    input: Tensor, fill_value: float, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor of the shape, and unless given the dtype and device, of `input`, filled with `fill_value`."""
    _check_tensor("full_like", input)
    kind, place = _like(input, dtype, device)
    return full(input.shape, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


def _check_tensor(name: str, input: object) -> None:
    if not isinstance(input, Variable):
        raise DTypeError(f"{name}: expected a Tensor, got {type_name(input)}; {how_to_make_one(input)}")


def zeros_like(
    input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`full_like` with 0."""
    _check_tensor("zeros_like", input)
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """`full_like` with 1."""
    _check_tensor("ones_like", input)
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor like `input`, its values whatever the memory held."""
    _check_tensor("empty_like", input)
    kind, place = _like(input, dtype, device)
    return empty(input.shape, dtype=kind, device=place, requires_grad=requires_grad)


def new_data(
    self: Tensor, data: Any, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.tensor(data)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return tensor(data, dtype=kind, device=place, requires_grad=requires_grad)


def new_full(
    self: Tensor,
    size: Sequence[int],
    fill_value: float,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`tg.full(size, fill_value)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return full(size, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


def new_zeros(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.zeros(size)` with, unless given, the dtype and device of this tensor."""
    return new_full(self, as_size("new_zeros", size), 0, dtype=dtype, device=device, requires_grad=requires_grad)


def new_ones(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.ones(size)` with, unless given, the dtype and device of this tensor."""
    return new_full(self, as_size("new_ones", size), 1, dtype=dtype, device=device, requires_grad=requires_grad)


def new_empty(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.empty(size)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return empty(as_size("new_empty", size), dtype=kind, device=place, requires_grad=requires_grad)


def _like(input: Tensor, dtype: object, device: DeviceLike) -> tuple[object, DeviceLike]:
    return input.dtype if dtype is None else dtype, input.device if device is None else device


# ---------------------------------------------------------------------- ranges
def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers of [start, end) at distance `step`; `arange(end)` starts at 0. Integers give int64."""
    if end is None:
        start, end = 0, start
    start, end, step = (_number("arange", n) for n in (start, end, step))
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"arange: step must lead from start to end, got arange({start}, {end}, {step})")
    numbers = (start, end, step)
    inferred = int64 if all(isinstance(n, int) for n in numbers) else get_default_dtype()
    kind = inferred if dtype is None else as_dtype(dtype)
    place = as_device(device)
    return _leaf(place.backend.arange(start, end, step, kind), place, requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included."""
    if steps < 0:
        raise ArgumentError(f"linspace: steps must not be negative, got {steps}")
    place, kind = as_device(device), get_default_dtype() if dtype is None else as_dtype(dtype)
    backend = place.backend
    # From both ends towards the middle, so that the last number is `end` exactly.
    count = backend.arange(0, steps, 1, float64)
    width = (end - start) / (steps - 1) if steps > 1 else math.nan
    up = backend.add(backend.multiply(count, width), start) if steps > 1 else backend.full((steps,), start, float64)
    down = backend.subtract(end, backend.multiply(backend.subtract(steps - 1, count), width))
    values = backend.where(backend.less(count, steps / 2), up, down) if steps > 1 else up
    return _leaf(backend.astype(values, kind), place, requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix, `n` by `m` (or by `n`)."""
    place, kind = as_device(device), get_default_dtype() if dtype is None else as_dtype(dtype)
    backend = place.backend
    rows = backend.reshape(backend.arange(0, n, 1, int64), (n, 1))
    columns = backend.arange(0, n if m is None else m, 1, int64)
    return _leaf(backend.astype(backend.equal(rows, columns), kind), place, requires_grad)

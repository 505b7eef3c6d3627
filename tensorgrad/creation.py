"""Making tensors: from data, filled, and in ranges. PyTorch's names, signatures and defaults.

Everywhere: `dtype=None` is the default floating dtype unless said otherwise, `device=None` the default device, and
`requires_grad=True` makes a leaf that gradients accumulate on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tensorgrad.autograd.variable import Variable, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.dtypes import SUPPORTED, DType, as_dtype, bool_, float64, get_default_dtype, int64
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError

if TYPE_CHECKING:
    from tensorgrad.tensor import Tensor

__all__ = [
    "arange",
    "as_size",
    "as_tensor",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


# ---------------------------------------------------------------------- from data
def tensor(data: Any, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A new Tensor with a copy of `data`: a number, nested sequence, NumPy array or Tensor.

    Python floats give the default floating dtype, integers int64, bools bool; arrays keep their dtype. Raises
    ShapeError for ragged sequences and DTypeError for data that are not numbers.
    """
    if isinstance(data, Variable):
        place = data.device if device is None else as_device(device)
        data = data.device.backend.to_numpy(data.array)
    else:
        place = as_device(device)
    host = _host_array("tensor", data, dtype)
    return _leaf(place.backend.asarray(np.array(host, order="C")), place, requires_grad)


def as_tensor(data: Any, *, dtype: object = None, device: DeviceLike = None) -> Tensor:
    """`data` as a Tensor: itself where it is one already, sharing memory with a NumPy array on the CPU."""
    if isinstance(data, Variable):
        return data.to(device=device, dtype=dtype)  # type: ignore[attr-defined, no-any-return]
    place = as_device(device)
    return new_tensor(place.backend.asarray(_host_array("as_tensor", data, dtype)), place)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """A CPU Tensor that shares memory with `array`: a write to either shows in the other."""
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"from_numpy: expected a NumPy array, got {type(array).__name__}")
    return as_tensor(array, device="cpu")


def from_dlpack(source: Any) -> Tensor:
    """A Tensor that shares memory with `source`, any CPU array with `__dlpack__` (NumPy, PyTorch, JAX, ...)."""
    cpu = as_device("cpu")
    return new_tensor(_host_array("from_dlpack", cpu.backend.from_dlpack(source), None), cpu)


def _host_array(name: str, data: Any, dtype: object) -> np.ndarray[Any, Any]:
    wanted = None if dtype is None else as_dtype(dtype)
    try:
        host = np.asarray(_plain(data))
    except ValueError as error:
        raise ShapeError(f"{name}: expected sequences of equal length, got ragged data: {error}") from error
    if wanted is None:
        wanted = host.dtype if _has_dtype(data) else _inferred(host)
    if host.dtype.kind not in "biuf" or (wanted not in SUPPORTED and wanted.kind != "u"):
        known = ", ".join(str(d) for d in SUPPORTED)
        raise DTypeError(f"{name}: expected numbers of dtype {known}, got {host.dtype}; convert with dtype=")
    return host if host.dtype == wanted else host.astype(wanted)


def _plain(data: Any) -> Any:
    """Nested sequences with the Tensors in them replaced by their values."""
    if isinstance(data, (list, tuple)) and any(isinstance(x, (Variable, list, tuple)) for x in data):
        return [_plain(x) for x in data]
    if isinstance(data, Variable):
        return data.device.backend.to_numpy(data.array)
    return data


def _has_dtype(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return hasattr(data, "__array__")


def _inferred(host: np.ndarray[Any, Any]) -> DType:
    if host.size == 0 or host.dtype.kind == "f":
        return get_default_dtype()
    return bool_ if host.dtype.kind == "b" else int64 if host.dtype.kind in "iu" else host.dtype


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
    """A Tensor of shape `size` filled with `fill_value`, whose type gives the dtype where none is given."""
    place = as_device(device)
    kind = _dtype_of(fill_value) if dtype is None else as_dtype(dtype)
    return _leaf(place.backend.full(as_size("full", (size,)), fill_value, kind), place, requires_grad)


def _dtype_of(value: float) -> DType:
    return bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else get_default_dtype()


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
    kind = input.dtype if dtype is None else as_dtype(dtype)
    place = input.device if device is None else device
    return full(input.shape, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


def zeros_like(
    input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`full_like` with 0."""
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """`full_like` with 1."""
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Tensor, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """A Tensor like `input`, its values whatever the memory held."""
    kind = input.dtype if dtype is None else dtype
    place = input.device if device is None else device
    return empty(input.shape, dtype=kind, device=place, requires_grad=requires_grad)


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
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError(f"arange: step must lead from start to end, got arange({start}, {end}, {step})")
    numbers = (start, end, step)
    kind = (
        as_dtype(dtype)
        if dtype is not None
        else (int64 if all(isinstance(n, int) for n in numbers) else get_default_dtype())
    )
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

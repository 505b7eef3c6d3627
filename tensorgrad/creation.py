"""Making tensors from data, and filled (in ranges: `ranges`). PyTorch's names, signatures and defaults.

Everywhere: `dtype=None` is the default floating dtype unless said otherwise, `device=None` the default device (that of
the data, where these are a Tensor or an array on CUDA), and `requires_grad=True` makes a leaf that gradients accumulate
on.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.dtypes import (
    as_dtype,
    fitting,
    get_default_dtype,
    how_to_make_one,
    scalar_dtype,
    shown,
    type_name,
)
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.host_data import PLAIN, by_dlpack, host_array, number, off_host, taken_in
from tensorgrad.memory_formats import MemoryFormat, check_format, contiguous_format, preserve_format

__all__ = [
    "MOST_ELEMENTS", "as_size", "as_tensor", "empty", "empty_like", "from_dlpack", "from_numpy", "full", "full_like",
    "leaf", "new_data", "new_empty", "new_full", "new_ones", "new_zeros", "ones", "ones_like", "tensor", "zeros",
    "zeros_like",
]  # fmt: skip

MOST_ELEMENTS = 2**59  # addresses have 64 bits


# ---------------------------------------------------------------------- from data
@hinted
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
        return leaf(made.array, made.device, requires_grad)
    place = as_device(device)
    host = host_array("tensor", data, dtype)
    return leaf(place.backend.asarray(np.array(host, order="C")), place, requires_grad)


@hinted
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


def leaf(array: Any, device: Device, requires_grad: bool) -> Tensor:
    """A new Tensor around an array of `device`, on which gradients accumulate if `requires_grad`."""
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
        found = tuple(map(operator.index, size))
    except TypeError:
        raise DTypeError(f"{name}: a size consists of integers, got {tuple(size)!r}") from None
    if found and min(found) < 0:
        raise ArgumentError(f"{name}: sizes must not be negative, got {found}")
    if math.prod(found) > MOST_ELEMENTS:
        raise ArgumentError(f"{name}: no memory holds so many elements, got shape ({', '.join(map(shown, found))})")
    return found


@hinted
def full(
    size: Sequence[int],
    fill_value: Tensor | float,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """A Tensor of shape `size` filled with `fill_value`, whose type gives the dtype where none is given.

    Raises ArgumentError for a number that an integer `dtype` does not hold.
    """
    place, value = as_device(device), number("full", fill_value)
    kind = scalar_dtype(value) if dtype is None else as_dtype(dtype)
    shape = as_size("full", (size,))
    return leaf(place.backend.full(shape, fitting("full", value, kind), kind), place, requires_grad)


def _filled(name: str, size: Sequence[Any], value: float, dtype: object, device: DeviceLike, grad: bool) -> Tensor:
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    return full(as_size(name, size), value, dtype=kind, device=device, requires_grad=grad)


@hinted
def zeros(*size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return _filled("zeros", size, 0, dtype, device, requires_grad)


@hinted
def ones(*size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of ones: `ones(2, 3)` or `ones((2, 3))`."""
    return _filled("ones", size, 1, dtype, device, requires_grad)


@hinted
def empty(
    *size: Any,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat = contiguous_format,
) -> Tensor:
    """A Tensor whose values are whatever the memory held."""
    if memory_format is not contiguous_format:
        check_format("empty", memory_format)
    place = as_device(device)
    kind = get_default_dtype() if dtype is None else as_dtype(dtype)
    return leaf(place.backend.empty(as_size("empty", size), kind), place, requires_grad)


@hinted
def full_like(
    input: Tensor,
    fill_value: Tensor | float,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """A Tensor of the shape, and unless given the dtype and device, of `input`, filled with `fill_value`.

    It is contiguous whatever `memory_format` says, as those of `zeros_like`, `ones_like` and `empty_like` are.
    """
    _check_tensor("full_like", input)
    if memory_format is not preserve_format:
        check_format("full_like", memory_format)
    kind, place = _like(input, dtype, device)
    return full(input.shape, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


def _check_tensor(name: str, input: object) -> None:
    if not isinstance(input, Variable):
        raise DTypeError(f"{name}: expected a Tensor, got {type_name(input)}; {how_to_make_one(input)}")


@hinted
def zeros_like(
    input: Tensor,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """`full_like` with 0."""
    _check_tensor("zeros_like", input)
    if memory_format is not preserve_format:
        check_format("zeros_like", memory_format)
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


@hinted
def ones_like(
    input: Tensor,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """`full_like` with 1."""
    _check_tensor("ones_like", input)
    if memory_format is not preserve_format:
        check_format("ones_like", memory_format)
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


@hinted
def empty_like(
    input: Tensor,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """A Tensor like `input`, its values whatever the memory held."""
    _check_tensor("empty_like", input)
    if memory_format is not preserve_format:
        check_format("empty_like", memory_format)
    kind, place = _like(input, dtype, device)
    return empty(input.shape, dtype=kind, device=place, requires_grad=requires_grad)


def new_data(
    self: Tensor, data: Any, *, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.tensor(data)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return tensor(data, dtype=kind, device=place, requires_grad=requires_grad)


@hinted
def new_full(
    self: Tensor,
    size: Sequence[int],
    fill_value: Tensor | float,
    *,
    dtype: object = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """`tg.full(size, fill_value)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return full(size, fill_value, dtype=kind, device=place, requires_grad=requires_grad)


@hinted
def new_zeros(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.zeros(size)` with, unless given, the dtype and device of this tensor."""
    return new_full(self, as_size("new_zeros", size), 0, dtype=dtype, device=device, requires_grad=requires_grad)


@hinted
def new_ones(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.ones(size)` with, unless given, the dtype and device of this tensor."""
    return new_full(self, as_size("new_ones", size), 1, dtype=dtype, device=device, requires_grad=requires_grad)


@hinted
def new_empty(
    self: Tensor, *size: Any, dtype: object = None, device: DeviceLike = None, requires_grad: bool = False
) -> Tensor:
    """`tg.empty(size)` with, unless given, the dtype and device of this tensor."""
    kind, place = _like(self, dtype, device)
    return empty(as_size("new_empty", size), dtype=kind, device=place, requires_grad=requires_grad)


def _like(input: Tensor, dtype: object, device: DeviceLike) -> tuple[object, DeviceLike]:
    return input.dtype if dtype is None else dtype, input.device if device is None else device

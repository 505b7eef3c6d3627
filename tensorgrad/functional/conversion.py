"""Tensors in and out: to other dtypes, devices and libraries, and to Python numbers."""

from __future__ import annotations

import builtins
from functools import lru_cache
from typing import Any

import numpy as np

from tensorgrad.autograd.function import Function
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor, Variable, new_tensor
from tensorgrad.backends import Device, DeviceLike
from tensorgrad.backends import device as as_device
from tensorgrad.backends.device import device_of_type, kind_asked_for
from tensorgrad.dtypes import DType, as_dtype, bool_, float16, float32, float64, int8, int16, int32, int64, shown, uint8
from tensorgrad.errors import ArgumentError, DeviceError, DTypeError, GraphError, ShapeError
from tensorgrad.functional.promotion import cast, shape_of
from tensorgrad.memory_formats import MemoryFormat, check_format, contiguous_format, preserve_format
from tensorgrad.ops import elementwise as E

__all__ = ["clone", "is_floating_point", "is_tensor"]


# ---------------------------------------------------------------------- devices and dtypes
class _Transfer(Function):
    """A copy on another device; the gradient comes back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, target: Device) -> Tensor:
        ctx.source = x.device
        return new_tensor(target.backend.asarray(x.device.backend.to_numpy(x.array)), target)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        return _Transfer.apply(g, ctx.source), None


def to(
    self: Tensor,
    *args: Any,
    device: DeviceLike = None,
    dtype: object = None,
    copy: builtins.bool = False,
    non_blocking: builtins.bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """This tensor on another device and/or in another dtype, differentiably; itself where nothing changes.

    `to("cuda")`, `to(0)` (the first CUDA device), `to(tg.float64)`, `to("cuda", tg.float16)`, `to(other_tensor)`, or
    by keyword; devices as for `tg.device`. `copy=True` always makes a new tensor, and a new one lies in memory as
    `memory_format` says. `non_blocking` is accepted for PyTorch programs and changes nothing. Floats
    that do not fit an integer dtype (nan, infinite, too large) give what the device makes of them.
    """
    place, kind = destination("to", args, device, dtype)
    result = self if place is None or place is self.device else _Transfer.apply(self, place)
    if kind is not None:
        result = cast(result, kind)
    if memory_format is not preserve_format:
        check_format("to", memory_format)
        result = result if result is self else contiguous(result)
    return clone(result) if copy and result is self else result


def destination(
    name: str, args: tuple[Any, ...], device: DeviceLike, dtype: object
) -> tuple[Device | None, DType | None]:
    """The device and the dtype that the arguments of a `to` ask for; None for what shall stay as it is.

    Raises, in the name of `name`, DTypeError for what is neither, DeviceError for such a name or number, and
    ArgumentError for a bool.
    """
    for arg in args:
        if isinstance(arg, Variable):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, Device):
            device = arg
        elif isinstance(arg, (np.dtype, type)) or (isinstance(arg, str) and _names_dtype(arg)):
            dtype = arg
        elif kind_asked_for(arg) is not None:
            device = arg
        elif type(arg) is builtins.bool:
            raise ArgumentError(f"{name}: expected a device, a dtype or a tensor, got a bool; pass flags by keyword")
        elif isinstance(arg, (str, builtins.int, np.integer)):
            raise DeviceError(f"{name}: expected a device, a dtype or a tensor, got {shown(arg)}")
        elif arg is not None:
            raise DTypeError(f"{name}: expected a device, a dtype or a tensor, got {arg!r:.60} of {type(arg)}")
    return None if device is None else as_device(device), None if dtype is None else as_dtype(dtype)


@lru_cache(maxsize=64)
def _names_dtype(name: str) -> builtins.bool:
    """Whether `name` is a dtype's, and therefore no device's."""
    try:
        np.dtype(name)
    except (TypeError, SyntaxError):  # the latter of names with commas in odd places
        return False
    return True


def cpu(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor on the CPU."""
    return to(self, device="cpu", memory_format=memory_format)


def cuda(
    self: Tensor,
    device: DeviceLike = None,
    non_blocking: builtins.bool = False,
    memory_format: MemoryFormat = preserve_format,
) -> Tensor:
    """This tensor on a CUDA device: the default one, or the first where that is another; or the one that is given.

    Where CUDA cannot be used, see `tg.device`. Raises DeviceError for a device that is not a CUDA one. `non_blocking`
    is accepted for PyTorch programs and changes nothing.
    """
    return to(self, device=device_of_type("cuda", "cuda", device), memory_format=memory_format)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype of `other`."""
    return cast(self, other.dtype)


def float(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in float32."""
    return cast(self, float32) if memory_format is preserve_format else to(self, float32, memory_format=memory_format)


def double(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in float64."""
    return cast(self, float64) if memory_format is preserve_format else to(self, float64, memory_format=memory_format)


def half(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in float16."""
    return cast(self, float16) if memory_format is preserve_format else to(self, float16, memory_format=memory_format)


def int(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in int32, towards zero."""
    return cast(self, int32) if memory_format is preserve_format else to(self, int32, memory_format=memory_format)


def long(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in int64, towards zero."""
    return cast(self, int64) if memory_format is preserve_format else to(self, int64, memory_format=memory_format)


def short(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in int16, towards zero."""
    return cast(self, int16) if memory_format is preserve_format else to(self, int16, memory_format=memory_format)


def byte(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in uint8, towards zero."""
    return cast(self, uint8) if memory_format is preserve_format else to(self, uint8, memory_format=memory_format)


def char(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """This tensor in int8, towards zero."""
    return cast(self, int8) if memory_format is preserve_format else to(self, int8, memory_format=memory_format)


def bool(self: Tensor, memory_format: MemoryFormat = preserve_format) -> Tensor:
    """Whether each element differs from zero."""
    return cast(self, bool_) if memory_format is preserve_format else to(self, bool_, memory_format=memory_format)


def is_floating_point(input: Tensor) -> builtins.bool:
    """Whether the dtype of `input` is a floating one."""
    shape_of("is_floating_point", input)
    return input.dtype.kind == "f"


def is_tensor(obj: object) -> builtins.bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Variable)


# ---------------------------------------------------------------------- copies and detached views
def clone(self: Tensor, *, memory_format: MemoryFormat = contiguous_format) -> Tensor:
    """A copy in memory of its own, contiguous whatever `memory_format` says, with the gradient passing through."""
    shape_of("clone", self)
    if memory_format is not contiguous_format:
        check_format("clone", memory_format)
    return apply(E.copy, self)


def contiguous(self: Tensor, memory_format: MemoryFormat = contiguous_format) -> Tensor:
    """This tensor where its memory is contiguous in C order, a contiguous copy otherwise."""
    if memory_format is not contiguous_format:
        check_format("contiguous", memory_format)
    return self if self.device.backend.is_contiguous(self.array) else clone(self)


def is_contiguous(self: Tensor) -> Any:
    """Whether the elements lie in memory one after the other in C order."""
    return self.device.backend.is_contiguous(self.array)


def detach(self: Tensor) -> Tensor:
    """The same memory without history: gradients do not flow back, and in-place writes show in both."""
    result = new_tensor(self.array, self.device)
    result.version = self.version
    return result


# ---------------------------------------------------------------------- to the host
def numpy(self: Tensor, *, force: Any = False) -> np.ndarray[Any, Any]:
    """The values as a NumPy array, on the CPU without a copy. `force=True` is `.detach().cpu().numpy()`.

    Raises GraphError where the tensor requires grad, DTypeError where it is on another device.
    """
    if not force:
        if self.requires_grad:
            raise GraphError("numpy: this tensor requires grad; use .detach().numpy(), or numpy(force=True)")
        if self.device.type != "cpu":
            raise DTypeError(f"numpy: this tensor is on {self.device}; use .cpu().numpy(), or numpy(force=True)")
    host: np.ndarray[Any, Any] = self.device.backend.to_numpy(self.array)
    return host


def array_protocol(self: Tensor, dtype: DType | None = None, copy: Any = None) -> np.ndarray[Any, Any]:
    """What `np.asarray(tensor)` calls. Raises ValueError where `copy=False` cannot be kept."""
    host = numpy(self)
    if dtype is not None and host.dtype != dtype:
        if copy is False:
            raise ArgumentError(f"__array__: {host.dtype} becomes {dtype} by a copy only, and copy=False was asked for")
        return host.astype(dtype)
    return host.copy() if copy else host


def item(self: Tensor) -> Any:
    """The value of a tensor of one element, as a Python number. Raises ShapeError otherwise."""
    if any(n != 1 for n in self.shape):
        raise ShapeError(f"item: expected a tensor of one element, got shape {self.shape}; use .tolist()")
    return self.device.backend.to_numpy(self.array).item()


def tolist(self: Tensor) -> Any:
    """The values as nested lists of Python numbers; a number for a 0-d tensor."""
    return self.device.backend.to_numpy(self.array).tolist()


def dlpack(self: Tensor, **options: Any) -> Any:
    """What `from_dlpack` of other libraries calls: the memory, without a copy where any library can take it so.

    Memory with negative strides (which ends a process of PyTorch's) or at odd addresses is copied. `options` are the
    protocol's: `stream` (the consumer's, which will wait for this device's work), `max_version`, `dl_device`, `copy`.
    Raises GraphError under grad, BufferError where `copy=False` cannot be kept.
    """
    if self.requires_grad:
        raise GraphError("__dlpack__: this tensor requires grad; use .detach()")
    return self.device.backend.to_dlpack(self.array, **options)


def dlpack_device(self: Tensor) -> tuple[Any, Any]:
    """Where the memory is, by DLPack's numbers."""
    return self.device.backend.dlpack_device(self.array)


def cuda_array_interface(self: Tensor) -> Any:
    """What CuPy, Numba and PyTorch read to share the memory of a CUDA tensor. Raises GraphError under grad, and
    BufferError for negative strides.

    A tensor on another device has no such attribute.
    """
    if self.device.type != "cuda":
        raise AttributeError(
            f"__cuda_array_interface__: this tensor is on {self.device}, and CUDA tensors only have it"
        )
    if self.requires_grad:
        raise GraphError("__cuda_array_interface__: this tensor requires grad; use .detach()")
    backend: Any = self.device.backend
    return backend.cuda_array_interface(self.array)


class ConversionMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    float = float
    int = int
    bool = bool
    to = to
    cpu = cpu
    cuda = cuda
    type_as = type_as
    double = double
    half = half
    short = short
    byte = byte
    char = char
    long = long
    clone = clone
    contiguous = contiguous
    is_contiguous = is_contiguous
    is_floating_point = is_floating_point
    detach = detach
    numpy = numpy
    item = item
    tolist = tolist
    __array__ = array_protocol
    __dlpack__ = dlpack
    __dlpack_device__ = dlpack_device
    __cuda_array_interface__ = property(cuda_array_interface)

"""Checks a launch's arguments against the kernel's signature, as nothing on a real device does, and packs them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ArgumentError
from .signature import Kernel, Parameter

__all__ = ["Packer", "check_grid"]

_POINTEES = {
    "float": "f4",
    "double": "f8",
    "half_t": "f2 u2",
    "__half": "f2 u2",
    "__half2": "f2 u2",
    "float2": "f4",
    "float4": "f4",
    "double2": "f8",
    "int": "i4 u4",
    "unsigned int": "u4 i4",
    "long long": "i8 u8",
    "unsigned long long": "u8 i8",
    "short": "i2 u2",
    "unsigned short": "u2 i2 f2",
    "char": "i1 u1",
    "signed char": "i1 u1 b1",
    "unsigned char": "u1 i1 b1",
    "bool": "b1 u1",
}
_INTEGERS: dict[str, tuple[int, int, type[np.integer[Any]]]] = {
    "int": (-(2**31), 2**31 - 1, np.int32),
    "unsigned int": (0, 2**32 - 1, np.uint32),
    "long long": (-(2**63), 2**63 - 1, np.int64),
    "unsigned long long": (0, 2**64 - 1, np.uint64),
}
_BLOCK_LIMITS = (1024, 1024, 64)
_GRID_LIMITS = (2**31 - 1, 65535, 65535)
_MAX_THREADS = 1024
_MOST_SHARED = 227 * 1024  # of the largest devices; above 48 KiB the caller of a real kernel must ask for it

Convert = Callable[[Any], Any]


class Packer:
    """Turns a launch's arguments into the block of eight-byte slots that the kernel's trampoline reads."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._struct = struct.Struct("=" + "".join(p.format for p in kernel.parameters))
        self._converts: list[Convert] = [_converter(p) for p in kernel.parameters]

    def __call__(self, args: Sequence[Any]) -> bytes:
        if len(args) != len(self._converts):
            raise ArgumentError(f"{self._kernel.name}: expected {self._signature()}, got {len(args)} arguments")
        try:
            return self._struct.pack(*[convert(arg) for convert, arg in zip(self._converts, args, strict=True)])
        except ArgumentError as error:
            raise ArgumentError(f"{self._kernel.name}: {error}") from None

    def _signature(self) -> str:
        wanted = [f"{parameter.type} {parameter.name}" for parameter in self._kernel.parameters]
        return f"{len(wanted)} arguments ({', '.join(wanted)})"


def check_grid(kernel: str, grid: Sequence[int], block: Sequence[int], shared_mem: int) -> None:
    """Raises ArgumentError unless a device would accept the launch."""
    for name, sizes, limits in (("grid", grid, _GRID_LIMITS), ("block", block, _BLOCK_LIMITS)):
        if not all(1 <= size <= limit for size, limit in zip(sizes, limits, strict=True)):
            raise ArgumentError(f"{kernel}: {name} must lie in 1..{limits}, got {tuple(sizes)}")
    threads = block[0] * block[1] * block[2]
    if threads > _MAX_THREADS:
        raise ArgumentError(f"{kernel}: a block has at most {_MAX_THREADS} threads, got {tuple(block)} = {threads}")
    if not 0 <= shared_mem <= _MOST_SHARED:
        raise ArgumentError(f"{kernel}: shared_mem must lie in 0..{_MOST_SHARED} bytes, got {shared_mem}")


def _converter(parameter: Parameter) -> Convert:
    if parameter.pointers:
        return _pointer_converter(parameter)
    if parameter.type in _INTEGERS:
        return _integer_converter(parameter)
    return _float_converter(parameter)


def _pointer_converter(parameter: Parameter) -> Convert:
    """Arrays by their address, in place. An int is an address itself, as in CuPy (0: no array)."""
    where = f"{parameter.name} ({parameter.type})"
    dtypes = _pointee_dtypes(parameter)
    writes = not parameter.pointee_is_const

    def convert(arg: Any) -> int:
        if type(arg) is int:
            return arg
        if not isinstance(arg, np.ndarray):
            raise ArgumentError(f"{where}: expected an array, got {type(arg).__name__}")
        flags = arg.flags
        if not (flags.c_contiguous or flags.f_contiguous):
            raise ArgumentError(f"{where}: the array is not contiguous (strides {arg.strides}); the kernel cannot know")
        if dtypes and arg.dtype not in dtypes:
            raise ArgumentError(f"{where}: expected {' or '.join(map(str, dtypes))}, got {arg.dtype}")
        if writes and not flags.writeable:
            raise ArgumentError(f"{where}: the array is read-only")
        address: int = arg.__array_interface__["data"][0]
        return address

    return convert


def _pointee_dtypes(parameter: Parameter) -> tuple[np.dtype[Any], ...]:
    """The dtypes that may stand behind a pointer; empty when anything may. A table of pointers holds addresses."""
    names = "u8 i8" if parameter.pointers > 1 else _POINTEES.get(parameter.base, "")
    return tuple(np.dtype(name) for name in names.split())


def _integer_converter(parameter: Parameter) -> Convert:
    low, high, numpy_type = _INTEGERS[parameter.type]
    where = f"{parameter.name} ({parameter.type})"

    def convert(arg: Any) -> int:
        if type(arg) is not int and not isinstance(arg, numpy_type):
            raise ArgumentError(f"{where}: expected int or {numpy_type.__name__}, got {type(arg).__name__} {arg!r}")
        if not low <= arg <= high:
            raise ArgumentError(f"{where}: {arg} does not fit")
        return int(arg)

    return convert


def _float_converter(parameter: Parameter) -> Convert:
    """A Python float travels as a double: into a float parameter it would put the wrong four bytes."""
    accepted: type[Any] = np.float32 if parameter.type == "float" else float
    wanted = "np.float32" if parameter.type == "float" else "float or np.float64"
    where = f"{parameter.name} ({parameter.type})"

    def convert(arg: Any) -> float:
        if not isinstance(arg, accepted):
            raise ArgumentError(f"{where}: expected {wanted}, got {type(arg).__name__} {arg!r}")
        return float(arg)

    return convert

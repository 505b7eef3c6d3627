"""What a kernel launch must be given. CuPy checks almost nothing of it: a wrong argument is read as something else.

The rules: as many arguments as the kernel has parameters; for a pointer a C-contiguous array of the element's dtype, or
0 for none (a `MemoryPointer`, array.data, says that dtype and strides are taken care of); for a number a scalar of the
parameter's width. CuPy passes a Python float as 8 bytes, so it never suits `float`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.cupy_standin.array import check_device, host, ndarray
from tests.cupy_standin.casting import Host
from tests.cupy_standin.device import CUDARuntimeError
from tests.cupy_standin.memory import MemoryPointer

__all__ = ["DEFAULT_SHARED", "MOST_SHARED", "check_geometry", "check_shared", "checked_arguments"]

DEFAULT_SHARED = 48 << 10
MOST_SHARED = 227 << 10
_MOST_GRID = (2**31 - 1, 65535, 65535)
_MOST_BLOCK = (1024, 1024, 64)
_MOST_THREADS = 1024

# The dtypes, by letter, that may stand behind a C type; the first is the type's own. Atomics exist for unsigned types
# only, so those take the signed ones too.
_ELEMENTS = {
    "float": "f",
    "double": "d",
    "half_t": "eH",
    "bool": "?B",
    "char": "b",
    "signed char": "b",
    "unsigned char": "B?",
    "short": "h",
    "unsigned short": "He",
    "int": "i",
    "unsigned int": "Ii",
    "long long": "q",
    "unsigned long long": "Qq",
}
_SPELLINGS = {
    "unsigned": "unsigned int",
    "long": "long long",
    "unsigned long": "unsigned long long",
    "size_t": "unsigned long long",
    "int8_t": "signed char",
    "uint8_t": "unsigned char",
    "int16_t": "short",
    "uint16_t": "unsigned short",
    "int32_t": "int",
    "uint32_t": "unsigned int",
    "int64_t": "long long",
    "uint64_t": "unsigned long long",
}
_QUALIFIERS = re.compile(r"\b(const|volatile|struct|__restrict__|__restrict|restrict)\b")


def check_geometry(name: str, grid: Any, block: Any) -> None:
    """ValueError unless the grid and the block are those of a launch that the hardware accepts."""
    for what, sizes, most in (("grid", grid, _MOST_GRID), ("block", block, _MOST_BLOCK)):
        if not isinstance(sizes, tuple):
            raise TypeError(f"{name}: {what}: Expected tuple, got {type(sizes).__name__}")
        if not 1 <= len(sizes) <= 3 or not all(isinstance(n, (int, np.integer)) for n in sizes):
            raise TypeError(f"{name}: {what}: expected one to three integers, got {sizes}")
        if min(sizes) < 1:
            raise ValueError(f"{name}: {what} {sizes} has a size below 1, which CuPy would silently make 1")
        if any(n > m for n, m in zip(sizes, most, strict=False)):
            raise ValueError(f"{name}: {what} {sizes} exceeds {most[: len(sizes)]}")
    if int(np.prod(block, dtype=np.int64)) > _MOST_THREADS:
        raise ValueError(f"{name}: block {block} has more than {_MOST_THREADS} threads")


def check_shared(name: str, shared: int, allowed: int) -> None:
    """As the driver: more than 48 KiB only after `max_dynamic_shared_size_bytes` was set."""
    if not isinstance(shared, (int, np.integer)) or shared < 0:
        raise TypeError(f"{name}: shared_mem: expected a size in bytes, got {shared!r}")
    if shared > allowed:
        raise CUDARuntimeError(
            f"CUDA_ERROR_INVALID_VALUE: {name}: {shared} bytes of shared memory, of {allowed} allowed; "
            "set max_dynamic_shared_size_bytes"
        )


def checked_arguments(name: str, parameters: Sequence[str], args: Any) -> list[Any]:
    """The arguments as the emulator takes them. TypeError for one that does not suit its parameter."""
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"{name}: args: expected a tuple, got {type(args).__name__}")
    if len(args) != len(parameters):
        raise TypeError(f"{name}: expected {len(parameters)} arguments ({', '.join(parameters)}), got {len(args)}")
    pairs = enumerate(zip(parameters, args, strict=True))
    return [_checked(f"{name}: argument {i} ({parameter})", parameter, x) for i, (parameter, x) in pairs]


def _checked(role: str, parameter: str, x: Any) -> Any:
    plain = " ".join(_QUALIFIERS.sub(" ", parameter).replace("*", " * ").split())
    if isinstance(x, np.ndarray):
        raise TypeError(f"{role}: got a NumPy array, and the kernel would read host memory; pass a cupy.ndarray")
    if plain.endswith("*"):
        return _pointer(role, plain[:-1].strip(), x)
    return _number(role, plain, x)


def _pointer(role: str, element: str, x: Any) -> Any:
    if isinstance(x, MemoryPointer):
        check_device(x.device_id, role)
        return x.ptr
    if isinstance(x, (int, np.integer)) and not isinstance(x, bool) and int(x) == 0:
        return 0
    if not isinstance(x, ndarray):
        raise TypeError(f"{role}: expected a cupy.ndarray, got {type(x).__name__}")
    values = host(x, role)
    _check_element(role, element, values)
    if not values.flags.c_contiguous:
        raise TypeError(f"{role}: the array is not C-contiguous, and a kernel ignores its strides {values.strides}")
    return values


def _check_element(role: str, element: str, values: Host) -> None:
    """A table of pointers is an array of addresses; behind void* anything goes."""
    if element == "void":
        return
    allowed = "Qq" if element.endswith("*") else _letters(role, element)
    if values.dtype not in [np.dtype(c) for c in allowed]:
        raise TypeError(f"{role}: expected an array of {np.dtype(allowed[0])}, got {values.dtype}")


def _number(role: str, kind: str, x: Any) -> Any:
    wanted = np.dtype(_letters(role, kind)[0])
    if isinstance(x, np.generic) and x.dtype == wanted:
        return x if wanted.kind == "f" else int(x)
    if wanted == np.float64 and type(x) is float:
        return np.float64(x)
    if wanted.kind in "iu" and type(x) is int and np.iinfo(wanted).min <= x <= np.iinfo(wanted).max:
        return x
    raise TypeError(f"{role}: {_complaint(wanted, x)}; pass np.{wanted.name}")


def _letters(role: str, kind: str) -> str:
    found = _ELEMENTS.get(_SPELLINGS.get(kind, kind))
    if found is None:
        raise TypeError(f"{role}: the stand-in does not know the type {kind!r}")
    return found


def _complaint(wanted: np.dtype[Any], x: Any) -> str:
    if type(x) is float:
        return f"CuPy passes a Python float as an 8-byte double, and the parameter is {wanted}"
    size = f"of {x.dtype}" if isinstance(x, np.generic) else repr(x)
    return f"expected a scalar of {wanted}, got {type(x).__name__} {size}"

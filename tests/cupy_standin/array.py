"""`cupy.ndarray`: an array that only the stand-in can read.

It wraps a NumPy array that lies in counted device memory, and is no NumPy array: every protocol by which NumPy would
get at the values is refused, as CuPy refuses it or more strictly. CuPy answers `np.exp(x)` and `np.sum(x)` by running
its own function; here both are a TypeError, because a NumPy function that is handed an array of the device has got
past the backend, and works only as long as CuPy happens to have a function of that name.

Operators and most methods are attached in methods.py, which needs the functions that need this class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn

import numpy as np

from tests.cupy_standin.casting import Host, as_dtype, cast, copy_into
from tests.cupy_standin.device import Stream, current_device, get_current_stream
from tests.cupy_standin.memory import GARBAGE, Memory, MemoryPointer, alloc

__all__ = ["Gap", "adopt", "check_device", "empty", "host", "ndarray"]

Shape = tuple[int, ...]


class Gap(AttributeError):
    """CuPy has it and the stand-in has not. An AttributeError, so that `hasattr` is False."""

    def __init__(self, owner: str, name: str) -> None:
        super().__init__(f"the CuPy stand-in lacks {owner}.{name}: add it to tests/cupy_standin, or do without")


class Flags(NamedTuple):
    """Nothing more than CuPy has: no `writeable`."""

    c_contiguous: bool
    f_contiguous: bool
    owndata: bool


class ndarray:
    """An array in the memory of the (pretended) device."""

    __slots__ = ("__weakref__", "_host", "_memory", "base")
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100
    # NumPy's operators then leave the operation to ours, and its functions raise TypeError.
    __array_ufunc__ = None

    def __init__(
        self, shape: Any, dtype: Any = float, memptr: MemoryPointer | None = None, strides: Any = None, order: str = "C"
    ) -> None:
        found = as_dtype(dtype)
        size = (int(shape),) if np.ndim(shape) == 0 else tuple(int(n) for n in shape)
        if any(n < 0 for n in size):
            raise ValueError("Negative dimensions are not allowed")
        nbytes = int(np.prod(size, dtype=np.int64)) * found.itemsize
        place = alloc(nbytes) if memptr is None else memptr
        self.base: ndarray | None = None
        self._memory: Memory = place.mem
        self._host: Host = (
            np.ndarray(
                size, found, place.mem.buffer, place.mem.start + place.offset, strides, "F" if order == "F" else "C"
            )
            if nbytes
            else np.empty(size, found)
        )

    # ------------------------------------------------------------------ layout
    dtype = property(lambda self: self._host.dtype)
    shape = property(lambda self: self._host.shape)
    strides = property(lambda self: self._host.strides)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    device = property(lambda self: self._memory.device)

    @property
    def flags(self) -> Flags:
        flags = self._host.flags
        return Flags(flags.c_contiguous, flags.f_contiguous, self.base is None)

    @property
    def data(self) -> MemoryPointer:
        offset = self._host.ctypes.data - self._memory.ptr if self.size else 0
        return MemoryPointer(self._memory, offset)

    @property
    def T(self) -> ndarray:
        return self if self.ndim < 2 else view_of(self, self._host.T)

    # ------------------------------------------------------------------ protocols
    def __array__(self, dtype: Any = None, copy: Any = None) -> NoReturn:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        raise TypeError(f"numpy.{func.__name__} was called with a cupy.ndarray; call cupy's function")

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "descr": self.dtype.descr,
            "stream": 1,
            "version": 3,
            "strides": None if self.flags.c_contiguous else self.strides,
            "data": (self.data.ptr if self.size else 0, False),
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self._memory.device_id

    # ------------------------------------------------------------------ to and from the host
    def get(self, stream: Any = None, order: str = "C", out: Host | None = None, blocking: bool = True) -> Host:
        if out is None:
            out = np.empty(self.shape, self.dtype, "F" if order.upper() == "F" else "C")
            if order.upper() == "A" and self._host.flags.f_contiguous:
                out = np.empty(self.shape, self.dtype, "F")
        _check_target(self, out)
        if blocking:
            (stream or get_current_stream()).synchronize()
            np.copyto(out, self._host)
        else:
            _arrive_late(stream or get_current_stream(), out, self._host.copy())
        return out

    def set(self, arr: Host, stream: Any = None) -> None:
        if not isinstance(arr, np.ndarray):
            raise TypeError("Only numpy.ndarray can be set to cupy.ndarray")
        if self.dtype != arr.dtype:
            raise TypeError(f"{arr.dtype} array cannot be set to {self.dtype} array")
        if self.shape != arr.shape:
            raise ValueError(f"Shape mismatch. Old shape: {self.shape}, new shape: {arr.shape}")
        if not (self._host.flags.c_contiguous or self._host.flags.f_contiguous):
            raise RuntimeError("Cannot set to non-contiguous array")
        np.copyto(self._host, arr)

    def item(self) -> Any:
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self._host.item()

    def tolist(self) -> Any:
        return self._host.tolist()

    def tobytes(self, order: Any = "C") -> bytes:
        return self._host.tobytes(order)

    def __bool__(self) -> bool:
        if self.size > 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
            )
        return bool(self._host.item()) if self.size else False

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __len__(self) -> int:
        if self.ndim == 0:
            raise TypeError("len() of unsized object")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))  # type: ignore[index]

    def __repr__(self) -> str:
        return repr(self._host)

    def __str__(self) -> str:
        return str(self._host)

    def __format__(self, spec: str) -> str:
        return format(self._host, spec)

    def __reduce__(self) -> Any:
        from tests.cupy_standin.creation import array  # creation makes arrays, and so imports this file

        return array, (self.get(),)

    # ------------------------------------------------------------------ copies and views
    def astype(
        self, dtype: Any, order: str | None = "K", casting: Any = None, subok: Any = None, copy: bool = True
    ) -> ndarray:
        if casting is not None or subok is not None:
            raise TypeError("casting and subok are not supported yet")
        found = as_dtype(dtype)
        if not copy and found == self.dtype and _is_laid_out(self, order or "K"):
            return self
        result = empty(self.shape, found, _strides(self._host, found, order or "K"))
        copy_into(result._host, host(self))
        return result

    def copy(self, order: str = "C") -> ndarray:
        """On the current device, wherever this array is."""
        if not self.size or self._memory.device_id == current_device():
            return self.astype(self.dtype, order)
        with self.device:
            there = self.astype(self.dtype, order, copy=False)
        if not there.flags.c_contiguous and not there.flags.f_contiguous:
            raise NotImplementedError("CuPy cannot copy non-contiguous array between devices.")
        result = empty(there.shape, there.dtype, there.strides)
        np.copyto(result._host, there._host)
        return result

    def __copy__(self) -> ndarray:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> ndarray:
        with self.device:
            return self.copy()

    def view(self, dtype: Any = None, type: Any = None) -> ndarray:
        return view_of(self, self._host.view() if dtype is None else self._host.view(as_dtype(dtype)))

    def fill(self, value: Any) -> None:
        """An array in C order is filled with zero bytes where `value` equals 0, and so -0.0 loses its sign."""
        host(self)
        plain = host(value) if isinstance(value, ndarray) else np.asarray(value)
        if plain.shape != ():
            library = "cupy" if isinstance(value, ndarray) else "numpy"
            raise ValueError(f"non-scalar {library}.ndarray cannot be used for fill")
        # Of Python's numbers one that does not fit is an error, as the conversion happens on the host.
        scalar = cast(plain, self.dtype) if hasattr(value, "dtype") else np.asarray(value, self.dtype)
        self._host[...] = 0 if scalar == 0 and self._host.flags.c_contiguous else scalar


def _check_target(source: ndarray, out: Host) -> None:
    if not isinstance(out, np.ndarray):
        raise TypeError("Only numpy.ndarray can be obtained from cupy.ndarray")
    if source.dtype != out.dtype:
        raise TypeError(f"{out.dtype} array cannot be obtained from {source.dtype} array")
    if source.shape != out.shape:
        raise ValueError(f"Shape mismatch. Expected shape: {source.shape}, actual shape: {out.shape}")
    if not (out.flags.c_contiguous or out.flags.f_contiguous):
        raise RuntimeError("`out` cannot be specified when copying to non-contiguous ndarray")


def _arrive_late(stream: Stream, out: Host, values: Host) -> None:
    """`out` holds garbage until `stream` is synchronised."""
    np.ndarray(out.nbytes, np.uint8, out.data if out.flags.c_contiguous else out.T.data).fill(GARBAGE)
    stream.later(lambda: np.copyto(out, values))


def _strides(x: Host, dtype: Any, order: str) -> Shape:
    like: Any = np.empty_like
    return like(x, dtype, order).strides  # type: ignore[no-any-return]


def _is_laid_out(x: ndarray, order: str) -> bool:
    c, f = x._host.flags.c_contiguous, x._host.flags.f_contiguous
    return {"K": True, "A": c or f, "C": c, "F": f}[order.upper()]


# ---------------------------------------------------------------------- for the other files of the stand-in
def empty(shape: Any, dtype: Any, strides: Shape | None = None) -> ndarray:
    """A fresh array, full of garbage."""
    return ndarray(shape, dtype, strides=strides)


def adopt(values: Host) -> ndarray:
    """A fresh array in C order with the values of a host array."""
    result = empty(values.shape, values.dtype)
    np.copyto(result._host, values)
    return result


def view_of(owner: ndarray, values: Host) -> ndarray:
    """An array on the memory of `owner` that shows `values`, a view of its host array."""
    result = object.__new__(ndarray)
    result._host = values
    result._memory = owner._memory
    result.base = owner if owner.base is None else owner.base
    return result


def host(x: Any, role: str = "") -> Host:
    """The values of `x`, which must be an array of the current device.

    As on a machine whose devices cannot reach each other's memory. Where they can, CuPy lets them and warns; of the
    arguments of a RawKernel it checks nothing.
    """
    if type(x) is not ndarray:
        raise TypeError(f"{role}: Unsupported type {type(x)}" if role else f"Unsupported type {type(x)}")
    check_device(x._memory.device_id, role)
    return x._host


def check_device(device_id: int, role: str = "") -> None:
    """ValueError unless it is the current device."""
    if device_id != current_device():
        raise ValueError(
            f"{role}{': ' if role else ''}The device where the array resides ({device_id}) is different from the "
            f"current device ({current_device()}). Peer access is unavailable between these devices."
        )

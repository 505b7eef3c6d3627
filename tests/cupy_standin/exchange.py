"""Sharing device memory with other libraries: DLPack, and `__cuda_array_interface__`.

Nobody but the stand-in could read memory that only pretends to be a device's, so its capsules are objects of its own.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tests.cupy_standin.array import ndarray
from tests.cupy_standin.device import Device, get_current_stream
from tests.cupy_standin.memory import MemoryPointer, UnownedMemory

__all__ = ["Capsule", "dlpack", "from_cuda_array_interface", "from_dlpack"]

CPU, CUDA = 1, 2
LEGACY = 1  # the default stream, by DLPack's numbers
NEWEST = (1, 0)


class Capsule:
    """An array on its way to another library, which may take it out once."""

    def __init__(self, array: ndarray, versioned: bool) -> None:
        self.name = "dltensor_versioned" if versioned else "dltensor"
        self._array: ndarray | None = array

    def take(self) -> ndarray:
        """The array. ValueError the second time."""
        if self._array is None:
            raise ValueError(f"A DLPack tensor object cannot be consumed multiple times, got {self!r}")
        found, self._array = self._array, None
        self.name = "used_" + self.name
        return found


def dlpack(
    self: ndarray, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None
) -> Any:
    """`ndarray.__dlpack__`."""
    if max_version is not None and not isinstance(max_version, tuple):
        raise TypeError(f"max_version: Expected tuple, got {type(max_version).__name__}")
    if dl_device is None or dl_device == self.__dlpack_device__():
        if copy is True:
            raise BufferError("copy=True only supported for copy to CPU.")
        _check_stream(stream)
        return Capsule(self, max_version is not None and max_version[0] >= 1)
    if dl_device != (CPU, 0):
        raise BufferError("unsupported device requested.")
    if copy is False:
        raise ValueError("GPU memory cannot be exported to CPU without copy.")
    return self.get().__dlpack__(max_version=max_version)


def _check_stream(stream: Any) -> None:
    number = LEGACY if stream is None else stream if isinstance(stream, int) else -2
    if number < -1:
        raise ValueError(
            f"On CUDA, the valid stream for the DLPack protocol is -1, 1, 2, or any larger value, but {stream} was "
            "provided"
        )
    if number == 0:
        warnings.warn("Stream 0 is passed from a library that you are converting to", stacklevel=3)


def from_dlpack(array: Any, *, device: Any = None, copy: bool | None = None) -> ndarray:
    """An array that shares the memory of `array`, which nothing in it shows: its base is None."""
    if not hasattr(array, "__dlpack_device__"):
        return _shared(array)
    kind, index = array.__dlpack_device__()
    if device is not None:
        raise NotImplementedError("from_dlpack() does not support device yet.")
    if kind == CPU:
        raise TypeError(
            "CPU arrays cannot be directly imported to CuPy. Use `cupy.array(numpy.from_dlpack(input))` instead."
        )
    if kind != CUDA:
        raise TypeError(f"Unsupported array type: {kind}")
    with Device(index):
        stream = get_current_stream().ptr or LEGACY
        try:
            capsule = array.__dlpack__(stream=stream, max_version=NEWEST, copy=copy)
        except TypeError:
            if copy is not None:
                raise
            capsule = array.__dlpack__(stream=stream)
    return _shared(capsule)


def _shared(capsule: Any) -> ndarray:
    if not isinstance(capsule, Capsule):
        raise RuntimeError(
            "CuPy is built against CUDA, different from the backend that backs the incoming DLPack tensor"
        )
    source = capsule.take()
    result = object.__new__(ndarray)
    result._host, result.base = source._host.view(), None
    result._memory = UnownedMemory(source.data.ptr if source.size else 0, source.nbytes, source, source.data.device_id)
    return result


def from_cuda_array_interface(x: Any) -> ndarray:
    """An array that shares the memory of `x`, once the stream that it names has come that far."""
    found = x.__cuda_array_interface__
    if found.get("mask") is not None:
        raise ValueError("CuPy currently does not support masked arrays.")
    shape, dtype, strides = found["shape"], np.dtype(found["typestr"]), found.get("strides")
    reach = (abs(n * s) for n, s in zip(shape, strides, strict=True)) if strides is not None else ()
    nbytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize if strides is None else max(reach, default=0)
    memory = UnownedMemory(found["data"][0], nbytes, x)
    if found.get("stream") is not None:
        get_current_stream().synchronize()
    return ndarray(shape, dtype, MemoryPointer(memory, 0), strides)

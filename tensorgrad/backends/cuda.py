"""The CUDA device: whether it can be used here, and if not, why not."""

from __future__ import annotations

import functools
from typing import Any

from tensorgrad.backends.base import Backend
from tensorgrad.backends.primitives import PRIMITIVES
from tensorgrad.errors import DeviceError

__all__ = ["make_backend"]

_INSTALL = "pip install 'tensorgrad-engine[cuda13]' (or [cuda12], for older drivers)"


def make_backend(index: int | None) -> Backend:
    """The backend of CUDA device `index`, or of device 0. DeviceError with the reason where it cannot be used."""
    index = index or 0
    cupy = _cupy()
    count = _device_count(cupy)
    if index >= count:
        raise DeviceError(f"CUDA device {index} does not exist: this machine has {count}")
    from tensorgrad.backends.cuda_backend import CudaBackend

    try:
        backend = CudaBackend(index)
    except Exception as error:  # whatever keeps it from starting is the reason why it cannot be used
        raise DeviceError(
            f"CUDA device {index} cannot be used ({type(error).__name__}: {_first_line(error)})"
        ) from error
    if count > 1:
        _bind_to_device(backend, cupy)
    return backend


def _cupy() -> Any:
    try:
        import cupy
    except ModuleNotFoundError as error:
        raise DeviceError(f"CuPy is not installed; {_INSTALL}") from error
    except ImportError as error:
        raise DeviceError(f"CuPy is installed but cannot be imported ({_first_line(error)}); {_INSTALL}") from error
    return cupy


def _device_count(cupy: Any) -> int:
    try:
        count = int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"the CUDA driver cannot be used ({_first_line(error)})") from error
    if count == 0:
        raise DeviceError("the CUDA driver finds no GPU")
    return count


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def _bind_to_device(backend: Any, cupy: Any) -> None:
    """With several GPUs, CuPy works on the current one: let every primitive make this backend's the current one."""
    names = [n for n in dir(backend) if not n.startswith("_") and callable(getattr(backend, n))]
    for name in {*PRIMITIVES, *names} - {"array_type"}:
        setattr(backend, name, _on_device(getattr(backend, name), cupy.cuda.Device(backend.index)))


def _on_device(function: Any, device: Any) -> Any:
    @functools.wraps(function, updated=())
    def run(*args: Any, **kwargs: Any) -> Any:
        with device:
            return function(*args, **kwargs)

    return run

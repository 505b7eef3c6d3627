"""The CUDA device: whether it can be used here, and if not, why not."""

from __future__ import annotations

from typing import Any

from tensorgrad.backends.base import Backend
from tensorgrad.errors import DeviceError

__all__ = ["NOT_INSTALLED", "make_backend", "summary"]

_INSTALL = "pip install 'cupy-cuda13x[ctk]' (or 'cupy-cuda12x[ctk]', for older drivers)"
NOT_INSTALLED = f"CuPy is not installed; {_INSTALL}"


def make_backend(index: int | None) -> Backend:
    """The backend of CUDA device `index`, or of device 0. DeviceError with the reason where it cannot be used."""
    index = index or 0
    cupy = _cupy()
    count = _device_count(cupy)
    if index >= count:
        there = "1, cuda:0" if count == 1 else f"{count}, cuda:0 to cuda:{count - 1}"
        raise DeviceError(f"CUDA device {index} does not exist: this process sees {there}")
    from tensorgrad.backends.cuda.backend import CudaBackend, memory

    try:
        backend = CudaBackend(index)
    except Exception as error:  # whatever keeps it from starting is the reason why it cannot be used
        raise DeviceError(f"CUDA device {index} cannot be used ({summary(error)})") from error
    memory.start(index)
    return backend


def _cupy() -> Any:
    try:
        import cupy
    except Exception as error:  # it loads libraries, and makes a folder for its cache
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            raise DeviceError(NOT_INSTALLED) from error
        cause = error.__cause__ or error  # CuPy gives advice of many lines, and the fault as its cause
        about_a_file = isinstance(cause, OSError) and cause.filename is not None
        remedy = "let CUPY_CACHE_DIR name a folder that can be written" if about_a_file else _INSTALL
        raise DeviceError(f"CuPy is installed but cannot be imported ({summary(cause)}); {remedy}") from error
    return cupy


def _device_count(cupy: Any) -> int:
    runtime = cupy.cuda.runtime
    try:
        count = int(runtime.getDeviceCount())
    except runtime.CUDARuntimeError as error:
        raise DeviceError(_why_the_driver_fails(runtime, error)) from error
    if count == 0:
        raise DeviceError("the CUDA driver finds no GPU; does CUDA_VISIBLE_DEVICES hide it?")
    return count


def _why_the_driver_fails(runtime: Any, error: Exception) -> str:
    driver, cupys = runtime.driverGetVersion(), runtime.runtimeGetVersion()
    if driver == 0:
        return "no NVIDIA driver was found; install one, or use device='cpu'"
    if driver // 1000 < cupys // 1000:
        other = ", or install 'cupy-cuda12x[ctk]'" if driver >= 12000 else ""
        return (
            f"the NVIDIA driver supports CUDA {_version(driver)}, this CuPy needs {_version(cupys)}; update it{other}"
        )
    return f"the CUDA driver cannot be used ({summary(error)})"


def _version(number: int) -> str:
    return f"{number // 1000}.{number % 1000 // 10}"


def summary(error: BaseException) -> str:
    """The first line of what an error says, after its kind."""
    return f"{type(error).__name__}: " + str(error).strip().split("\n")[0]

"""For conftest.py: which CUDA device the tests run on, and how pytest's header says it.

    from tests.cupy_standin.plugin import cuda_kind, prepare_cuda, pytest_report_header

`prepare_cuda()` at the top of conftest, before anything imports cupy, installs the stand-in where no GPU can be used.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from functools import lru_cache
from typing import Any

from tests.cupy_standin import install, installed

__all__ = ["EMULATED", "cuda_kind", "gpu_name", "prepare_cuda", "pytest_report_header"]

EMULATED = "emulated"
# Set to run on the emulated device although there is a GPU.
FORCE = "TENSORGRAD_TEST_EMULATE_CUDA"


def cuda_kind() -> str:
    """The name of the GPU the CUDA tests run on, or "emulated"."""
    if installed() or os.environ.get(FORCE, "0") not in ("", "0"):
        return EMULATED
    return gpu_name() or EMULATED


def prepare_cuda(device_count: int = 1) -> str:
    """Install the stand-in unless there is a GPU to use; gives `cuda_kind()`."""
    if cuda_kind() == EMULATED:
        install(device_count)
    return cuda_kind()


def pytest_report_header(config: Any) -> str:
    kind = cuda_kind()
    return f"cuda: {kind} (CuPy stand-in)" if kind == EMULATED else f"cuda: {kind}"


@lru_cache(maxsize=1)
def gpu_name() -> str | None:
    """The first GPU, if the driver finds one and CuPy is there to use it. Asks the driver, so CuPy is not imported."""
    if not installed() and importlib.util.find_spec("cupy") is None:
        return None
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, name, first = ctypes.c_int(), ctypes.create_string_buffer(256), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return None
    if driver.cuDeviceGet(ctypes.byref(first), 0) or driver.cuDeviceGetName(name, 256, first):
        return None
    return name.value.decode()

"""Why CUDA cannot be used: every fault has its own reason, and the program goes on on the CPU or stops, as asked."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda import make_backend


class _CudaError(RuntimeError):
    pass


def _cupy_with(count: Any) -> ModuleType:
    """A cupy whose driver answers `count`, or raises it."""

    def device_count() -> int:
        if isinstance(count, Exception):
            raise count
        return int(count)

    fake = ModuleType("cupy")
    runtime = SimpleNamespace(getDeviceCount=device_count, CUDARuntimeError=_CudaError)
    fake.cuda = SimpleNamespace(runtime=runtime)  # type: ignore[attr-defined]
    return fake


class _Faulty:
    """Finds cupy, and cannot load it."""

    def __init__(self, fault: Exception) -> None:
        self.fault = fault

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "cupy":
            raise self.fault


def _from(cause: Exception) -> ImportError:
    """As CuPy reports what went wrong when it was imported."""
    error = ImportError("\n====\nFailed to import CuPy.\n\nIf you installed CuPy via wheels, make sure")
    error.__cause__ = cause
    return error


LIBRARY = "libnvrtc.so.13: cannot open shared object file"
INSTALL = r"; pip install 'tensorgrad-engine\[cuda13\]'"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ModuleNotFoundError("No module named 'cupy'", name="cupy"), "^CuPy is not installed" + INSTALL),
        (
            ModuleNotFoundError("No module named 'fastrlock'", name="fastrlock"),
            r"cannot be imported \(ModuleNotFoundError: No module named 'fastrlock'\)" + INSTALL,
        ),
        (ImportError(LIBRARY + "\nand more"), rf"cannot be imported \(ImportError: {LIBRARY}\)" + INSTALL),
        (_from(OSError(LIBRARY)), rf"cannot be imported \(OSError: {LIBRARY}\)" + INSTALL),
        (
            PermissionError(13, "Permission denied", "/root/.cupy"),
            r"cannot be imported \(PermissionError: .*Permission denied: '/root/.cupy'\); let CUPY_CACHE_DIR name",
        ),
        (RuntimeError("out of luck"), r"cannot be imported \(RuntimeError: out of luck\)"),
    ],
    ids=lambda x: type(x).__name__ if isinstance(x, Exception) else "",
)
def test_cupy_cannot_be_imported(fault: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Faulty(fault), *sys.meta_path])
    with pytest.raises(tg.DeviceError, match=reason):
        make_backend(0)


@pytest.mark.parametrize(
    ("count", "index", "reason"),
    [
        (_CudaError("cudaErrorInsufficientDriver: CUDA driver version is insufficient"), 0, "InsufficientDriver"),
        (0, 0, "finds no GPU"),
        (1, 3, "CUDA device 3 does not exist: this machine has 1"),
    ],
)
def test_the_driver_says_no(count: Any, index: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy_with(count))
    with pytest.raises(tg.DeviceError, match=reason):
        make_backend(index)


@pytest.mark.usefixtures("cuda_device")
def test_cublas_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise ImportError("Failure finding libcublas.so.13\nand more")

    monkeypatch.setattr(importlib.import_module("cupy.cuda.device"), "get_cublas_handle", refuse)
    with pytest.raises(tg.DeviceError, match=r"cannot be used \(ImportError: Failure finding libcublas.so.13\)"):
        make_backend(0)

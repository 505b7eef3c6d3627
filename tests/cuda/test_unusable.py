"""Why CUDA cannot be used: every fault has its own reason, and the program goes on on the CPU or stops, as asked."""

from __future__ import annotations

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


class _Broken:
    """Finds cupy, and cannot load it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "cupy":
            raise ImportError("libnvrtc.so.13: cannot open shared object file\nand more")


def test_cupy_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, path: object = None, target: object = None) -> None:
            if name == "cupy":
                raise ModuleNotFoundError("No module named 'cupy'", name="cupy")

    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(tg.DeviceError, match=r"CuPy is not installed; pip install 'tensorgrad-engine\[cuda13\]'"):
        make_backend(0)


def test_cupy_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Broken(), *sys.meta_path])
    with pytest.raises(tg.DeviceError, match=r"cannot be imported \(libnvrtc.so.13: cannot open shared object file\)"):
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

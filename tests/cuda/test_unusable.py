"""Why CUDA cannot be used: every fault has its own reason, and the program goes on on the CPU or stops, as asked."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.available import make_backend

registry: Any = sys.modules["tensorgrad.backends.device"]


class _CudaError(RuntimeError):
    pass


def _cupy_with(count: Any, driver: int = 13000, needed: int = 13020) -> ModuleType:
    """A cupy that needs that version of CUDA, with a driver of its own that answers `count`, or raises it."""

    def device_count() -> int:
        if isinstance(count, Exception):
            raise count
        return int(count)

    fake = ModuleType("cupy")
    runtime = SimpleNamespace(
        getDeviceCount=device_count,
        driverGetVersion=lambda: driver,
        runtimeGetVersion=lambda: needed,
        CUDARuntimeError=_CudaError,
    )
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
INSTALL = r"; pip install 'cupy-cuda13x\[ctk\]' \(or 'cupy-cuda12x\[ctk\]', for older drivers\)$"


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
            PermissionError(13, "Permission denied", "/home/user/.cupy"),
            r"cannot be imported \(PermissionError: .*Permission denied: '/home/user/.cupy'\); let CUPY_CACHE_DIR name",
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


INSUFFICIENT = _CudaError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")
NO_DEVICE = _CudaError("cudaErrorNoDevice: no CUDA-capable device is detected")


@pytest.mark.parametrize(
    ("count", "driver", "needed", "reason"),
    [
        (INSUFFICIENT, 0, 13020, "no NVIDIA driver was found; install one, or use device='cpu'"),
        (
            INSUFFICIENT,
            12040,
            13020,
            "the NVIDIA driver supports CUDA 12.4, this CuPy needs 13.2; update it, or install 'cupy-cuda12x[ctk]'",
        ),
        (INSUFFICIENT, 11080, 13000, "the NVIDIA driver supports CUDA 11.8, this CuPy needs 13.0; update it"),
        (INSUFFICIENT, 11080, 12090, "the NVIDIA driver supports CUDA 11.8, this CuPy needs 12.9; update it"),
        (NO_DEVICE, 13000, 13020, f"the CUDA driver cannot be used (_CudaError: {NO_DEVICE})"),
        (0, 13000, 13020, "the CUDA driver finds no GPU; does CUDA_VISIBLE_DEVICES hide it?"),
    ],
)
def test_the_driver_says_no(count: Any, driver: int, needed: int, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy_with(count, driver, needed))
    with pytest.raises(tg.DeviceError) as caught:
        make_backend(0)
    assert str(caught.value) == reason


@pytest.mark.parametrize(("count", "seen"), [(1, "1, cuda:0"), (2, "2, cuda:0 to cuda:1")])
def test_the_device_is_not_there(count: int, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy_with(count))
    with pytest.raises(tg.DeviceError, match=f"^CUDA device 3 does not exist: this process sees {seen}$"):
        make_backend(3)


@pytest.fixture
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is known of CUDA devices, and nobody was warned of any."""
    monkeypatch.setattr(registry, "_devices", {k: d for k, d in registry._devices.items() if k[0] != "cuda"})
    monkeypatch.setattr(registry, "_factories", {**registry._factories, "cuda": make_backend})
    monkeypatch.setattr(registry, "_failures", {})
    monkeypatch.setattr(registry, "_warned", set())
    tg.set_default_device("cpu")
    yield
    tg.set_strict_device(False)


@pytest.mark.usefixtures("_asked_anew")
def test_one_fault_of_all_devices_is_one_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy_with(INSUFFICIENT, driver=0))
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        assert {tg.device(name).type for name in ("cuda:1", "cuda", 2, "cuda:0")} == {"cpu"}
    (warning,) = (str(w.message) for w in caught)
    assert warning.startswith("device 'cuda:1' cannot be used, running on the CPU: no NVIDIA driver was found; install")
    tg.set_strict_device(True)
    with pytest.raises(tg.DeviceError, match=r"^device 'cuda:1' cannot be used: no NVIDIA driver was found"):
        tg.ones(1, device=1)


@pytest.mark.usefixtures("_asked_anew")
def test_where_no_device_works_that_is_the_reason_and_not_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", _cupy_with(1))
    monkeypatch.setitem(registry._failures, ("cuda", 0), "there is no compiler")
    with pytest.warns(UserWarning, match=r"^device 'cuda:9' cannot be used, running on the CPU: there is no compiler$"):
        assert tg.device("cuda:9") is tg.device("cpu")


@pytest.mark.usefixtures("cuda_device")
def test_cublas_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise ImportError("Failure finding libcublas.so.13\nand more")

    monkeypatch.setattr(importlib.import_module("cupy.cuda.device"), "get_cublas_handle", refuse)
    with pytest.raises(tg.DeviceError, match=r"cannot be used \(ImportError: Failure finding libcublas.so.13\)"):
        make_backend(0)

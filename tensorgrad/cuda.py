"""CUDA devices: how many, waiting for one, and the memory in use."""

from __future__ import annotations

from typing import Any

from tensorgrad.backends import DeviceLike, device, get_default_device
from tensorgrad.errors import DeviceError

__all__ = [
    "device_count",
    "empty_cache",
    "is_available",
    "max_memory_allocated",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "synchronize",
]


def is_available() -> bool:
    """Whether a CUDA device can be used here. Asks without a warning."""
    return device("auto").type == "cuda"


def device_count() -> int:
    """The number of CUDA devices that can be used here."""
    return device("cuda").backend.device_count() if is_available() else 0


def synchronize(device: DeviceLike = None) -> None:
    """Wait until all work given to the device is done, and raise what its checks (of indices, labels, probabilities,
    norms) have found.

    Without a device, here and below: the default one if it is a CUDA device, otherwise the first.
    """
    _backend("synchronize", device).synchronize()


def memory_allocated(device: DeviceLike = None) -> int:
    """Bytes in arrays that are alive on the device: those of CuPy's default pool, which counts in units of 512."""
    return int(_backend("memory_allocated", device).memory_allocated())


def memory_reserved(device: DeviceLike = None) -> int:
    """Bytes that CuPy's pool holds on the device: those of live arrays, and those kept to be used again."""
    return int(_backend("memory_reserved", device).memory_reserved())


def max_memory_allocated(device: DeviceLike = None) -> int:
    """The most bytes in arrays that were alive on the device at a time, counted as `memory_allocated` does.

    Since the device was first used here, or since `reset_peak_memory_stats`. It is kept by an allocator that passes on
    to CuPy's default pool, and is in place unless the program had set one of its own by then
    (`cupy.cuda.set_allocator`). Raises DeviceError where another is in use: what that has given out is not known.
    """
    return int(_backend("max_memory_allocated", device).max_memory_allocated())


def reset_peak_memory_stats(device: DeviceLike = None) -> None:
    """Let `max_memory_allocated` begin anew, with what is in use now. Raises DeviceError where that does."""
    _backend("reset_peak_memory_stats", device).reset_peak_memory_stats()


def empty_cache() -> None:
    """Give back what the pool keeps to be used again, of every CUDA device in use."""
    if is_available():
        _backend("empty_cache", None).empty_cache()


def _backend(name: str, place: DeviceLike) -> Any:
    if not is_available():
        raise DeviceError(f"cuda.{name}: no CUDA device can be used here; `tensorgrad info` says why")
    default = get_default_device()
    found = device("cuda" if default.type != "cuda" else default) if place is None else device(place)
    if found.type != "cuda":
        raise DeviceError(f"cuda.{name}: expected a CUDA device, got {found}")
    return found.backend

"""CUDA devices: how many, waiting for one, the memory in use, and random numbers.

A device that is given must be a CUDA device, else it is a DeviceError (`synchronize` takes any). Where CUDA cannot be
used, memory is 0, and `synchronize`, `empty_cache` and `reset_peak_memory_stats` do nothing: programs run as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad import random
from tensorgrad.backends import Device, DeviceLike, get_default_device
from tensorgrad.backends import device as as_device
from tensorgrad.backends.device import device_of_type, why_unusable
from tensorgrad.errors import DeviceError
from tensorgrad.names import listing

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "get_device_name",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "synchronize",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)


def is_available() -> bool:
    """Whether a CUDA device can be used here. Asks without a warning."""
    return why_unusable("cuda") is None


def device_count() -> int:
    """The number of CUDA devices that can be used here."""
    return as_device("cuda").backend.device_count() if is_available() else 0


def current_device() -> int:
    """The index of the device that is meant where none is named: the default one if it is a CUDA device, otherwise the
    first. Raises DeviceError with the reason where CUDA cannot be used.
    """
    return _usable("current_device", None).index or 0


def get_device_name(device: DeviceLike = None) -> str:
    """What the maker calls the device. Raises DeviceError with the reason where CUDA cannot be used."""
    return _usable("get_device_name", device).backend.device_name()


def synchronize(device: DeviceLike = None) -> None:
    """Wait until all work given to the device is done, and raise what its checks (of indices, labels, probabilities,
    norms) have found. Any device is taken. On the CPU, also where it stands in for CUDA, nothing is late.

    Without a device, here and below: the default one if it is a CUDA device, otherwise the first.
    """
    (_current() if device is None else as_device(device)).backend.synchronize()


# ---------------------------------------------------------------------- memory
def memory_allocated(device: DeviceLike = None) -> int:
    """Bytes in arrays that are alive on the device: those of CuPy's default pool, which counts in units of 512."""
    return _asked("memory_allocated", device) or 0


def memory_reserved(device: DeviceLike = None) -> int:
    """Bytes that CuPy's pool holds on the device: those of live arrays, and those kept to be used again."""
    return _asked("memory_reserved", device) or 0


def max_memory_allocated(device: DeviceLike = None) -> int:
    """The most bytes in arrays that were alive on the device at a time, counted as `memory_allocated` does.

    Since the device was first used here, or since `reset_peak_memory_stats`. It is kept by an allocator that passes on
    to CuPy's default pool, and is in place unless the program had set one of its own by then
    (`cupy.cuda.set_allocator`). Raises DeviceError where another is in use: what that has given out is not known.
    """
    return _asked("max_memory_allocated", device) or 0


def reset_peak_memory_stats(device: DeviceLike = None) -> None:
    """Let `max_memory_allocated` begin anew, with what is in use now. Raises DeviceError where that does."""
    _asked("reset_peak_memory_stats", device)


def empty_cache() -> None:
    """Give back what the pool keeps to be used again, of every CUDA device in use."""
    _asked("empty_cache", None)


# ---------------------------------------------------------------------- random numbers
def manual_seed(seed: int) -> None:
    """As `tg.manual_seed`: the default generators of all devices, the CPU's too, draw from one stream. Also where CUDA
    cannot be used, so that a program draws the same numbers there. Raises DTypeError unless `seed` is an integer.
    """
    random.manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """The same: there is one stream for all devices."""
    random.manual_seed(seed)


# ---------------------------------------------------------------------- the device that is meant
def _current() -> Device:
    default = get_default_device()
    return default if default.type == "cuda" else as_device("cuda" if is_available() else "cpu")


def _usable(name: str, device: DeviceLike) -> Device:
    why = why_unusable("cuda")
    if why is not None:
        raise DeviceError(f"cuda.{name}: no CUDA device can be used here: {why}")
    return _current() if device is None else device_of_type("cuda", f"cuda.{name}", device)


def _asked(name: str, device: DeviceLike) -> int | None:
    """What that method of the device's backend answers; None where CUDA cannot be used."""
    place = _current() if device is None else device_of_type("cuda", f"cuda.{name}", device)
    answer: int | None = getattr(place.backend, name)() if place.type == "cuda" else None
    return answer

"""Backends: what differs between devices. Device types are registered here and loaded when first asked for."""

from __future__ import annotations

from tensorgrad.backends.base import Backend
from tensorgrad.backends.cuda.available import NOT_INSTALLED, make_backend
from tensorgrad.backends.cuda.foreign import foreign_array
from tensorgrad.backends.device import (
    Device,
    DeviceLike,
    device,
    get_default_device,
    register_backend,
    set_default_device,
)

__all__ = [
    "Backend",
    "Device",
    "DeviceLike",
    "device",
    "get_default_device",
    "register_backend",
    "set_default_device",
]


def _cpu(index: int | None) -> Backend:
    from tensorgrad.backends.cpu.backend import CpuBackend

    return CpuBackend()


register_backend("cpu", _cpu)
register_backend("cuda", make_backend, numbered=True, automatic=True, absent=NOT_INSTALLED, foreign=foreign_array)

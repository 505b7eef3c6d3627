"""Backends: what differs between devices. Device types are registered here and loaded when first asked for."""

from __future__ import annotations

from tensorgrad.backends.base import Backend
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


def _cuda(index: int | None) -> Backend:
    from tensorgrad.backends.cuda.available import make_backend

    return make_backend(index)


register_backend("cpu", _cpu)
register_backend("cuda", _cuda, numbered=True)

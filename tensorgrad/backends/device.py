"""Devices: their names, and the backend behind each.

A device is interned, so devices are compared by identity. Its `backend` is the one place through which every
primitive call on it passes: whoever wants to see them all (a recorder) puts an interpreter there.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

from tensorgrad import config
from tensorgrad.backends.base import Backend
from tensorgrad.errors import DeviceError

__all__ = ["Device", "DeviceLike", "device", "get_default_device", "register_backend", "set_default_device"]


class Device:
    """A place where arrays live: `type` ("cpu", "cuda"), `index`, and the `backend` that computes there."""

    __slots__ = ("backend", "index", "type")

    def __init__(self, kind: str, index: int | None, backend: Backend) -> None:
        self.type = kind
        self.index = index
        self.backend = backend

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (str(self),)  # copies and other processes get the interned one


DeviceLike: TypeAlias = "str | Device | None"

_NAME = re.compile(r"([a-z]+)(?::(\d+))?")
_devices: dict[tuple[str, int | None], Device] = {}
_factories: dict[str, Callable[[int | None], Backend]] = {}
_default: Device | None = None
_warned: set[str] = set()


def register_backend(kind: str, factory: Callable[[int | None], Backend]) -> None:
    """Add a device type: `factory(index)` makes its backend when it is first asked for.

    The factory raises DeviceError with the reason where the device cannot be used on this machine.
    """
    _factories[kind] = factory


def device(name: DeviceLike = None) -> Device:
    """The device called `name`: "cpu", "cuda", "cuda:1", "auto" (CUDA where it can be used), or None for the default.

    Where CUDA cannot be used the answer is the CPU, with one warning that gives the reason; under
    `set_strict_device(True)` it is a DeviceError. An unknown name is a DeviceError.
    """
    if isinstance(name, Device):
        return name
    if name is None:
        return get_default_device()
    if name == "auto":
        return _first_usable()
    return _named(name)


def get_default_device() -> Device:
    """The device of tensors made without one: `TENSORGRAD_DEVICE`, or the CPU."""
    global _default
    if _default is None:
        _default = device(config.default_device_name())
    return _default


def set_default_device(name: DeviceLike) -> None:
    """Make `name` the device of tensors made without one."""
    global _default
    _default = device(name)


def _named(name: str) -> Device:
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None or match[1] not in _factories:
        known = ", ".join(repr(k) for k in (*sorted(_factories), "cuda:1", "auto"))
        raise DeviceError(f"device: expected one of {known}, got {name!r}")
    kind, index = match[1], None if match[2] is None else int(match[2])
    if kind == "cpu":
        index = None
    found = _devices.get((kind, index))
    if found is None:
        try:
            found = Device(kind, index, _factories[kind](index))
        except DeviceError as reason:
            return _fall_back(name, reason)
        _devices[kind, index] = found
    return found


def _fall_back(name: str, reason: DeviceError) -> Device:
    if config.strict_device():
        raise reason
    if name not in _warned:
        _warned.add(name)
        warnings.warn(f"device {name!r} cannot be used, running on the CPU: {reason}", stacklevel=4)
    return _named("cpu")


def _first_usable() -> Device:
    try:
        return _devices.get(("cuda", None)) or _remember("cuda", _factories["cuda"](None))
    except DeviceError:
        return _named("cpu")


def _remember(kind: str, backend: Backend) -> Device:
    return _devices.setdefault((kind, None), Device(kind, None, backend))

"""Devices: their names, and the backend behind each.

A device is interned, so devices are compared by identity. Its `backend` is the one place through which every
primitive call on it passes: whoever wants to see them all (a recorder) puts an interpreter there.
"""

from __future__ import annotations

import re
import sys
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
_numbered: set[str] = set()  # the types of which a machine may have several
_failures: dict[tuple[str, int | None], str] = {}  # why a device cannot be used; found out once
_default: Device | None = None
_warned: set[str] = set()


def register_backend(kind: str, factory: Callable[[int | None], Backend], *, numbered: bool = False) -> None:
    """Add a device type: `factory(index)` makes its backend when it is first asked for.

    With `numbered` there may be several of the type, counted from 0, and `kind` alone names the first; without, the
    index is None. A type that was numbered stays so. The factory raises DeviceError with the reason where the device
    cannot be used on this machine; it is not asked again, until a factory of the type is registered anew.
    """
    _factories[kind] = factory
    if numbered:
        _numbered.add(kind)
    for key in [k for k in _failures if k[0] == kind]:
        del _failures[key]


def device(name: DeviceLike = None) -> Device:
    """The device called `name`: "cpu", "cuda" (which is "cuda:0"), "cuda:1", "auto" (CUDA where it can be used, else
    the CPU), or None for the default.

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
    try:
        return _interned(match[1], int(match[2] or 0) if match[1] in _numbered else None)
    except DeviceError as reason:
        if config.strict_device():
            raise
        return _fall_back(name, reason)


def _interned(kind: str, index: int | None) -> Device:
    """The one device of that type and index. Raises DeviceError where it cannot be used."""
    key = kind, index
    if key in _devices:
        return _devices[key]
    if key in _failures:
        raise DeviceError(_failures[key])
    try:
        return _devices.setdefault(key, Device(kind, index, _factories[kind](index)))
    except DeviceError as reason:
        _failures[key] = str(reason)
        raise


def _fall_back(name: str, reason: DeviceError) -> Device:
    if name not in _warned:
        _warned.add(name)
        message = f"device {name!r} cannot be used, running on the CPU: {reason}"
        warnings.warn(message, stacklevel=_levels_to_the_caller())
    return _named("cpu")


def _levels_to_the_caller() -> int:
    """The `stacklevel` with which a warning of the function that asks points at the line outside the package."""
    frame, level = sys._getframe(1), 1
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level


def _first_usable() -> Device:
    try:
        return _interned("cuda", 0)
    except DeviceError:
        return _named("cpu")

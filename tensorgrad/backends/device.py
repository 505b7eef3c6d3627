"""Devices: their names, and the backend behind each.

A device is interned, so devices are compared by identity. Its `backend` is the one place through which every
primitive call on it passes: whoever wants to see them all (a recorder) puts an interpreter there.
"""

from __future__ import annotations

import operator
import re
import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

import numpy as np

from tensorgrad import config
from tensorgrad.backends.base import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import shown
from tensorgrad.errors import ArgumentError, DeviceError

__all__ = [
    "Device",
    "DeviceLike",
    "automatic_types",
    "device",
    "device_of_type",
    "foreign_array",
    "get_default_device",
    "kind_asked_for",
    "levels_to_the_caller",
    "passed_over",
    "register_backend",
    "set_default_device",
    "why_unusable",
]


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


class ForeignDevice(Protocol):
    """A device of another library, such as `torch.device`."""

    @property
    def type(self) -> str: ...
    @property
    def index(self) -> int | None: ...


DeviceLike: TypeAlias = "str | int | np.integer[Any] | Device | ForeignDevice | None"
Factory: TypeAlias = Callable[[int | None], Backend]
Foreign: TypeAlias = "Callable[[str, Any], tuple[Array, Device] | None]"

_AUTO = ("auto", None)
_TYPE = "[a-z]+"
_NAME = re.compile(rf"({_TYPE})(?::(\d{{1,9}}))?")
_MANY = 10**9  # no machine has so many; beyond, Python may refuse to write the number
_devices: dict[tuple[str, int | None], Device] = {}
_factories: dict[str, Factory] = {}
_numbered: set[str] = set()  # the types of which a machine may have several
_automatic: list[str] = []  # the types that "auto" tries, the first first
_absent: dict[str, str] = {}  # for a type, the reason that says no more than that nobody installed it
_foreign: dict[str, Foreign] = {}  # for a type, what takes in arrays of other libraries
_failures: dict[tuple[str, int | None], str] = {}  # why a device cannot be used; found out once
_default: Device | None = None
_warned: set[str] = set()  # the reasons that were given


def register_backend(
    kind: str,
    factory: Factory,
    *,
    numbered: bool = False,
    automatic: bool = False,
    absent: str | None = None,
    foreign: Foreign | None = None,
) -> None:
    """Add a device type: `factory(index)` makes its backend when it is first asked for.

    The factory raises DeviceError with the reason where the device cannot be used on this machine; it is not asked
    again, until a factory of the type is registered anew. What was said of the type besides stays then:

    `numbered`: there may be several, counted from 0, and `kind` alone names the first; otherwise the index is None.
    `automatic`: "auto" tries the type, after those registered before it. A bare number is the first such type's.
    `absent`: of the factory's reasons the one that says no more than that nobody installed what the type needs.
    `foreign(name, data)`: for an array of another library on a device of the type, an array on its memory and that
        device; None for all else. It raises, in the name of `name`, DeviceError and DTypeError.

    Raises ArgumentError for a `kind` that is not all small letters, or is "auto".
    """
    if not re.fullmatch(_TYPE, kind) or kind == "auto":
        raise ArgumentError(f"register_backend: a device type is all small letters and not 'auto', got {kind!r}")
    _factories[kind] = factory
    if numbered:
        _numbered.add(kind)
    if automatic and kind not in _automatic:
        _automatic.append(kind)
    if absent is not None:
        _absent[kind] = absent
    if foreign is not None:
        _foreign[kind] = foreign
    for key in [k for k in _failures if k[0] == kind]:
        del _failures[key]


def device(name: DeviceLike = None) -> Device:
    """The device called `name`: "cpu", "cuda" (which is "cuda:0"), "cuda:1" or 1, "auto" (CUDA where it can be used,
    else the CPU), a device of another library with a `type` and an `index`, or None for the default.

    Where CUDA cannot be used the answer is the CPU, with a warning that gives the reason, once; under
    `set_strict_device(True)` it is a DeviceError. So it is, always, where CUDA can be used but not that device (there
    is no "cuda:9"), and for a name that neither `register_backend` nor an installed package (`outside.py`) knows.
    """
    if isinstance(name, Device):
        return name
    return get_default_device() if name is None else _found(name)


def get_default_device() -> Device:
    """The device of tensors made without one: `TENSORGRAD_DEVICE`, or the CPU."""
    global _default
    if _default is None:
        _default = _found(config.default_device_name(), config.DEVICE_VARIABLE)
    return _default


def set_default_device(name: DeviceLike) -> None:
    """Make `name` the device of tensors made without one."""
    global _default
    _default = device(name)


def device_of_type(kind: str, asker: str, name: DeviceLike = None) -> Device:
    """The device of type `kind` called `name`; for None the default one if it is of that type, otherwise the first.

    As `device`, but for the name of another device: that is a DeviceError by `asker`. The CPU is taken where the type
    cannot be used: it may be what `device(kind)` gave.
    """
    if name is None:
        default = get_default_device()
        return default if default.type == kind else _found(kind)
    found = device(name)
    if found.type != kind and not (found.type == "cpu" and _may_stand_in(name, kind)):
        raise DeviceError(f"{asker}: expected a {kind.upper()} device, got {found}")
    return found


def _may_stand_in(name: DeviceLike, kind: str) -> bool:
    """Whether the CPU, which `name` gave, may stand for a device of that type."""
    asked = isinstance(name, Device) or kind_asked_for(name) in (kind, "auto")
    return asked and why_unusable(kind) is not None


def kind_asked_for(name: object) -> str | None:
    """The type of device that `name` asks for, or "auto"; None where it is no device's name."""
    key = _key(name)
    return None if key is None else key[0]


def why_unusable(name: str) -> str | None:
    """Why the device called `name` cannot be used here, or None where it can. Asks without a warning."""
    key = _key(name)
    return None if key is None or key == _AUTO else _why(*key)


def automatic_types() -> tuple[str, ...]:
    """The device types that "auto" tries before the CPU, in that order."""
    return tuple(_automatic)


def passed_over() -> dict[str, str]:
    """Why "auto" goes past device types that cannot be used, without those that nobody installed."""
    reasons = {kind: _why(*_first(kind)) for kind in _automatic}
    return {kind: why for kind, why in reasons.items() if why is not None and why != _absent.get(kind)}


def foreign_array(name: str, data: Any) -> tuple[Array, Device] | None:
    """An array on the memory of `data`, and its device, if a device type takes it for an array of its own; None for
    all else. Raises what that type does (`register_backend`)."""
    for taken in _foreign.values():
        found = taken(name, data)
        if found is not None:
            return found
    return None


def _found(name: object, variable: str | None = None) -> Device:
    """The device called `name`, which the program says, or that environment variable."""
    key = _key(name)
    if key is None:
        known = ", ".join(repr(k) for k in (*sorted(_factories), f"{_automatic[0]}:1", "auto"))
        numbers = "" if isinstance(name, str) else f", or the number of a {_automatic[0].upper()} device"
        raise DeviceError(f"{variable or 'device'}: expected one of {known}{numbers}, got {shown(name)}")
    if key == _AUTO:
        works = (kind for kind in _automatic if _why(*_first(kind)) is None)
        return _interned(*_first(next(works, "cpu")))
    try:
        return _interned(*key)
    except DeviceError as reason:
        text = name if isinstance(name, str) else f"{key[0]}:{key[1]}"
        return _fall_back(key[0], f"{variable}={text!r}" if variable else f"device {text!r}", reason)


def _key(name: object) -> tuple[str, int | None] | None:
    """The type and the index that `name` says; None where it is no device's name."""
    kind: object
    index: object
    if isinstance(name, str):
        if name == "auto":
            return _AUTO
        kind, index = _parsed(name)
    elif isinstance(name, (int, np.integer)) and not isinstance(name, bool):
        kind, index = _automatic[0], operator.index(name)
    else:
        kind, index = getattr(name, "type", None), getattr(name, "index", None)
    if not isinstance(kind, str) or not (kind in _factories or _brought(kind)):
        return None
    if kind not in _numbered or index is None:
        return _first(kind)
    return (kind, index) if type(index) is int and 0 <= index < _MANY else None


@lru_cache(maxsize=64)
def _parsed(name: str) -> tuple[str | None, int]:
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2] or 0)) if match else (None, 0)


def _first(kind: str) -> tuple[str, int | None]:
    """The key of the first device of that type."""
    return kind, 0 if kind in _numbered else None


def _brought(kind: str) -> bool:
    """Whether an installed package brings that device type, which is then registered: where the package fails, as a
    type that cannot be used."""
    from tensorgrad.backends.outside import bring

    why = bring(kind)

    def refuse(index: int | None) -> Backend:
        raise DeviceError(str(why))

    if why is not None and kind not in _factories:
        register_backend(kind, refuse)
    return kind in _factories


def _interned(kind: str, index: int | None) -> Device:
    """The one device of that type and index. Raises DeviceError where it cannot be used."""
    key = kind, index
    if key in _devices:
        return _devices[key]
    if key in _failures:
        raise DeviceError(_failures[key])
    try:
        backend = _factories[kind](index)
        backend.settle()
        return _devices.setdefault(key, Device(kind, index, backend))
    except DeviceError as reason:
        _failures[key] = str(reason)
        raise


def _why(kind: str, index: int | None) -> str | None:
    """Why that device cannot be used, or None where it can."""
    try:
        _interned(kind, index)
    except DeviceError as reason:
        return str(reason)
    return None


def _fall_back(kind: str, asked: str, reason: DeviceError) -> Device:
    """The CPU, for want of any device of that type. Raises DeviceError where there is one, and in strict mode."""
    why = None if config.strict_device() else _why(*_first(kind))
    if why is None:
        raise DeviceError(f"{asked} cannot be used: {reason}") from reason
    if why not in _warned:
        message = f"{asked} cannot be used, running on the CPU: {why}"
        warnings.warn(message, stacklevel=levels_to_the_caller())
        _warned.add(why)  # not sooner: a filter may have made an error of it, and then nobody runs on the CPU
    return _interned("cpu", None)


def levels_to_the_caller() -> int:
    """The `stacklevel` with which a warning of the function that asks points at the line outside the package."""
    frame, level = sys._getframe(1), 1
    package = __name__.partition(".")[0]
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    return level

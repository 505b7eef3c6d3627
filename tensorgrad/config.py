"""Process-wide settings, and the only reader of environment variables.

| variable | meaning |
|---|---|
| `TENSORGRAD_DEVICE` | the default device ("cpu", "cuda", "auto"); "cpu" where unset |
| `TENSORGRAD_STRICT_DEVICE` | "1": a device that cannot be used is an error, never a fall back to the CPU |
"""

from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["DEVICE_VARIABLE", "default_device_name", "first_set", "set_strict_device", "strict_device"]

DEVICE_VARIABLE = "TENSORGRAD_DEVICE"
_FALSE = {"", "0", "false", "no", "off"}
_strict = os.environ.get("TENSORGRAD_STRICT_DEVICE", "").strip().lower() not in _FALSE


def default_device_name() -> str:
    """The device new tensors go to when neither the program nor the call says."""
    return os.environ.get(DEVICE_VARIABLE, "").strip() or "cpu"


def first_set(variables: Iterable[str]) -> str | None:
    """The first of these environment variables, of other libraries, that is set, as NAME=value."""
    return next((f"{name}={value}" for name in variables if (value := os.environ.get(name, "").strip())), None)


def strict_device() -> bool:
    """Whether asking for an unusable device raises instead of falling back to the CPU."""
    return _strict


def set_strict_device(strict: bool) -> None:
    """Make asking for an unusable device an error (True) or a fall back to the CPU, with one warning of the reason
    (False)."""
    global _strict
    _strict = bool(strict)

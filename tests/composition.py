"""The CPU with every composite primitive by its default composition: what kernels and overrides are compared with."""

from __future__ import annotations

from typing import Any

from tensorgrad.backends import Backend
from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.primitives import Primitives

__all__ = ["COMPOSITION"]

_FAMILIES = [c for c in Backend.__mro__ if issubclass(c, Primitives) and c not in (Backend, *Primitives.__mro__)]
_DEFAULTS = {
    name: value
    for family in reversed(_FAMILIES)
    for name, value in vars(family).items()
    if callable(value) and not name.startswith("__")
}
COMPOSITION: Any = type("Composition", (CpuBackend,), _DEFAULTS)()

"""The CUDA device. This release has no CUDA backend yet: asking for one says so."""

from __future__ import annotations

from tensorgrad.backends.base import Backend
from tensorgrad.errors import DeviceError

__all__ = ["make_backend"]


def make_backend(index: int | None) -> Backend:
    """The backend of CUDA device `index`. Raises DeviceError with the reason where there is none."""
    raise DeviceError(f"this release of tensorgrad has no CUDA backend yet (asked for CUDA device {index or 0})")

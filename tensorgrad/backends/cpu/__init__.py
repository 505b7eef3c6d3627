"""The CPU: NumPy arrays, and each family of primitives where NumPy can do better than the compositions."""

from __future__ import annotations

from tensorgrad.backends.cpu.backend import CpuBackend
from tensorgrad.backends.cpu.silence import silence

__all__ = ["CpuBackend"]

silence("tensorgrad.backends.cpu.", "tensorgrad.backends.primitives.")

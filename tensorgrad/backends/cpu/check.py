"""Checks on NumPy arrays: what passes is found out in one look."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.primitives import Array
from tensorgrad.backends.primitives.check import CheckPrimitives

__all__ = ["CpuCheck"]


class CpuCheck(CheckPrimitives):
    """Mixin of `CpuBackend`."""

    def check_nonzero(self, x: Array, *, what: str, hint: str = "") -> None:
        if np.count_nonzero(x) != x.size:
            super().check_nonzero(x, what=what, hint=hint)

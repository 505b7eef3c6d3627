"""How results lie in memory, where that does not follow from how their inputs do."""

from __future__ import annotations

from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array

__all__ = ["in_order"]


def in_order(B: Backend, x: Array) -> Array:
    """`x` where it is contiguous in C order, else a copy that is."""
    return x if B.is_contiguous(x) else B.copy(x)

"""bfloat16, which neither NumPy nor CuPy has: as a name for the launch side, and as its bits in uint16 arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BFLOAT16", "BFloat16", "from_bits", "rounded", "to_bits"]

Array = Any


class BFloat16:
    """What the launch side asks of a dtype."""

    name = "bfloat16"
    itemsize = 2

    def __str__(self) -> str:
        return self.name


BFLOAT16 = BFloat16()


def to_bits(x: Array) -> Array:
    """Float32 rounded to bfloat16, ties to even; nan stays nan."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    nearest = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(x), 0x7FC0, nearest).astype(np.uint16)


def from_bits(bits: Array) -> Array:
    """Float32 of bfloat16."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def rounded(x: Array, dtype: str) -> Array:
    """Numbers as `dtype` holds them; those of bfloat16 are float32."""
    return from_bits(to_bits(x)) if dtype == "bfloat16" else np.asarray(x).astype(dtype)

"""Where the results of NumPy's functions go that take no `out=`, or not ours."""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.primitives import Array

__all__ = ["given", "into"]


def given(result: Array, out: Array | None) -> Array:
    """`result`, or `out` with its values."""
    return result if out is None else into(out, result)


def into(out: Array, x: Array) -> Array:
    """`out` with the values of `x`, which broadcasts and is converted."""
    np.copyto(out, x, casting="unsafe")
    return out

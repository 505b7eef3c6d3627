"""What one element becomes, for the ufuncs whose elements differ from NumPy's (the rest are NumPy's own).

After CuPy's sources: `_core/_routines_math.pyx` and `_core/include/cupy/carray.cuh`. Each takes the inputs, already of
the dtype of the loop, and gives the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cupy_standin.casting import Host

__all__ = ["RULES"]


def _floor_divide(x: Host, y: Host) -> Host:
    """Integers: 0 where y is 0. Floats: floor(x / y), with one rounding more than NumPy's."""
    if x.dtype.kind == "f":
        return np.floor(x / y)
    quotient: Host = np.floor_divide(x, np.where(y == 0, 1, y).astype(y.dtype))
    return np.where(y == 0, 0, quotient).astype(x.dtype)


def _remainder(x: Host, y: Host) -> Host:
    """x - floor_divide(x, y) * y, so an infinite y gives NaN where NumPy gives x or y."""
    rest: Host = x - _floor_divide(x, y) * y
    return rest if x.dtype.kind == "f" else np.where(y == 0, 0, rest).astype(x.dtype)


def _power(x: Host, y: Host) -> Host:
    """Integers: negative powers give 0, 1 or -1 where NumPy raises."""
    if x.dtype.kind not in "iu":
        return np.power(x, y)
    result: Host = np.power(x, np.maximum(y, 0))
    odd = np.where(y & 1, -1, 1) if x.dtype.kind == "i" else 1
    return np.where(y < 0, np.where(x == 1, 1, np.where(x == -1, odd, 0)), result).astype(x.dtype)


def _reciprocal(x: Host) -> Host:
    if x.dtype.kind not in "iu":
        return np.reciprocal(x)
    return np.where(x == 0, 0, np.reciprocal(np.where(x == 0, 1, x).astype(x.dtype))).astype(x.dtype)


def _clip(x: Host, low: Host, high: Host) -> Host:
    return np.where(low > high, high, np.where(x < low, low, np.where(x > high, high, x)))


def _from_math(name: str) -> Callable[[Host], Host]:
    try:
        import scipy.special

        return getattr(scipy.special, name)  # type: ignore[no-any-return]
    except ImportError:
        function = np.frompyfunc(getattr(math, name), 1, 1)
        return lambda x: np.asarray(function(x), x.dtype)


RULES: dict[str, Callable[..., Any]] = {
    "clip": _clip,
    "divide": np.true_divide,
    "erf": _from_math("erf"),
    "erfc": _from_math("erfc"),
    "floor_divide": _floor_divide,
    "power": _power,
    "reciprocal": _reciprocal,
    "remainder": _remainder,
    "mod": _remainder,
    "where": np.where,
}

"""The error function on NumPy arrays, which NumPy lacks.

W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969):
three intervals, each a ratio of polynomials, relative error below 1e-16 in exact arithmetic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["erf"]

Array = Any

# |x| <= 0.46875: erf(x) = x P(x^2) / Q(x^2).
_SMALL_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_SMALL_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
# 0.46875 < |x| <= 4: erfc(x) = exp(-x^2) P(x) / Q(x).
_MIDDLE_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)


def _polynomial(coefficients: tuple[float, ...], x: Array) -> Array:
    """Horner's rule, highest power first."""
    total = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        total *= x
        total += c
    return total


def _small(x: Array) -> Array:
    square = x * x
    return x * _polynomial(_SMALL_P, square) / _polynomial(_SMALL_Q, square)


def _middle(x: Array) -> Array:
    # Beyond 4 erf is 1 - 1.5e-8 and rising: past 6 it rounds to 1 in float64, so x is capped where the ratio holds.
    size = np.minimum(np.abs(x), 6)
    tail = np.exp(-size * size) * _polynomial(_MIDDLE_P, size) / _polynomial(_MIDDLE_Q, size)
    return np.copysign(1 - tail, x)


def erf(x: Array, *, out: Array | None = None) -> Array:
    """erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x, elementwise; float in, same dtype out."""
    if x.dtype == np.float16:
        wide = erf(np.asarray(x, np.float32)).astype(np.float16)
        return wide if out is None else _into(out, wide)
    x = np.asarray(x)
    result = np.where(np.abs(x) <= 0.46875, _small(np.clip(x, -0.46875, 0.46875)), _middle(x))
    return result if out is None else _into(out, result)


def _into(out: Array, x: Array) -> Array:
    np.copyto(out, x)
    return out

"""The error function on NumPy arrays, which NumPy lacks.

Float64: W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969):
ratios of polynomials, relative error below 1e-16 in exact arithmetic. Float32: one ratio for the whole line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Primitives

__all__ = ["erf"]


def _numbers(dtype: Any, *values: float) -> tuple[Any, ...]:
    """0-d arrays, which NumPy takes up faster than numbers; None for 1."""
    return tuple([None if v == 1 else np.array(v, dtype) for v in values])


# Float64, |x| <= 0.46875: erf(x) = x P(x^2) / Q(x^2).
_SMALL_P = _numbers(
    np.float64,
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_SMALL_Q = _numbers(
    np.float64, 1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3
)
# Float64, 0.46875 < |x| <= 6: erfc(x) = exp(-x^2) P(x) / Q(x).
_MIDDLE_P = _numbers(
    np.float64,
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
_MIDDLE_Q = _numbers(
    np.float64,
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
# Float32: erf(x) = x P(x^2) / Q(x^2) with a relative error of 1.4e-8 up to 3.85. At 4 the ratio has passed 1, to
# which erf rounds from 3.92 on. Found by iteratively reweighted least squares on the greatest relative error.
_SINGLE_P = _numbers(np.float32, 0.0544329012, 7.37562656, 94.852796, 1354.95262, 4851.22137, 29133.4307)
_SINGLE_Q = _numbers(np.float32, 1.0, 29.574432, 381.721073, 2920.82383, 12905.5482, 25818.8311)

_16, _1, _MINUS_1 = (np.array(v, np.float32) for v in (16, 1, -1))
_6, _NEAR = np.array(6.0), np.array(0.46875)

_PIECE_BYTES = 64 * 1024  # what is evaluated at a time stays in the cache


def erf(B: Primitives, x: Array, out: Array | None = None) -> Array:
    """erf(x) = 2/sqrt(pi) * integral of exp(-t^2) from 0 to x, elementwise; float in, same dtype out."""
    if x.dtype == np.float16:
        wide = into(B.scratch(x.shape, np.dtype(np.float32)), x)
        narrow = np.empty(x.shape, x.dtype) if out is None else out
        return into(narrow, erf(B, wide, B.scratch(x.shape, wide.dtype)))
    if out is None:
        result = np.empty(x.shape, x.dtype)
    else:
        usual = out.flags.c_contiguous and not np.may_share_memory(x, out)
        result = out if usual else B.scratch(x.shape, x.dtype)
    source, target = B.reshaped(x, (x.size,)), result.reshape(-1)
    evaluate = _single if x.dtype == np.float32 else _double
    stride = _PIECE_BYTES // x.dtype.itemsize
    spare = B.scratch((3, min(stride, x.size)), x.dtype)
    for start in range(0, x.size, stride):
        piece = source[start : start + stride]
        evaluate(piece, target[start : start + stride], spare[:, : piece.size])
    return result if out is None or result is out else into(out, result)


def _single(x: Array, out: Array, spare: Array) -> None:
    square, total, _ = spare
    np.square(x, square)
    np.minimum(square, _16, out=square)
    np.multiply(x, _polynomial(_SINGLE_P, square, total), out)
    out /= _polynomial(_SINGLE_Q, square, total)
    np.minimum(out, _1, out=out)
    np.maximum(out, _MINUS_1, out=out)


def _double(x: Array, out: Array, spare: Array) -> None:
    size = np.absolute(x, spare[0])
    near = np.flatnonzero(size <= _NEAR)
    np.minimum(size, _6, out=size)  # past 6 erf rounds to 1
    np.copysign(_outer(*spare), x, out)
    few = spare[:, : near.size]
    out[near] = _inner(np.take(x, near, 0, few[0], "clip"), *few[1:])


def _inner(x: Array, square: Array, total: Array) -> Array:
    np.square(x, square)
    x *= _polynomial(_SMALL_P, square, total)
    x /= _polynomial(_SMALL_Q, square, total)
    return x


def _outer(x: Array, tail: Array, total: Array) -> Array:
    np.square(x, tail)
    np.exp(np.negative(tail, tail), tail)
    tail *= _polynomial(_MIDDLE_P, x, total)
    tail /= _polynomial(_MIDDLE_Q, x, total)
    return np.subtract(1, tail, tail)


def _polynomial(coefficients: tuple[Any, ...], x: Array, total: Array) -> Array:
    """`total` with the polynomial of `x`, by Horner's rule, highest power first."""
    first, second, *rest = coefficients
    np.add(x if first is None else np.multiply(x, first, total), second, total)
    for c in rest:
        total *= x
        total += c
    return total

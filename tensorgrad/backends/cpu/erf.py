"""The error function on NumPy arrays, which NumPy lacks: within 2 units in the last place.

Float64: a polynomial near 0, and farther out 1 - erfc(x) by the ratios of W. J. Cody, "Rational Chebyshev
approximations for the error function", Mathematics of Computation 23 (1969). Float32: tanh of a ratio, for the whole
line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Primitives

__all__ = ["MIDDLE_P", "MIDDLE_Q", "NEAR", "PIECE", "erf", "inner", "numbers", "polynomial"]


def numbers(dtype: Any, *values: float) -> tuple[Any, ...]:
    """0-d arrays, which NumPy takes up faster than numbers; None for 1."""
    return tuple([None if v == 1 else np.array(v, dtype) for v in values])


# Float64, |x| <= 0.75: erf(x) = x + x P(x^2), the Taylor series on [0, 0.75^2] with its tail from the power 11 on taken
# off by Chebyshev polynomials, which leaves 8e-19. Not x Q(x^2): that would round once more.
_NEAR_P = numbers(
    np.float64,
    1.1473938021612258e-8,
    -1.594047158458334e-7,
    1.6430732584664375e-6,
    -1.49241995108526e-5,
    1.2055289695813212e-4,
    -8.548326191937064e-4,
    5.223977615468456e-3,
    -2.6866170644432634e-2,
    1.1283791670952614e-1,
    -3.7612638903183715e-1,
    1.283791670955126e-1,
)
# Float64, 0.46875 < |x| <= 4: erfc(x) = exp(-x^2) P(x) / Q(x).
MIDDLE_P = numbers(
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
MIDDLE_Q = numbers(
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
# Float32: erf(x) = tanh(x + x P(x^2) / Q(x^2)), with a relative error of 3e-9: the tanh passes on the less of its
# argument's the farther out it is. From 3.93 on erf rounds to 1, and so does the tanh. Found by iteratively reweighted
# least squares on the greatest error of erf.
_SINGLE_P = numbers(np.float32, 5.70395374, 58.3413773, 378.283508, 395.102417)
_SINGLE_Q = numbers(np.float32, 1.0, 72.9088135, 482.856171, 3077.62085)

_LAST_SQUARE = np.array(15.5, np.float32)
_6, NEAR = np.array(6.0), np.array(0.75)

# How many elements are evaluated at a time: they stay in the cache. Of float64 fewer, since they are told apart by
# positions, for which NumPy takes memory.
PIECE = {np.dtype(np.float32): 40960, np.dtype(np.float64): 4096}


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
    evaluate = _single if x.dtype == np.float32 else _double
    source, target = B.reshaped(x, (x.size,)), result.reshape(-1)
    stride = PIECE[x.dtype]
    spare = B.scratch((4, min(stride, x.size)), x.dtype)
    for start in range(0, x.size, stride):
        piece = source[start : start + stride]
        evaluate(piece, target[start : start + stride], spare[:, : piece.size])
    return result if out is None or result is out else into(out, result)


def _single(x: Array, out: Array, spare: Array) -> None:
    square, ratio, total, _ = spare
    np.square(x, square)
    np.minimum(square, _LAST_SQUARE, out=square)
    np.divide(polynomial(_SINGLE_P, square, ratio), polynomial(_SINGLE_Q, square, total), ratio)
    np.multiply(ratio, x, ratio)
    np.add(x, ratio, out)
    np.tanh(out, out)


def _double(x: Array, out: Array, spare: Array) -> None:
    chosen = np.less_equal(np.absolute(x, spare[0]), NEAR)
    for evaluate in (inner, _outer):
        at = np.flatnonzero(chosen)
        if at.size:
            few = spare[:, : at.size]
            out[at] = evaluate(np.take(x, at, 0, few[0], "clip"), *few[1:])
        np.logical_not(chosen, chosen)


def inner(x: Array, square: Array, total: Array, _: Array) -> Array:
    """erf of float64 |x| <= NEAR, in place."""
    np.square(x, square)
    np.multiply(polynomial(_NEAR_P, square, total), x, total)
    return np.add(x, total, x)


def _outer(x: Array, size: Array, tail: Array, total: Array) -> Array:
    np.minimum(np.absolute(x, size), _6, out=size)  # past 6 erf rounds to 1
    np.square(size, tail)
    np.exp(np.negative(tail, tail), tail)
    np.multiply(tail, polynomial(MIDDLE_P, size, total), tail)
    np.divide(tail, polynomial(MIDDLE_Q, size, total), tail)
    np.subtract(1, tail, tail)
    return np.copysign(tail, x, tail)


def polynomial(coefficients: tuple[Any, ...], x: Array, total: Array) -> Array:
    """`total` with the polynomial of `x`, by Horner's rule, highest power first."""
    first, second, *rest = coefficients
    np.add(x if first is None else np.multiply(x, first, total), second, total)
    for c in rest:  # by name: `total *= x` takes longer
        np.multiply(total, x, total)
        np.add(total, c, total)
    return total

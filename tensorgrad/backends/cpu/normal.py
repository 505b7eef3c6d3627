"""gelu, by the normal distribution P, and its gradient on NumPy arrays.

P(x) = (1 + erf(x / sqrt(2))) / 2 loses all its bits far below 0, where erf is -1. So what is computed is P(-|x|), as
exp(-x^2 / 2) times what is left of it, which varies slowly: P(x) is that, or 1 less it. In float32 the exponential is
taken in float64: the square under it and NumPy's exp would cost more bits than all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tensorgrad.backends.cpu.erf import MIDDLE_P, MIDDLE_Q, NEAR, PIECE, inner, numbers, polynomial
from tensorgrad.backends.cpu.results import into
from tensorgrad.backends.primitives import Array, Primitives
from tensorgrad.dtypes import float32, float64

__all__ = ["gelu", "gelu_backward"]

_ROOT = math.sqrt(2 * math.pi)
# Float32: exp(-t^2 / 2) / P(-t) = 2 + t (sqrt(2 pi) + P(t) / Q(t)) for 0 <= t <= 14.6, to a relative 1.7e-8; found as
# the ratio in erf.py. The ratio here is the least of the terms, so that its rounding counts for little.
_SINGLE_P = numbers(np.float32, -1.99974764, -16.301323, -57.9262647, -94.4243995)
_SINGLE_Q = numbers(np.float32, 1.0, 9.39822964, 40.8529099, 94.690715, 103.665371)
# Float64, y > 4: erfc(y) = exp(-y^2) (1 / sqrt(pi) - P(1 / y^2) / (y^2 Q(1 / y^2))) / y. W. J. Cody, see erf.py.
_FAR_P = numbers(
    np.float64,
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = numbers(
    np.float64,
    1.0,
    2.56852019228982242e0,
    1.87295284992346725e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
_0, _1, _2, _15, _GROWTH, _DENSITY_SINGLE = (np.array(v, np.float32) for v in (0, 1, 2, 15, _ROOT, 1 / _ROOT))
_HALF, _MINUS_HALF, _DENSITY, _SQRT_HALF = (np.array(v) for v in (0.5, -0.5, 1 / _ROOT, math.sqrt(0.5)))
_40, _MINUS_40 = np.array(40.0), np.array(-40.0)

# exp(-t^2 / 2) is 0 from 15 on in float32, from 40 on in float64; sizes are cut off there, so that nothing overflows.


def gelu(B: Primitives, x: Array, out: Array | None = None) -> Array:
    """x P(x) of float32 or float64."""
    return _in_pieces(B, _single if x.dtype == float32 else _double, (x,), out)


def gelu_backward(B: Primitives, g: Array, x: Array, out: Array | None = None) -> Array:
    """g (P(x) + x p(x)), for the normal density p."""
    return _in_pieces(B, _single_slope if x.dtype == float32 else _double_slope, (g, x), out)


def _in_pieces(B: Primitives, evaluate: Callable[..., None], inputs: tuple[Array, ...], out: Array | None) -> Array:
    """The result of an elementwise `evaluate`, a piece at a time, so that what it works in stays in the cache."""
    x = inputs[-1]
    if out is None:
        result = np.empty(x.shape, x.dtype)
    else:
        usual = out.flags.c_contiguous and not any(np.may_share_memory(a, out) for a in inputs)
        result = out if usual else B.scratch(x.shape, x.dtype)
    sources = [B.reshaped(a, (a.size,)) for a in inputs]
    target = result.reshape(-1)
    stride = PIECE[x.dtype]
    most = min(stride, x.size)
    spare, wide = B.scratch((3 if x.dtype == float32 else 6, most), x.dtype), B.scratch((most,), float64)
    if most == x.size:
        evaluate(*sources, target, spare, wide)
        return result if out is None or result is out else into(out, result)
    for start in range(0, x.size, stride):
        pieces = [a[start : start + stride] for a in sources]
        count = pieces[0].size
        evaluate(*pieces, target[start : start + stride], spare[:, :count], wide[:count])
    return result if out is None or result is out else into(out, result)


# ---------------------------------------------------------------------- float32
def _single(x: Array, out: Array, spare: Array, wide: Array) -> None:
    size, rest, density = _parts(x, spare, wide)
    np.divide(density, rest, rest)
    np.multiply(rest, size, rest)
    np.maximum(x, _0, out=out)
    np.subtract(out, rest, out)


def _single_slope(g: Array, x: Array, out: Array, spare: Array, wide: Array) -> None:
    """P(-t) - t p(t), or 1 less it."""
    size, rest, density = _parts(x, spare, wide)
    np.divide(_1, rest, rest)
    np.multiply(size, _DENSITY_SINGLE, size)
    np.subtract(rest, size, rest)
    np.multiply(rest, density, rest)
    sign = np.copysign(_1, x, size)
    np.multiply(rest, sign, rest)
    np.maximum(sign, _0, out=sign)
    np.subtract(sign, rest, rest)
    np.multiply(rest, g, out)


def _parts(x: Array, spare: Array, wide: Array) -> tuple[Array, Array, Array]:
    """t = |x|, exp(-t^2 / 2) / P(-t) and exp(-t^2 / 2)."""
    size, rest, other = spare
    np.absolute(x, size)
    np.minimum(size, _15, out=size)
    polynomial(_SINGLE_P, size, rest)
    np.divide(rest, polynomial(_SINGLE_Q, size, other), rest)
    np.add(rest, _GROWTH, rest)
    np.multiply(rest, size, rest)
    np.add(rest, _2, rest)
    np.copyto(wide, size)
    np.multiply(wide, wide, wide)
    np.multiply(wide, _MINUS_HALF, wide)
    np.exp(wide, wide)
    np.copyto(other, wide, casting="same_kind")
    return size, rest, other


# ---------------------------------------------------------------------- float64
def _double(x: Array, out: Array, spare: Array, wide: Array) -> None:
    _distribution(x, out, spare, wide)
    np.multiply(out, np.maximum(x, _MINUS_40, out=spare[0]), out)


def _double_slope(g: Array, x: Array, out: Array, spare: Array, wide: Array) -> None:
    _distribution(x, out, spare, wide)
    density, bounded = wide, spare[0]
    np.minimum(np.absolute(x, bounded), _40, out=bounded)
    np.multiply(np.square(bounded, density), _MINUS_HALF, density)
    np.multiply(np.exp(density, density), _DENSITY, density)
    np.copysign(bounded, x, bounded)
    np.add(out, np.multiply(density, bounded, density), out)
    np.multiply(out, g, out)


def _distribution(x: Array, out: Array, spare: Array, wide: Array) -> None:
    """P(x): near 0 by erf, elsewhere by erfc."""
    y = np.multiply(x, _SQRT_HALF, wide)
    near = np.less_equal(np.absolute(y, spare[0]), NEAR)
    at = np.flatnonzero(near)
    if at.size:
        few = spare[:, : at.size]
        half = inner(np.take(y, at, 0, few[0], "clip"), *few[1:4])
        np.multiply(half, _HALF, half)
        out[at] = np.add(half, _HALF, half)
    at = np.flatnonzero(np.logical_not(near, near))
    if at.size:
        few = spare[:, : at.size]
        value = np.take(x, at, 0, few[0], "clip")
        tail = _tail(np.minimum(np.absolute(value, few[1]), _40, out=few[1]), *few[2:])
        sign = np.copysign(1.0, value, value)
        np.multiply(tail, sign, tail)
        np.maximum(sign, 0.0, out=sign)
        out[at] = np.subtract(sign, tail, tail)


def _tail(t: Array, high: Array, low: Array, rest: Array, total: Array) -> Array:
    """P(-t) = erfc(t / sqrt(2)) / 2, in `high`; of t^2 the greater part, under the exponential, is exact."""
    np.rint(np.multiply(t, 16.0, high), high)
    np.multiply(high, 0.0625, high)
    np.multiply(np.subtract(high, t, low), np.add(high, t, total), low)
    np.exp(np.multiply(low, _HALF, low), low)
    np.multiply(np.square(high, high), _MINUS_HALF, high)
    np.multiply(np.exp(high, high), low, high)
    y = np.multiply(t, _SQRT_HALF, t)
    np.divide(polynomial(MIDDLE_P, y, rest), polynomial(MIDDLE_Q, y, total), rest)
    far = np.flatnonzero(y > 4.0)
    if far.size:
        rest[far] = _far(y[far])
    np.multiply(rest, _HALF, rest)
    return np.multiply(high, rest, high)


def _far(y: Array) -> Array:
    z = np.reciprocal(np.square(y))
    rest = polynomial(_FAR_P, z, np.empty_like(z))
    rest /= polynomial(_FAR_Q, z, np.empty_like(z))
    rest *= z
    np.subtract(1 / math.sqrt(math.pi), rest, rest)
    rest /= y
    return rest

"""Elementwise arithmetic: each op's gradients stand directly above its forward.

The tape sums a gradient back to its input's shape where broadcasting stretched it (`elementwise=True`).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tensorgrad.autograd.op import Op, Spec, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.dtypes import DType

_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


# Where a slope may be infinite, `multiply_unless_zero` and `divide_unless_zero` keep a gradient of zero zero. A slope
# that is a square or a cube is multiplied into the gradient a factor at a time: it may overflow where the result fits.


def _zero(B: Backend, like: Array) -> Array:
    return B.full((), 0, like.dtype)


# ---------------------------------------------------------------------- two arrays in
@op(
    lambda B, g, _out, _x, _y: g,
    lambda B, g, _out, _x, _y: g,
    elementwise=True,
)
def add(B: Backend, x: Array, y: Array) -> Array:
    return B.add(x, y)


@op(
    lambda B, g, _out, _x, _y: g,
    lambda B, g, _out, _x, _y: B.negative(g),
    elementwise=True,
)
def subtract(B: Backend, x: Array, y: Array) -> Array:
    return B.subtract(x, y)


def _times(B: Backend, g: Array, factor: Array) -> Array:
    """g * factor; a number that is not finite is a slope that may not have been chosen."""
    if type(factor) is float and not -math.inf < factor < math.inf:
        return B.multiply_unless_zero(g, B.full((), factor, g.dtype))
    return B.multiply(g, factor)


@op(
    lambda B, g, _out, _x, y: _times(B, g, y),
    lambda B, g, _out, x, _y: _times(B, g, x),
    elementwise=True,
)
def multiply(B: Backend, x: Array, y: Array) -> Array:
    return B.multiply(x, y)


def _quotient_numerator(B: Backend, g: Array, _out: Array, _x: Array, y: Array) -> Array:
    if not isinstance(y, (int, float)):
        return B.divide_unless_zero(g, y)
    if y:
        return B.divide(g, y) if y == y else _times(B, g, y)
    return _times(B, g, math.copysign(math.inf, y))


def _quotient_denominator(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    """From x / y once more, and not the output: people write into a quotient more often than into what it was made
    of."""
    if isinstance(x, (int, float)):
        return B.multiply_both_unless_zero(g, B.divide(-1, y), B.divide(x, y))
    return B.divide_backward(g, x, y)


@op(_quotient_numerator, _quotient_denominator, elementwise=True, wide="vjps")
def divide(B: Backend, x: Array, y: Array) -> Array:
    return B.divide(x, y)


def _number_denominator(B: Backend, g: Array, out: Array, x: float, _y: Spec) -> Array:
    """-g x / y^2 as -(g out) (out / x), and without the division where that has no quotient."""
    usual = _least(out.dtype) <= abs(x) <= _greatest(out.dtype)  # else it is rounded to 0 or infinity
    rest = B.divide(out, -x) if usual else B.multiply(out, -math.copysign(1.0, x))
    return B.multiply_both_unless_zero(g, out, rest)


@lru_cache(maxsize=8)
def _least(dtype: DType) -> float:
    return float(np.finfo(dtype).smallest_subnormal)


@lru_cache(maxsize=8)
def _greatest(dtype: DType) -> float:
    return float(np.finfo(dtype).max)


@op(lambda B, g, _out, _x, _y: None, _number_denominator, elementwise=True, lends_output=True, wide="vjps")
def divide_number(B: Backend, x: float, y: Array) -> Array:
    """x / y for a number x: the quotient is all that its gradient reads."""
    return B.divide(x, y)


def _negative_power(B: Backend, x: Array, y: float) -> tuple[Array, Array]:
    """Two factors of x**(y - 1), which itself may overflow where the gradient does not."""
    if y % 1 == 0:
        rest = B.reciprocal(x)
        return rest if y == -1 else B.power(x, y), rest
    half = B.power(x, (y - 1) / 2)
    return half, half


def _power_base(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    if isinstance(y, (int, float)):
        # y = 0 is a constant: 0 * x**-1 would be nan at x = 0.
        if y == 0:
            return B.full(g.shape, 0, g.dtype)
        if y < 0:
            return B.multiply_both_unless_zero(B.multiply(g, y), *_negative_power(B, x, y))
        slope = B.multiply(B.power(x, y - 1), y)
        return B.multiply(g, slope) if 1 <= y < math.inf else B.multiply_unless_zero(g, slope)
    slope = B.multiply(B.power(x, B.subtract(y, 1)), y)
    return B.where(B.equal(y, 0), _zero(B, g), B.multiply_unless_zero(g, slope))


def _power_exponent(B: Backend, g: Array, out: Array, x: Array, y: Array) -> Array:
    if isinstance(x, (int, float)):
        if 0 < x < math.inf:
            return B.multiply(g, B.multiply(out, math.log(x)))
        x = B.full((), x, g.dtype)
    # 0**y is flat for y >= 0; log(0) would make that nan.
    flat = B.logical_and(B.equal(x, 0), B.greater_equal(y, 0))
    safe = B.where(flat, B.full((), 1, x.dtype), x)
    return B.multiply_both_unless_zero(g, B.log(safe), out)


@op(_power_base, _power_exponent, elementwise=True, wide="vjps")
def power(B: Backend, x: Array, y: Array) -> Array:
    return B.power(x, y)


@op()
def integer_power(B: Backend, x: Array, y: Array) -> Array:
    """Integers to integer powers. Of 1 / x**n only the integer part is left, and 1 / 0 is 0, as in PyTorch."""
    negative = B.less(y, 0)
    # Two or three, by parity: an exponent that gives -1, 0 and 1 what they are to have.
    exponent = B.where(negative, B.add(B.remainder(y, 2), 2), y)
    fraction = B.logical_and(negative, B.logical_or(B.greater(x, 1), B.less(x, -1)))
    power = B.power(x, exponent)
    return B.where(fraction, B.full((), 0, power.dtype), power)


def _share(B: Backend, g: Array, loses: Array, ties: Array) -> Array:
    """Nothing where this input loses, half of the gradient where the two tie, else all of it: so both have it where
    one is nan, as in PyTorch."""
    return B.where(loses, _zero(B, g), B.where(ties, B.multiply(g, 0.5), g))


@op(
    lambda B, g, _out, x, y: _share(B, g, B.less(x, y), B.equal(x, y)),
    lambda B, g, _out, x, y: _share(B, g, B.greater(x, y), B.equal(x, y)),
    elementwise=True,
)
def maximum(B: Backend, x: Array, y: Array) -> Array:
    return B.maximum(x, y)


@op(
    lambda B, g, _out, x, y: _share(B, g, B.greater(x, y), B.equal(x, y)),
    lambda B, g, _out, x, y: _share(B, g, B.less(x, y), B.equal(x, y)),
    elementwise=True,
)
def minimum(B: Backend, x: Array, y: Array) -> Array:
    return B.minimum(x, y)


@op(
    lambda B, g, _out, _x, _y: g,
    lambda B, g, _out, x, y: B.negative(B.multiply_unless_zero(g, B.floor_divide(x, y))),
    elementwise=True,
    wide="vjps",
)
def remainder(B: Backend, x: Array, y: Array) -> Array:
    return B.remainder(x, y)


# ---------------------------------------------------------------------- one array in
@op(lambda B, g, _out, _x: B.negative(g))
def negative(B: Backend, x: Array) -> Array:
    return B.negative(x)


@op(lambda B, g, _out, x: B.multiply(g, B.sign(x)))
def absolute(B: Backend, x: Array) -> Array:
    return B.absolute(x)


@op(lambda B, g, out, _x: B.multiply(g, out))
def exp(B: Backend, x: Array) -> Array:
    return B.exp(x)


@op(lambda B, g, out, _x: B.multiply(g, B.add(out, 1)), wide="vjps")
def expm1(B: Backend, x: Array) -> Array:
    return B.expm1(x)


@op(lambda B, g, _out, x: B.divide_unless_zero(g, x))
def log(B: Backend, x: Array) -> Array:
    return B.log(x)


@op(lambda B, g, _out, x: B.divide_unless_zero(g, B.add(x, 1)), wide="vjps")
def log1p(B: Backend, x: Array) -> Array:
    return B.log1p(x)


@op(lambda B, g, _out, x: B.divide_unless_zero(B.multiply(g, 1 / math.log(2)), x), wide="vjps")
def log2(B: Backend, x: Array) -> Array:
    return B.log2(x)


@op(lambda B, g, _out, x: B.divide_unless_zero(B.multiply(g, 1 / math.log(10)), x), wide="vjps")
def log10(B: Backend, x: Array) -> Array:
    return B.log10(x)


@op(lambda B, g, out, _x: B.multiply_unless_zero(g, B.divide(0.5, out)), wide="vjps")
def sqrt(B: Backend, x: Array) -> Array:
    return B.sqrt(x)


@op(lambda B, g, _out, x: B.multiply(B.multiply(g, x), 2), wide="vjps")
def square(B: Backend, x: Array) -> Array:
    return B.square(x)


def _reciprocal_vjp(B: Backend, g: Array, out: Array, _x: Spec) -> Array:
    return B.negative(B.multiply_both_unless_zero(g, out, out))


@op(_reciprocal_vjp, lends_output=True, wide="vjps")
def reciprocal(B: Backend, x: Array) -> Array:
    return B.reciprocal(x)


def _rsqrt_vjp(B: Backend, g: Array, out: Array, _x: Spec) -> Array:
    return B.multiply_unless_zero(B.multiply_both_unless_zero(B.multiply(g, -0.5), out, out), out)


@op(_rsqrt_vjp, lends_output=True, wide=True)
def rsqrt(B: Backend, x: Array) -> Array:
    return B.reciprocal(B.sqrt(x))


@op(lambda B, g, _out, x: B.multiply(g, B.cos(x)))
def sin(B: Backend, x: Array) -> Array:
    return B.sin(x)


@op(lambda B, g, _out, x: B.negative(B.multiply(g, B.sin(x))))
def cos(B: Backend, x: Array) -> Array:
    return B.cos(x)


@op(lambda B, g, out, _x: B.multiply(g, B.add(B.square(out), 1)), wide="vjps")
def tan(B: Backend, x: Array) -> Array:
    return B.tan(x)


@op(lambda B, g, out, _x: B.tanh_backward(g, out))
def tanh(B: Backend, x: Array) -> Array:
    return B.tanh(x)


@op(lambda B, g, _out, x: B.multiply(g, B.multiply(B.exp(B.negative(B.square(x))), _TWO_OVER_SQRT_PI)), wide="vjps")
def erf(B: Backend, x: Array) -> Array:
    return B.erf(x)


# ---------------------------------------------------------------------- choosing and converting
@op(
    lambda B, g, _out, _c, _x, _y: None,
    lambda B, g, _out, c, _x, _y: B.where(c, g, B.full((), 0, g.dtype)),
    lambda B, g, _out, c, _x, _y: B.where(c, B.full((), 0, g.dtype), g),
    elementwise=True,
)
def where(B: Backend, c: Array, x: Array, y: Array) -> Array:
    return B.where(c, x, y)


@op(lambda B, g, _out, _x, dtype: B.astype(g, _x.dtype))
def astype(B: Backend, x: Array, dtype: DType) -> Array:
    return B.astype(x, dtype)


@op(lambda B, g, _out, _x: g)
def copy(B: Backend, x: Array) -> Array:
    return B.copy(x)


def _within(B: Backend, x: Array, low: float | None, high: float | None) -> Array:
    if low is None:
        return B.less_equal(x, high)
    above = B.greater_equal(x, low)
    return above if high is None else B.logical_and(above, B.less_equal(x, high))


@op(lambda B, g, _out, x, low, high: B.where(_within(B, x, low, high), g, B.full((), 0, g.dtype)))
def clip(B: Backend, x: Array, low: float | None, high: float | None) -> Array:
    bounded = x if low is None else B.maximum(x, low)
    return bounded if high is None else B.minimum(bounded, high)


def _clip_lower_bound(B: Backend, g: Array, _out: Array, x: Array, low: Array, high: Array) -> Array:
    active = B.less(x, low)
    if high is not None:
        active = B.logical_and(active, B.less(low, high))
    return B.where(active, g, B.full((), 0, g.dtype))


def _clip_upper_bound(B: Backend, g: Array, _out: Array, x: Array, low: Array, high: Array) -> Array:
    active = B.greater(x, high)
    if low is not None:
        active = B.logical_or(active, B.less(high, low))
    return B.where(active, g, B.full((), 0, g.dtype))


@op(
    lambda B, g, _out, x, low, high: B.where(_within(B, x, low, high), g, B.full((), 0, g.dtype)),
    _clip_lower_bound,
    _clip_upper_bound,
    elementwise=True,
)
def clip_between(B: Backend, x: Array, low: Array, high: Array) -> Array:
    """clip with bounds that are arrays, which broadcast and have gradients; one may be None, or a number."""
    bounded = x if low is None else B.maximum(x, low)
    return bounded if high is None else B.minimum(bounded, high)


# ---------------------------------------------------------------------- not differentiable
def _plain(name: str) -> Op:
    def forward(B: Backend, *arrays: Array) -> Array:
        return getattr(B, name)(*arrays)

    return op(name=name, elementwise=True)(forward)


isfinite, isnan, isinf, logical_not, invert = (
    _plain(n) for n in ("isfinite", "isnan", "isinf", "logical_not", "invert")
)
equal, not_equal, less, less_equal, greater, greater_equal = (
    _plain(n) for n in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
)
logical_and, logical_or, logical_xor, bitwise_and, bitwise_or, bitwise_xor, left_shift, right_shift = (
    _plain(n)
    for n in (
        "logical_and",
        "logical_or",
        "logical_xor",
        "bitwise_and",
        "bitwise_or",
        "bitwise_xor",
        "left_shift",
        "right_shift",
    )
)


def _truncate(B: Backend, x: Array, dtype: DType) -> Array:
    return B.astype(x, dtype)


# To integers and bools: a conversion through which no gradient goes.
truncate = op(name="truncate")(_truncate)

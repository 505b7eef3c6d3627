"""The guarded products of gradients as ops: what a gradient of a gradient runs.

In a hole, where 0 meets a slope that is not finite, they are 0 and flat. Elsewhere they are the plain product and
quotient, and their own gradients are guarded in turn.
"""

from __future__ import annotations

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array

__all__ = ["divide_unless_zero", "multiply_both_unless_zero", "multiply_unless_zero"]


def _outside(B: Backend, x: Array, slope: Array, d: Array) -> Array:
    """`d`, but 0 where x is 0 and the slope is not finite."""
    hole = B.logical_and(B.equal(x, 0), B.logical_not(B.isfinite(slope)))
    return B.where(hole, B.full((), 0, d.dtype), d)


@op(
    lambda B, g, _out, x, slope: _outside(B, x, slope, B.multiply_unless_zero(g, slope)),
    lambda B, g, _out, x, _slope: B.multiply_unless_zero(g, x),
    elementwise=True,
)
def multiply_unless_zero(B: Backend, x: Array, slope: Array) -> Array:
    return B.multiply_unless_zero(x, slope)


def _numerator(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    return _outside(B, x, B.reciprocal(y), B.divide_unless_zero(g, y))


def _denominator(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    slope = B.reciprocal(y)
    d = B.multiply_unless_zero(B.divide_unless_zero(g, y), B.divide_unless_zero(x, y))
    return _outside(B, x, slope, B.negative(d))


@op(_numerator, _denominator, elementwise=True)
def divide_unless_zero(B: Backend, x: Array, y: Array) -> Array:
    return B.divide_unless_zero(x, y)


def _both(B: Backend, g: Array, _out: Array, x: Array, a: Array, b: Array) -> Array:
    return _outside(B, x, a, _outside(B, x, b, B.multiply_both_unless_zero(g, a, b)))


@op(
    _both,
    lambda B, g, _out, x, _a, b: B.multiply_unless_zero(B.multiply_unless_zero(g, x), b),
    lambda B, g, _out, x, a, _b: B.multiply_unless_zero(B.multiply_unless_zero(g, x), a),
    elementwise=True,
)
def multiply_both_unless_zero(B: Backend, x: Array, a: Array, b: Array) -> Array:
    return B.multiply_both_unless_zero(x, a, b)

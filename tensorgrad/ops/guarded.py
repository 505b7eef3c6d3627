"""The guarded products of gradients as ops: what a gradient of a gradient runs.

In a hole, where 0 meets a slope that is not finite, they are 0 and flat. Elsewhere they are the plain product and
quotient, and their own gradients are guarded in turn.
"""

from __future__ import annotations

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array

__all__ = ["divide_unless_zero", "multiply_unless_zero"]


def _outside(B: Backend, hole: Array, d: Array) -> Array:
    return B.where(hole, B.full((), 0, d.dtype), d)


def _factor(B: Backend, g: Array, _out: Array, x: Array, slope: Array) -> Array:
    hole = B.logical_and(B.equal(x, 0), B.logical_not(B.isfinite(slope)))
    return _outside(B, hole, B.multiply_unless_zero(g, slope))


@op(_factor, lambda B, g, _out, x, _slope: B.multiply_unless_zero(g, x), elementwise=True)
def multiply_unless_zero(B: Backend, x: Array, slope: Array) -> Array:
    return B.multiply_unless_zero(x, slope)


def _both_zero(B: Backend, x: Array, y: Array) -> Array:
    return B.logical_and(B.equal(x, 0), B.equal(y, 0))


def _numerator(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    return _outside(B, _both_zero(B, x, y), B.divide_unless_zero(g, y))


def _denominator(B: Backend, g: Array, _out: Array, x: Array, y: Array) -> Array:
    d = B.multiply_unless_zero(B.divide_unless_zero(g, y), B.divide_unless_zero(x, y))
    return _outside(B, _both_zero(B, x, y), B.negative(d))


@op(_numerator, _denominator, elementwise=True)
def divide_unless_zero(B: Backend, x: Array, y: Array) -> Array:
    return B.divide_unless_zero(x, y)

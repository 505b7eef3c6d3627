"""What is flat almost everywhere: signs, rounding, and division that rounds. The gradient is zero, but there."""

from __future__ import annotations

from tensorgrad.autograd.op import Op, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array


def _flat(name: str) -> Op:
    def forward(B: Backend, x: Array) -> Array:
        return getattr(B, name)(x)

    return op(lambda B, g, _out, _x: B.full(_x.shape, 0, _x.dtype), name=name)(forward)


sign, floor, ceil, trunc, rint = (_flat(n) for n in ("sign", "floor", "ceil", "trunc", "rint"))


@op(lambda B, g, _out, _x, decimals: B.full(_x.shape, 0, _x.dtype))
def round_decimals(B: Backend, x: Array, decimals: int | None) -> Array:
    """x rounded to so many digits behind the point; before it, where `decimals` is negative. None: to none at all."""
    if decimals is None:
        return B.where(B.isfinite(x), B.multiply(x, 0), x)
    factor = float(10 ** abs(decimals))
    if decimals < 0:
        return B.multiply(B.rint(B.divide(x, factor)), factor)
    scaled = B.multiply(x, factor)
    # Numbers so large that they cannot be multiplied have no digits behind the point.
    return B.where(B.isfinite(scaled), B.divide(B.rint(scaled), factor), x)


_flat_in_both = op(
    lambda B, _g, _out, _x, _y: B.full(_x.shape, 0, _x.dtype),
    lambda B, _g, _out, _x, _y: B.full(_y.shape, 0, _y.dtype),
    elementwise=True,
)


@_flat_in_both
def floor_divide(B: Backend, x: Array, y: Array) -> Array:
    return B.floor_divide(x, y)


@_flat_in_both
def trunc_divide(B: Backend, x: Array, y: Array) -> Array:
    """x / y rounded towards zero; integers exactly."""
    below = B.floor_divide(x, y)
    if below.dtype.kind == "f":
        return B.trunc(B.divide(x, y))
    inexact = B.logical_and(B.less(below, 0), B.not_equal(B.remainder(x, y), 0))
    return B.add(below, B.astype(inexact, below.dtype))

"""Reductions: fewer elements come out than go in, and a gradient is spread back over those that went.

`axis` is an int, a tuple of ints or None for all axes; `keepdims` keeps the reduced axes with size 1.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from tensorgrad.autograd.op import Op, Spec, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array, Axis, Shape
from tensorgrad.backends.primitives.reduce import reduced_count

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


# ---------------------------------------------------------------------- shapes
@lru_cache(maxsize=1024)
def _axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple([a % ndim for a in ((axis,) if isinstance(axis, int) else axis)])


@lru_cache(maxsize=1024)
def _kept_shape(shape: Shape, axis: Axis) -> Shape:
    axes = _axes(len(shape), axis)
    return tuple([1 if i in axes else n for i, n in enumerate(shape)])


def _aligned(B: Backend, reduced: Array, shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """A result, or its gradient, shaped so that it broadcasts against the input of `shape`."""
    return reduced if keepdims or axis is None else B.reshaped(reduced, _kept_shape(shape, axis))


# ---------------------------------------------------------------------- sums
def _sum_vjp(B: Backend, g: Array, _out: Spec, _x: Spec, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.broadcast_to(_aligned(B, g, _x.shape, axis, keepdims), _x.shape)


@op(_sum_vjp)
def sum(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.sum(x, axis=axis, keepdims=keepdims)


def _mean_vjp(B: Backend, g: Array, _out: Spec, _x: Spec, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.broadcast_to(_mean_share(B, g, _x.shape, axis, keepdims), _x.shape)


def _mean_share(B: Backend, g: Array, shape: Shape, axis: Axis, keepdims: bool) -> Array:
    """What each element gets of the gradient of its mean."""
    return _aligned(B, B.multiply(g, 1 / (reduced_count(shape, axis) or 1)), shape, axis, keepdims)


@op(_mean_vjp, wide="vjps")
def mean(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.mean(x, axis=axis, keepdims=keepdims)


def _cumsum_vjp(B: Backend, g: Array, _out: Spec, _x: Spec, axis: int) -> Array:
    """Element i went into every sum from i on: the cumulative sum from the other end."""
    backwards = (*[slice(None)] * axis, slice(None, None, -1), Ellipsis)
    return B.getitem(B.cumsum(B.getitem(g, backwards), axis), backwards)


@op(_cumsum_vjp)
def cumsum(B: Backend, x: Array, axis: int) -> Array:
    return B.cumsum(x, axis)


# ---------------------------------------------------------------------- products
def _prod_vjp(B: Backend, g: Array, _out: Spec, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """g times the product of all the others. Not out / x: that is wrong where an element is zero."""
    axes = _axes(x.ndim, axis)
    order = (*[i for i in range(x.ndim) if i not in axes], *axes)
    moved = B.transpose(x, order)
    rows = B.reshaped(moved, (*moved.shape[: x.ndim - len(axes)], reduced_count(x.shape, axis)))
    others = B.reshaped(B.leave_one_out(rows), moved.shape)
    back = tuple([order.index(i) for i in range(x.ndim)])
    return B.multiply(_aligned(B, g, x.shape, axis, keepdims), B.transpose(others, back))


@op(_prod_vjp, wide="vjps")
def prod(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.prod(x, axis=axis, keepdims=keepdims)


# ---------------------------------------------------------------------- extremes
def _extreme_vjp(B: Backend, g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The gradient goes to the elements that are the extreme, in equal shares where several are."""
    share, extreme = _aligned(B, g, x.shape, axis, keepdims), _aligned(B, out, x.shape, axis, keepdims)
    return B.extreme_backward(share, x, extreme, axis=axis)


@op(_extreme_vjp, wide="vjps")
def max(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.max(x, axis=axis, keepdims=keepdims)


@op(_extreme_vjp, wide="vjps")
def min(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.min(x, axis=axis, keepdims=keepdims)


def _logsumexp_vjp(B: Backend, g: Array, out: Array, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """g * softmax(x). A row of -inf has no gradient: there x - out would be nan."""
    finite = B.where(B.equal(out, -math.inf), B.full((), 0, out.dtype), out)
    softmax = B.exp(B.subtract(x, _aligned(B, finite, x.shape, axis, keepdims)))
    return B.multiply(softmax, _aligned(B, g, x.shape, axis, keepdims))


@op(_logsumexp_vjp, wide="vjps")
def logsumexp(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.logsumexp(x, axis=axis, keepdims=keepdims)


# ---------------------------------------------------------------------- spread
def _deviation(B: Backend, g: Array, x: Array, axis: Axis, keepdims: bool, freedom: float) -> Array:
    """g * (x - mean) / freedom: the mean is computed again, which is cheaper than keeping x - mean."""
    scale = _aligned(B, B.divide(g, freedom), x.shape, axis, keepdims)
    return B.multiply(B.subtract(x, B.mean(x, axis=axis, keepdims=True)), scale)


def _freedom(shape: Shape, axis: Axis, correction: float) -> float:
    left = reduced_count(shape, axis) - correction
    return left if left > 0 else 0


def _var_vjp(
    B: Backend, g: Array, _out: Spec, x: Array, axis: Axis = None, correction: float = 0, keepdims: bool = False
) -> Array:
    return _deviation(B, g, x, axis, keepdims, _freedom(x.shape, axis, correction) / 2)


@op(_var_vjp, wide="vjps")
def var(B: Backend, x: Array, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Array:
    return B.var(x, axis=axis, correction=correction, keepdims=keepdims)


def _std_vjp(
    B: Backend, g: Array, out: Array, x: Array, axis: Axis = None, correction: float = 0, keepdims: bool = False
) -> Array:
    return _deviation(B, _over(B, g, out), x, axis, keepdims, _freedom(x.shape, axis, correction))


@op(_std_vjp, wide=True)
def std(B: Backend, x: Array, axis: Axis = None, correction: float = 0, keepdims: bool = False) -> Array:
    return B.std(x, axis=axis, correction=correction, keepdims=keepdims)


Pair = tuple[Array | None, Array | None]


def _and_mean_vjp(B: Backend, d: Array | None, g: Array | None, x: Array, axis: Axis, keepdims: bool) -> tuple[Array]:
    """`d`, what came by way of the spread, and to it what came by way of the mean; one of both may be None."""
    if g is None:
        return (d,)
    share = _mean_share(B, g, x.shape, axis, keepdims)
    return (B.broadcast_to(share, x.shape) if d is None else B.add(d, share),)


def _var_mean_vjp(
    B: Backend, _needs: tuple[bool], g: Pair, _out: Any, x: Array, axis: Axis, correction: float, keepdims: bool
) -> tuple[Array]:
    d = None if g[0] is None else _var_vjp(B, g[0], _out, x, axis, correction, keepdims)
    return _and_mean_vjp(B, d, g[1], x, axis, keepdims)


@op(joint=_var_mean_vjp, outputs=2, wide=True)
def var_mean(B: Backend, x: Array, axis: Axis, correction: float, keepdims: bool) -> tuple[Array, Array]:
    return B.var_mean(x, axis=axis, correction=correction, keepdims=keepdims)


def _std_mean_vjp(
    B: Backend, _needs: tuple[bool], g: Pair, out: Any, x: Array, axis: Axis, correction: float, keepdims: bool
) -> tuple[Array]:
    d = None if g[0] is None else _std_vjp(B, g[0], out[0], x, axis, correction, keepdims)
    return _and_mean_vjp(B, d, g[1], x, axis, keepdims)


@op(joint=_std_mean_vjp, reads=("out[0] x",), outputs=2, wide=True)
def std_mean(B: Backend, x: Array, axis: Axis, correction: float, keepdims: bool) -> tuple[Array, Array]:
    return B.std_mean(x, axis=axis, correction=correction, keepdims=keepdims)


def _over(B: Backend, g: Array, length: Array) -> Array:
    """g / length, and 0 where the length is 0: the subgradient of a norm there."""
    flat = B.equal(length, 0)
    ratio = B.divide(g, B.where(flat, B.full((), 1, length.dtype), length))
    return B.where(flat, B.full((), 0, g.dtype), ratio)


def _norm_vjp(
    B: Backend, g: Array, out: Array, x: Array, p: float = 2, axis: Axis = None, keepdims: bool = False
) -> Array:
    """g * sign(x) * (|x| / out)**(p - 1), 0 where the norm is 0; for p = 2 that is g * x / out."""
    if p == 0:
        return B.full(x.shape, 0, x.dtype)
    if p == 2:
        return B.multiply(x, _aligned(B, _over(B, g, out), x.shape, axis, keepdims))
    size = B.absolute(x)
    ratio = B.divide(size, _aligned(B, _nonzero(B, out), x.shape, axis, keepdims))
    slope = B.multiply(B.sign(x), B.power(_nonzero(B, ratio), p - 1))
    return B.multiply_unless_zero(slope, _aligned(B, g, x.shape, axis, keepdims))


def _nonzero(B: Backend, x: Array) -> Array:
    """x with 1 in place of 0, so that it can be divided by, or raised to a negative power."""
    return B.where(B.equal(x, 0), B.full((), 1, x.dtype), x)


@op(_norm_vjp, wide="vjps")
def norm(B: Backend, x: Array, p: float = 2, axis: Axis = None, keepdims: bool = False) -> Array:
    return B.norm(x, p=p, axis=axis, keepdims=keepdims)


# ---------------------------------------------------------------------- not differentiable
def _reduction(name: str) -> Op:
    def forward(B: Backend, x: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        return getattr(B, name)(x, axis=axis, keepdims=keepdims)

    return op(name=name)(forward)


any, all, argmax, argmin = (_reduction(n) for n in ("any", "all", "argmax", "argmin"))

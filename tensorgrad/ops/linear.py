"""Matrix products. Gradients multiply by transposed views; nothing is copied to turn it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tensorgrad.autograd.op import Spec, op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.errors import ArgumentError

__all__ = ["linear", "linear_act", "matmul", "nuclear_norm", "outer"]


def _swapped(B: Backend, x: Array) -> Array:
    """The transpose of each matrix of a batch, a view."""
    if x.ndim == 2:
        return B.transpose(x)
    return B.transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _as_matrix(B: Backend, g: Array, x_ndim: int, y_ndim: int) -> Array:
    """The gradient of a product with the axes that 1-d operands left out of it."""
    if x_ndim == 1:
        g = B.getitem(g, (Ellipsis, None, slice(None)) if y_ndim > 1 else (Ellipsis, None))
    return B.getitem(g, (Ellipsis, None)) if y_ndim == 1 else g


def _rows(B: Backend, x: Array) -> Array:
    """(..., n) as (rows, n)."""
    return x if x.ndim == 2 else B.reshaped(x, (math.prod(x.shape[:-1]), x.shape[-1]))


# ---------------------------------------------------------------------- matmul
def _left(B: Backend, g: Array, _out: Spec, _x: Spec, y: Array) -> Array:
    """g @ y.T, summed over the batch dimensions that x was stretched in."""
    if y.ndim == 1 and _x.ndim == 1:
        return B.multiply(y, g)
    columns = B.getitem(y, (slice(None), None)) if y.ndim == 1 else y
    product = B.matmul(_as_matrix(B, g, _x.ndim, y.ndim), _swapped(B, columns))
    shape = (1, *_x.shape) if _x.ndim == 1 else _x.shape
    product = product if product.shape == shape else B.unbroadcast(product, shape)
    return B.reshaped(product, _x.shape) if _x.ndim == 1 else product


def _right(B: Backend, g: Array, _out: Spec, x: Array, _y: Spec) -> Array:
    """x.T @ g, summed over the batch dimensions that y was stretched in."""
    if x.ndim == 1 and _y.ndim == 1:
        return B.multiply(x, g)
    matrix = _as_matrix(B, g, x.ndim, _y.ndim)
    rows = B.getitem(x, (None, slice(None))) if x.ndim == 1 else x
    shape = (*_y.shape, 1) if _y.ndim == 1 else _y.shape
    if len(shape) == 2 and rows.ndim > 2:  # one product over all rows sums the batch by itself
        product = B.matmul(B.transpose(_rows(B, rows)), _rows(B, matrix))
    else:
        product = B.matmul(_swapped(B, rows), matrix)
    product = product if product.shape == shape else B.unbroadcast(product, shape)
    return B.reshaped(product, _y.shape) if _y.ndim == 1 else product


@op(_left, _right)
def matmul(B: Backend, x: Array, y: Array) -> Array:
    return B.matmul(x, y)


# ---------------------------------------------------------------------- linear
def _linear_input(B: Backend, g: Array, _out: Spec, _x: Spec, weight: Array, _bias: Spec | None) -> Array:
    if g.ndim == 2:
        return B.matmul(g, weight)
    return B.reshaped(B.matmul(_rows(B, g), weight), _x.shape)


def _linear_weight(B: Backend, g: Array, _out: Spec, x: Array, _weight: Spec, _bias: Spec | None) -> Array:
    return B.matmul(B.transpose(_rows(B, g)), _rows(B, x))


def _linear_bias(B: Backend, g: Array, _out: Spec, _x: Spec, _weight: Spec, _bias: Spec) -> Array:
    return B.sum(_rows(B, g), axis=0)


# Three vjps and not one: each runs, and keeps what it reads, only where its gradient is asked for.
@op(_linear_input, _linear_weight, _linear_bias)
def linear(B: Backend, x: Array, weight: Array, bias: Array | None) -> Array:
    """x @ weight.T + bias: x (..., in), weight (out, in), bias (out,) or None; result (..., out)."""
    return B.linear(x, weight, bias)


def _linear_act_vjp(
    B: Backend,
    needs: tuple[bool, bool, bool],
    g: Array,
    out: Array,
    x: Array,
    weight: Array,
    _bias: Spec | None,
    activation: str,
    negative_slope: float,
) -> tuple[Array | None, Array | None, Array | None]:
    if activation == "leaky_relu" and negative_slope == 0:
        activation = "relu"  # which selects: a slope of 0 times an infinite gradient would be nan
    g, y = (g, out) if g.ndim == 2 else (_rows(B, g), _rows(B, out))
    if needs[2]:
        dz, db = B.act_backward_bias_grad(g, y, activation, negative_slope)
    else:
        dz, db = B.act_backward(g, y, activation, negative_slope), None
    return (*_factors(B, needs, dz, x, weight), db)


def _factors(
    B: Backend, needs: tuple[bool, bool, bool], dz: Array, x: Array, weight: Array
) -> tuple[Array | None, Array | None]:
    """The gradients of x and weight in x @ weight.T, for the gradient `dz` (rows, out) of that."""
    dx = B.matmul(dz, weight) if needs[0] else None
    if dx is not None and dx.shape != x.shape:
        dx = B.reshaped(dx, x.shape)
    return dx, B.matmul(B.transpose(dz), _rows(B, x)) if needs[1] else None


@op(joint=_linear_act_vjp, reads=("out weight", "out x", "out"))
def linear_act(
    B: Backend, x: Array, weight: Array, bias: Array | None, activation: str, negative_slope: float
) -> Array:
    """act(x @ weight.T + bias), of which only the result is kept: the sum before it is never seen."""
    return B.linear_act(x, weight, bias, activation, negative_slope)


# ---------------------------------------------------------------------- outer
@op(
    lambda B, g, _out, _x, y: B.matmul(g, y),
    lambda B, g, _out, x, _y: B.matmul(x, g),
)
def outer(B: Backend, x: Array, y: Array) -> Array:
    """x[:, None] * y[None, :] of two 1-d arrays."""
    return B.multiply(B.reshaped(x, (x.shape[0], 1)), y)


# ---------------------------------------------------------------------- the nuclear norm
def _polar(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """U @ V.T of each matrix U @ diag(s) @ V.T, without the singular values that rounding alone keeps from being 0."""
    if not np.isfinite(x).all():
        raise ArgumentError("norm: the singular values of numbers that are nan or infinite are not defined")
    u, s, vt = np.linalg.svd(x.astype(np.float64), full_matrices=False)
    least = s.max(-1, keepdims=True, initial=0.0) * max(x.shape[-2:]) * np.finfo(x.dtype).eps
    polar: np.ndarray[Any, Any] = np.matmul(u * (s > least)[..., None, :], vt).astype(x.dtype)
    return polar


@op(
    lambda B, g, out, _x: B.multiply(B.reshaped(g, (*g.shape, 1, 1)), out[0]),
    residuals="differentiable",
)
def nuclear_norm(B: Backend, x: Array) -> tuple[Array, Array]:
    """The sums of the singular values of the matrices in the last two dimensions: <x, polar factor of x>, of which the
    polar factor is the gradient too. The host computes it, so there is no gradient of the gradient.
    """
    polar = B.asarray(_polar(B.to_numpy(x)))
    return B.sum(B.multiply(x, polar), axis=(x.ndim - 2, x.ndim - 1)), polar

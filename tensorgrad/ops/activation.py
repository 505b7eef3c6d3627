"""Activations and softmax: each op's gradient stands directly above its forward."""

from __future__ import annotations

from tensorgrad.autograd.op import op
from tensorgrad.backends import Backend
from tensorgrad.backends.primitives import Array
from tensorgrad.ops.layout import in_order

__all__ = [
    "elu",
    "gelu",
    "gelu_tanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
]


# ---------------------------------------------------------------------- piecewise linear and exponential
@op(lambda B, g, out, _x: B.relu_backward(g, out))
def relu(B: Backend, x: Array) -> Array:
    return B.relu(x)


# A slope of zero is not multiplied by: what is below zero has not been chosen.
@op(lambda B, g, _out, x, slope: B.leaky_relu_backward(g, x, slope) if slope else B.relu_backward(g, x))
def leaky_relu(B: Backend, x: Array, slope: float) -> Array:
    return B.leaky_relu(x, slope)


@op(lambda B, g, _out, x, alpha: B.elu_backward(g, x, alpha) if alpha else B.relu_backward(g, x))
def elu(B: Backend, x: Array, alpha: float) -> Array:
    return B.elu(x, alpha)


# ---------------------------------------------------------------------- smooth
@op(lambda B, g, out, _x: B.sigmoid_backward(g, out))
def sigmoid(B: Backend, x: Array) -> Array:
    return B.sigmoid(x)


@op(lambda B, g, _out, x: B.multiply(g, B.sigmoid(B.negative(x))), wide=True)
def logsigmoid(B: Backend, x: Array) -> Array:
    return in_order(B, B.negative(B.softplus(B.negative(x))))


@op(lambda B, g, _out, x: B.silu_backward(g, x))
def silu(B: Backend, x: Array) -> Array:
    return B.silu(x)


def _softplus_vjp(B: Backend, g: Array, _out: Array, x: Array, beta: float, threshold: float) -> Array:
    scaled = B.multiply(x, beta)
    return B.where(B.greater(scaled, threshold), g, B.multiply(g, B.sigmoid(scaled)))


@op(_softplus_vjp, wide=True)
def softplus(B: Backend, x: Array, beta: float, threshold: float) -> Array:
    scaled = B.multiply(x, beta)
    return B.where(B.greater(scaled, threshold), x, B.divide(B.softplus(scaled), beta))


@op(lambda B, g, _out, x: B.gelu_backward(g, x))
def gelu(B: Backend, x: Array) -> Array:
    return B.gelu(x)


@op(lambda B, g, _out, x: B.gelu_tanh_backward(g, x))
def gelu_tanh(B: Backend, x: Array) -> Array:
    return B.gelu_tanh(x)


# ---------------------------------------------------------------------- along an axis, in C order as in PyTorch
@op(lambda B, g, out, _x, axis: B.softmax_backward(g, out, axis=axis))
def softmax(B: Backend, x: Array, axis: int | None) -> Array:
    return in_order(B, B.softmax(x, axis=axis))


@op(lambda B, g, out, _x, axis: B.log_softmax_backward(g, out, axis=axis))
def log_softmax(B: Backend, x: Array, axis: int | None) -> Array:
    return in_order(B, B.log_softmax(x, axis=axis))

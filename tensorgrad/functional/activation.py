"""Activations, softmax and dropout under PyTorch's names. Integers are converted to the default floating
dtype."""

from __future__ import annotations

import math

from tensorgrad.arguments import hinted
from tensorgrad.autograd.tape import apply
from tensorgrad.autograd.variable import Tensor
from tensorgrad.dtypes import as_dtype, bool_, float32
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.functional.arithmetic import tanh
from tensorgrad.functional.dims import normalize_dim
from tensorgrad.functional.promotion import cast, constant, floating, shape_of, unary
from tensorgrad.ops import activation as A
from tensorgrad.ops import elementwise as E
from tensorgrad.ops import random as R
from tensorgrad.random import Generator, default_generator, key_tensor

__all__ = [
    "dropout",
    "elu",
    "gelu",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


def relu(input: Tensor) -> Tensor:
    """max(input, 0); the gradient at 0 is 0. Integers stay integers."""
    return apply(A.relu, input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """input where it is positive, negative_slope * input elsewhere."""
    return apply(A.leaky_relu, floating("leaky_relu", input), slope=float(negative_slope))


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """input where it is positive, alpha * (exp(input) - 1) elsewhere."""
    return apply(A.elu, floating("elu", input), alpha=float(alpha))


@hinted
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """input * P(input) for the standard normal distribution P (Hendrycks & Gimpel, 2016).

    `approximate`: "none", or "tanh" for P(x) = (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2; otherwise
    ArgumentError.
    """
    if approximate == "none":
        return unary(A.gelu, input)
    if approximate == "tanh":
        return unary(A.gelu_tanh, input)
    raise ArgumentError(f'gelu: approximate must be "none" or "tanh", got {approximate!r}')


def silu(input: Tensor) -> Tensor:
    """input * sigmoid(input)."""
    return unary(A.silu, input)


@hinted
def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * input)) / beta; input itself where beta * input > threshold, as in PyTorch."""
    return apply(A.softplus, floating("softplus", input), beta=float(beta), threshold=float(threshold))


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-input))."""
    return unary(A.sigmoid, input)


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(input)), exact also where sigmoid(input) is 0 or 1 after rounding."""
    return unary(A.logsigmoid, input)


@hinted
def softmax(input: Tensor, dim: int | None = None, dtype: object = None) -> Tensor:
    """exp(input) / sum(exp(input)) along `dim`, which must be given; `dtype` converts the input first.

    -inf entries get 0; a row of nothing else is nan. Raises ArgumentError without `dim`, BoundsError where it
    is none of the tensor's, DTypeError for a `dtype` that is not floating.
    """
    return apply(A.softmax, _in_dtype("softmax", input, dtype), axis=_axis("softmax", input, dim))


@hinted
def log_softmax(input: Tensor, dim: int | None = None, dtype: object = None) -> Tensor:
    """input - log(sum(exp(input))) along `dim`: the logarithm of `softmax`, exact where that rounds to 0.

    Arguments and errors as for `softmax`.
    """
    return apply(A.log_softmax, _in_dtype("log_softmax", input, dtype), axis=_axis("log_softmax", input, dim))


@hinted
def dropout(input: Tensor, p: float = 0.5, training: bool = True, *, generator: Generator | None = None) -> Tensor:
    """In training, each element is 0 with probability `p` and otherwise input / (1 - p); else input itself.

    Numbers come from `generator`, or the default one of the input's device; none are drawn for p = 0 and p =
    1. Raises ArgumentError where `p` is not in [0, 1]. (Srivastava et al., "Dropout", JMLR 15, 2014.)
    """
    shape_of("dropout", input)
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p must be in [0, 1], got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        nothing = constant(0, input.dtype, input.device)
        return apply(E.where, constant(False, bool_, input.device), input, nothing)
    input = floating("dropout", input)
    source = default_generator(input.device) if generator is None else generator
    blocks = input.device.backend.random_blocks(math.prod(input.shape), float32)
    return apply(R.dropout, input, key_tensor(source, blocks), p=float(p))


def _axis(name: str, input: Tensor, dim: int | None) -> int | None:
    if dim is None:
        raise ArgumentError(f"{name}: dim must be given; the classes are usually on dim=-1")
    axis = normalize_dim(name, dim, len(shape_of(name, input)))
    return axis if input.ndim else None


def _in_dtype(name: str, input: Tensor, dtype: object) -> Tensor:
    if dtype is None:
        return floating(name, input)
    wanted = as_dtype(dtype)
    if wanted.kind != "f":
        raise DTypeError(f"{name}: dtype must be a floating one, got {wanted}")
    shape_of(name, input)
    return cast(input, wanted)


class ActivationMethods:
    """Tensor's methods among these."""

    __slots__ = ()
    relu = relu
    sigmoid = sigmoid
    softmax = softmax
    log_softmax = log_softmax

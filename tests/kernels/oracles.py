"""What the kernels compute, by the compositions: for the tests of the kernels here and in bench.gpu."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.composition import COMPOSITION as B

__all__ = ["ALPHA", "BACKWARD", "FORWARD", "NORMAL_ERRORS", "losses_of", "probabilities_of"]

Array = Any
ALPHA = 0.1  # of leaky_relu

FORWARD: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: B.maximum(x, 0),
    "leaky_relu": lambda x: B.where(B.greater(x, 0), x, B.multiply(x, ALPHA)),
    "sigmoid": B.sigmoid,
    "tanh": B.tanh,
    "silu": B.silu,
    "gelu": B.gelu,
    "gelu_tanh": B.gelu_tanh,
}
# Of the gradient and what the forward pass saves.
BACKWARD: dict[str, Callable[[Array, Array], Array]] = {
    "relu": B.relu_backward,
    "leaky_relu": lambda g, x: B.where(B.greater(x, 0), g, B.multiply(g, ALPHA)),
    "sigmoid": B.sigmoid_backward,
    "tanh": lambda g, y: B.multiply(g, B.subtract(1, B.square(y))),
    "silu": B.silu_backward,
    "gelu": B.gelu_backward,
    "gelu_tanh": B.gelu_tanh_backward,
}
# How far normal numbers may be from the composition's: logarithm, sine and cosine are the device's own.
NORMAL_ERRORS = {"float64": 4e-15, "float32": 2e-6, "float16": 2e-3}


def losses_of(x: Array, labels: Array) -> Array:
    return B.softmax_cross_entropy(x, labels)[0]


def probabilities_of(x: Array, labels: Array) -> Array:
    return B.softmax_cross_entropy(x, labels)[1]

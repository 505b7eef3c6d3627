"""Initialization: every function fills a tensor in place, without a gradient, and returns it.

fan_in and fan_out of a weight (out, in, ...) are in and out, times the product of the dimensions behind them.
All random functions take `generator=None`: the default generator of the tensor's device.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tensorgrad import random
from tensorgrad.arguments import hinted
from tensorgrad.autograd.modes import no_grad
from tensorgrad.errors import ArgumentError, ShapeError
from tensorgrad.names import listing
from tensorgrad.random import Generator
from tensorgrad.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "lecun_normal_",
    "lecun_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)

_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "selu": 0.75,
    **{f"conv{kind}{n}d": 1.0 for kind in ("", "_transpose") for n in (1, 2, 3)},
}


@hinted
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps the variance through `nonlinearity`; `param` is the negative slope of leaky_relu
    (0.01).

    PyTorch's values: 1 for linear, identity, sigmoid and the convolutions (conv1d to conv3d, conv_transpose1d to
    conv_transpose3d), 5/3 for tanh, sqrt(2) for relu, sqrt(2 / (1 + slope^2)) for leaky_relu, 3/4 for selu. Raises
    ArgumentError for any other name, and for a slope that is not a number.
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ArgumentError(f"calculate_gain: the negative slope of leaky_relu must be a number, got {param!r}")
        return math.sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        names = ", ".join(repr(name) for name in (*_GAINS, "leaky_relu"))
        raise ArgumentError(f"calculate_gain: nonlinearity must be one of {names}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


@hinted
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(a, b)."""
    with no_grad():
        return random.uniform_(tensor, a, b, generator=generator)


@hinted
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(mean, std^2)."""
    with no_grad():
        return random.normal_(tensor, mean, std, generator=generator)


@hinted
def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere."""
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


@hinted
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-k, k) with k = gain * sqrt(6 / (fan_in + fan_out)). Glorot & Bengio, 2010; for tanh and sigmoid."""
    return _uniform_of_std(tensor, gain * math.sqrt(2.0 / _positive(sum(_fans(tensor, "xavier_uniform_")))), generator)


@hinted
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, std^2) with std = gain * sqrt(2 / (fan_in + fan_out)). Glorot & Bengio, 2010."""
    std = gain * math.sqrt(2.0 / _positive(sum(_fans(tensor, "xavier_normal_"))))
    return normal_(tensor, 0.0, std, generator)


@hinted
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """U(-k, k) with k = gain * sqrt(3 / fan): He initialization, for relu and its kin.

    The gain is that of `nonlinearity`, with `a` as the negative slope of leaky_relu; fan is that of `mode`,
    "fan_in" (keeps the variance of the activations) or "fan_out" (of the gradients). He et al., 2015.
    """
    return _uniform_of_std(tensor, _he_std(tensor, a, mode, nonlinearity, "kaiming_uniform_"), generator)


@hinted
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """N(0, std^2) with std = gain / sqrt(fan); arguments as for `kaiming_uniform_`. He et al., 2015."""
    return normal_(tensor, 0.0, _he_std(tensor, a, mode, nonlinearity, "kaiming_normal_"), generator)


@hinted
def lecun_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """U(-k, k) with k = gain * sqrt(3 / fan_in). LeCun et al., "Efficient backprop", 1998."""
    return _uniform_of_std(tensor, gain / math.sqrt(_positive(_fans(tensor, "lecun_uniform_")[0])), generator)


@hinted
def lecun_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """N(0, std^2) with std = gain / sqrt(fan_in). LeCun et al., "Efficient backprop", 1998."""
    return normal_(tensor, 0.0, gain / math.sqrt(_positive(_fans(tensor, "lecun_normal_")[0])), generator)


def _he_std(tensor: Tensor, a: float, mode: str, nonlinearity: str, name: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name}: mode must be 'fan_in' or 'fan_out', got {mode!r}")
    fan = _fans(tensor, name)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(_positive(fan))


def _fans(tensor: Tensor, name: str) -> tuple[int, int]:
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: expected a weight of at least two dimensions (out, in), got shape {tensor.shape}; "
            "biases are usually set with zeros_ or uniform_"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _positive(fan: int) -> int:
    return max(fan, 1)  # a tensor without elements has nothing to fill


def _uniform_of_std(tensor: Tensor, std: float, generator: Generator | None) -> Tensor:
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)

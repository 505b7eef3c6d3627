"""Which neighbours in a chain of modules run as one operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tensorgrad.nn.activation import GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Tanh
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["fused"]

_NAMES: dict[type, str] = {
    ReLU: "relu", LeakyReLU: "leaky_relu", Sigmoid: "sigmoid", Tanh: "tanh", GELU: "gelu", SiLU: "silu"
}  # fmt: skip


def fused(layer: Module, following: Module | None) -> Callable[[Tensor], Tensor] | None:
    """What does the work of a Linear and of the activation after it; None where that cannot be one operation.

    It cannot where somebody would notice: subclasses, hooks, and a forward of the instance's own see what lies between
    the two.
    """
    name = _NAMES.get(type(following))
    if name is None or type(layer) is not Linear or _is_changed(layer) or _is_changed(following):
        return None
    if isinstance(following, LeakyReLU):
        slope = following.negative_slope
        return partial(layer.with_activation, activation=name, negative_slope=slope) if slope >= 0 else None
    if isinstance(following, GELU) and following.approximate == "tanh":
        name = "gelu_tanh"
    return partial(layer.with_activation, activation=name)


def _is_changed(module: Module | None) -> bool:
    return module is None or bool(module._hooks) or "forward" in module.__dict__

"""The multilayer perceptron in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.nn import activation as activations
from tensorgrad.nn.container import Sequential
from tensorgrad.nn.dropout import Dropout
from tensorgrad.nn.linear import Identity, Linear
from tensorgrad.nn.module import Module

__all__ = ["ACTIVATIONS", "MLP"]

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": activations.ReLU,
    "leaky_relu": activations.LeakyReLU,
    "elu": activations.ELU,
    "gelu": activations.GELU,
    "silu": activations.SiLU,
    "sigmoid": activations.Sigmoid,
    "tanh": activations.Tanh,
    "softplus": activations.Softplus,
    "identity": Identity,
}


class MLP(Sequential):
    """Linear layers of the given sizes with an activation, and then dropout, after each but the last.

    `MLP([784, 256, 10])` is `Sequential(Linear(784, 256), ReLU(), Linear(256, 10))`, with the same keys in
    its `state_dict`: "0.weight", "0.bias", "2.weight", "2.bias". With `dropout` above zero a Dropout follows
    each activation and counts in the keys. `activation` is one of the names in `ACTIVATIONS`, or a function
    that makes a module, such as `nn.ReLU` or `lambda: nn.LeakyReLU(0.2)`; a module, which all layers would share, is a
    DTypeError. The layers keep Linear's default initialization whatever the activation; `nn.init` has others. Input
    (..., sizes[0]), output (..., sizes[-1]).
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Callable[[], Module] = "relu",
        dropout: float = 0.0,
        *,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if not isinstance(sizes, Iterable):
            given = [size for size in (sizes, activation, dropout) if isinstance(size, int)]
            raise ArgumentError(f"MLP: sizes must be a list, got {sizes!r}; pass a list: MLP({given})")
        sizes = tuple(sizes)
        if len(sizes) < 2:
            raise ArgumentError(f"MLP: needs at least two sizes, those of the input and of the output, got {sizes}")
        make = _activation(activation)
        layers: list[Module] = []
        for before, after in pairwise(sizes):
            if layers:
                layers += [make(), Dropout(dropout)] if dropout else [make()]
            layers.append(Linear(before, after, bias=bias, device=device, dtype=dtype))
        super().__init__(*layers)


def _activation(activation: str | Callable[[], Module]) -> Callable[[], Module]:
    if isinstance(activation, Module):
        kind = type(activation).__name__
        raise DTypeError(
            "MLP: activation must be a name, a Module class or a function that makes a module, got an instance of "
            f"{kind}; every layer gets its own: pass {kind}, or lambda: {kind}(...)"
        )
    if callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        names = ", ".join(repr(name) for name in ACTIVATIONS)
        raise ArgumentError(f"MLP: activation must be one of {names}, or a Module class, got {activation!r}")
    return ACTIVATIONS[activation]

"""The affine layer, and the layers that compute nothing."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from tensorgrad.creation import empty
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError, TensorgradError
from tensorgrad.functional.dims import as_integer
from tensorgrad.functional.linalg import linear, linear_act
from tensorgrad.functional.promotion import shape_of
from tensorgrad.functional.shape import flatten, unflatten
from tensorgrad.nn import init
from tensorgrad.nn.module import Module
from tensorgrad.nn.parameter import Parameter
from tensorgrad.tensor import Tensor

__all__ = ["Flatten", "Identity", "Linear", "Unflatten"]


class Linear(Module):
    """y = x @ weight.T + bias.

    Input (..., in_features), output (..., out_features); `weight` is (out_features, in_features), `bias`
    (out_features,), both drawn from U(-k, k) with k = 1 / sqrt(in_features), PyTorch's default.
    Raises ShapeError where the input's last dimension is not `in_features`.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = _checked_count("in_features", in_features)
        self.out_features = _checked_count("out_features", out_features)
        self.weight = Parameter(empty(self.out_features, self.in_features, device=device, dtype=dtype))
        self.register_parameter(
            "bias", Parameter(empty(self.out_features, device=device, dtype=dtype)) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        bound = 1.0 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)."""
        self._check(input)
        return linear(input, self.weight, self.bias)

    def with_activation(self, input: Tensor, activation: str, negative_slope: float = 0.01) -> Tensor:
        """act(self(input)) in one operation, for the activations of `functional.linear_act`; hooks are not called.

        On CUDA Sequential and MLP ask for it by themselves where ReLU, Sigmoid or Tanh follows and nobody looks in
        between.
        """
        try:
            self._check(input)
            return linear_act(input, self.weight, self.bias, activation, negative_slope)
        except TensorgradError as error:
            error.enter(self)
            raise

    def _check(self, input: Tensor) -> None:
        shape = shape_of("Linear", input)
        if not shape or shape[-1] != self.in_features:
            got = shape[-1] if shape else "a 0-d tensor"
            raise ShapeError(f"expected in_features={self.in_features}, got {got} (input shape {shape})")

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


def _checked_count(name: str, count: Any) -> int:
    if not hasattr(count, "__index__") or operator.index(count) < 0:
        raise ArgumentError(f"Linear: {name} must be an integer that is not negative, got {count!r}")
    return operator.index(count)


class Identity(Module):
    """y = x. Takes any arguments, as a placeholder for a layer that had some."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """The input itself."""
        return input


class Flatten(Module):
    """Merges the dimensions `start_dim` to `end_dim`, both included: by default all but the first."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        """(n, a, b, ...) -> (n, a * b * ...) with the defaults."""
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Divides the dimension `dim` into several of the sizes `unflattened_size`, one of which may be -1."""

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, (tuple, list)):
            raise DTypeError(f"Unflatten: unflattened_size must be a tuple of sizes, got {unflattened_size!r}")
        self.dim = as_integer("Unflatten", dim)
        self.unflattened_size = tuple([as_integer("Unflatten", n) for n in unflattened_size])

    def forward(self, input: Tensor) -> Tensor:
        """(..., a * b, ...) -> (..., a, b, ...)."""
        return unflatten(input, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"

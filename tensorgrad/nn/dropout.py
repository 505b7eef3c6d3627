"""Dropout."""

from __future__ import annotations

from tensorgrad.errors import ArgumentError
from tensorgrad.functional.activation import dropout
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, zeroes each element with probability `p` and scales the others by 1 / (1 - p); else y = x.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014. Numbers come
    from the default generator of the input's device. With `inplace` the result is written into the input. Raises
    ArgumentError where `p` is not in [0, 1].
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ArgumentError(f"Dropout: p must be in [0, 1], got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Any shape, kept."""
        result = dropout(input, self.p, self.training)
        return input.copy_(result) if self.inplace and self.training else result

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"

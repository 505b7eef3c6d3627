"""Random numbers written into a tensor: Tensor's `uniform_`, `normal_` and `bernoulli_`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.inplace import assign, check_writable
from tensorgrad.autograd.variable import Tensor
from tensorgrad.dtypes import is_floating
from tensorgrad.errors import DTypeError
from tensorgrad.host_data import number
from tensorgrad.random.distributions import bernoulli, normal, uniform
from tensorgrad.random.generator import Generator

__all__ = ["bernoulli_", "normal_", "uniform_"]


def uniform_(
    self: Tensor, low: Tensor | float = 0.0, high: Tensor | float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Write numbers uniform in [low, high) into the tensor, which must be floating. Returns it."""
    return _drawn(self, "uniform_", lambda how: uniform(low, high, self.shape, generator=generator, **how))


def normal_(
    self: Tensor, mean: Tensor | float = 0.0, std: Tensor | float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Write normal numbers with this mean and standard deviation into the tensor. Returns it."""
    mean, std = (number("normal_", n) for n in (mean, std))
    return _drawn(self, "normal_", lambda how: normal(mean, std, self.shape, generator=generator, **how))


def bernoulli_(self: Tensor, p: Tensor | float = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Write 1 with probability `p`, a number or a Tensor that broadcasts, else 0, into each element. Returns the
    tensor. Errors as `bernoulli`."""
    check_writable(self, "bernoulli_")
    assign(self, bernoulli(self, p, generator=generator), "bernoulli_")
    return self


def _drawn(self: Tensor, name: str, draw: Callable[[dict[str, Any]], Tensor]) -> Tensor:
    check_writable(self, name)
    if not is_floating(self.dtype):
        raise DTypeError(f"{name}: expected a floating tensor, got {self.dtype}")
    assign(self, draw({"dtype": self.dtype, "device": self.device}), name)
    return self

"""Features (or numeric targets) brought to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Mapping

from tensorgrad.creation import ones_like
from tensorgrad.errors import ShapeError
from tensorgrad.functional.arithmetic import where
from tensorgrad.tensor import Tensor

__all__ = ["Standardizer"]


class Standardizer:
    """`transform(x) = (x - mean) / std`, column by column; `inverse` undoes it.

    `mean` and `std` have shape (features,). Computed with them in float64, returned in the dtype of `x`. Fit
    it on the training part only: the other parts must not leak into it.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean = mean.double()
        self.std = std.double()

    @classmethod
    def fit(cls, x: Tensor, alike: bool = False) -> Standardizer:
        """From the columns of `x`, shape (n, features), n >= 1. A constant column keeps its scale (std 1).

        `alike`: one mean and one deviation over all columns, for features of one kind such as pixels, where
        small variation means little information rather than a small unit.
        """
        if x.ndim != 2 or x.shape[0] == 0:
            raise ShapeError(f"Standardizer.fit: needs samples of shape (n, features) with n >= 1, got {x.shape}")
        wide = x.detach().double()
        if alike:
            return cls(wide.mean().expand(x.shape[1:]), _or_one(wide.std(correction=0)).expand(x.shape[1:]))
        return cls(wide.mean(0), _or_one(wide.std(0, correction=0)))

    def transform(self, x: Tensor) -> Tensor:
        """`(x - mean) / std`, shape and dtype of `x`."""
        return ((x.double() - self.mean) / self.std).to(dtype=x.dtype)

    def inverse(self, z: Tensor) -> Tensor:
        """`z * std + mean`, shape and dtype of `z`."""
        return (z.double() * self.std + self.mean).to(dtype=z.dtype)

    def state_dict(self) -> dict[str, Tensor]:
        """`{"mean": ..., "std": ...}`, float64."""
        return {"mean": self.mean, "std": self.std}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Tensor]) -> Standardizer:
        """The scaler that `state_dict` described."""
        return cls(state["mean"], state["std"])


def _or_one(std: Tensor) -> Tensor:
    return where(std > 0, std, ones_like(std))

"""Features (or numeric targets) brought to mean 0 and standard deviation 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tensorgrad.arguments import hinted
from tensorgrad.creation import as_tensor, ones_like, zeros
from tensorgrad.data.table import Array
from tensorgrad.dtypes import get_default_dtype, is_floating
from tensorgrad.errors import NonFiniteError, ShapeError
from tensorgrad.functional.choosing import where
from tensorgrad.functional.comparison import isfinite
from tensorgrad.tensor import Tensor

__all__ = ["Standardizer"]


class Standardizer:
    """`transform(x) = (x - mean) / std`, column by column; `inverse` undoes it.

    `mean` and `std` have shape (features,). Computed with them in float64, returned in the dtype of `x`, or in the
    default floating dtype where `x` holds integers. Fit it on the training part only: the other parts must not leak
    into it.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        self.mean = mean.double()
        self.std = std.double()

    @classmethod
    @hinted
    def fit(cls, x: Tensor | Array, alike: bool = False, skip: Sequence[int] = ()) -> Standardizer:
        """From the columns of `x`, shape (n, features), n >= 1. A constant column, one whose values are all equal,
        has its value for mean and keeps its scale (std 1).

        `alike`: one mean and one deviation over all columns, for features of one kind such as pixels, where
        small variation means little information rather than a small unit. `skip`: columns to leave as they are (mean 0,
        std 1), such as indicators.

        Raises: ShapeError for other shapes; NonFiniteError, naming the column, for nan and infinities (fill missing
        values with an Imputer first) and for values that lie too far apart for float64.
        """
        x = as_tensor(x)
        if x.ndim != 2 or x.shape[0] == 0:
            raise ShapeError(f"Standardizer.fit: needs samples of shape (n, features) with n >= 1, got {x.shape}")
        wide = x.detach().double()
        mean, std = _moments(wide.reshape(-1, 1) if alike else wide)
        mean, std = mean.expand(x.shape[1:]), std.expand(x.shape[1:])
        _check_finite(wide, mean + std)
        if len(skip):
            skipped = zeros(x.shape[1], dtype=bool, device=x.device)
            skipped[list(skip)] = True
            mean, std = where(skipped, 0.0, mean), where(skipped, 1.0, std)
        return cls(mean, std)

    def transform(self, x: Tensor | Array) -> Tensor:
        """`(x - mean) / std`, shape of `x`."""
        x = as_tensor(x)
        return ((x.double() - self.mean) / self.std).to(dtype=_kind(x))

    def inverse(self, z: Tensor | Array) -> Tensor:
        """`z * std + mean`, shape of `z`."""
        z = as_tensor(z)
        return (z.double() * self.std + self.mean).to(dtype=_kind(z))

    def state_dict(self) -> dict[str, Tensor]:
        """`{"mean": ..., "std": ...}`, float64."""
        return {"mean": self.mean, "std": self.std}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Tensor]) -> Standardizer:
        """The scaler that `state_dict` described."""
        return cls(state["mean"], state["std"])


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Means and deviations of the columns. Of what is left after subtracting the first row and dividing by the largest
    of it: nothing is left of a constant, little is lost of what varies around a large number, and no square overflows.
    """
    first = x[0]
    left = x - first
    reach = left.abs().amax(0)
    constant = reach == 0
    reach = where(constant, ones_like(reach), reach)
    left = left / reach
    mean = left.mean(0)
    std = (left - mean).square().mean(0).sqrt()
    return first + mean * reach, where(constant, ones_like(std), std * reach)


def _check_finite(x: Tensor, moments: Tensor) -> None:
    found = isfinite(moments)
    if found.all().item():
        return
    held = isfinite(x).all(0).tolist()
    column = held.index(False) if False in held else found.tolist().index(False)
    problem = "its values lie too far apart for float64" if all(held) else "it holds nan or infinities"
    raise NonFiniteError(
        f"Standardizer.fit: column {column} has no finite mean and deviation: {problem}; "
        "fill missing values with tg.data.Imputer first, or leave the column out"
    )


def _kind(x: Tensor) -> object:
    return x.dtype if is_floating(x.dtype) else get_default_dtype()

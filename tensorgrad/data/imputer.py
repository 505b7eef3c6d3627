"""Missing values, which are nan, filled in with what is usual in their column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.creation import as_tensor, tensor
from tensorgrad.data.table import Array
from tensorgrad.errors import ArgumentError, DTypeError, NonFiniteError, ShapeError
from tensorgrad.functional.choosing import where
from tensorgrad.functional.comparison import isnan
from tensorgrad.tensor import Tensor

__all__ = ["Imputer", "Strategy"]

Strategy = Literal["mean", "median"]


class Imputer:
    """`transform(x)` puts `fill[j]` where `x[:, j]` is nan, as scikit-learn's SimpleImputer does.

    `fill` has shape (features,), float64. Fit it on the training part only: the other parts must not leak into it. Of
    the indicators of a one-hot column the means are the shares of its texts; they add up to 1.
    """

    def __init__(self, fill: Tensor) -> None:
        self.fill = fill.double()

    @classmethod
    @hinted
    def fit(cls, x: Tensor | Array, strategy: Strategy = "mean") -> Imputer:
        """The mean or median of the values that each column of `x`, shape (n, features), has.

        Raises: ArgumentError for another strategy; ShapeError for another shape; DTypeError for integers; ArgumentError
        for a column without values, NonFiniteError for one with infinities, both naming the column.
        """
        if strategy not in get_args(Strategy):
            raise ArgumentError(f"Imputer.fit: strategy must be mean or median, got {strategy!r}")
        x = as_tensor(x)
        if x.ndim != 2 or x.shape[0] == 0:
            raise ShapeError(f"Imputer.fit: needs samples of shape (n, features) with n >= 1, got {x.shape}")
        _check_floats("fit", x)
        values = x.detach().cpu().double().numpy()
        empty, infinite = np.isnan(values).all(axis=0), np.isinf(values).any(axis=0)
        if empty.any():
            raise ArgumentError(
                f"Imputer.fit: column {int(np.argmax(empty))} has no values to take a {strategy} of; leave it out"
            )
        if infinite.any():
            raise NonFiniteError(f"Imputer.fit: column {int(np.argmax(infinite))} holds infinities; leave it out")
        usual = np.nanmean if strategy == "mean" else np.nanmedian
        # In units of a power of two near the column's largest number: exact, and no sum overflows.
        unit = np.ldexp(1.0, np.frexp(np.nanmax(np.abs(values), axis=0))[1] - 1)
        return cls(tensor(usual(values / unit, axis=0) * unit, device=x.device))

    def transform(self, x: Tensor | Array) -> Tensor:
        """`x` with its nan filled in, same shape and dtype."""
        x = as_tensor(x)
        _check_floats("transform", x)
        return where(isnan(x), self.fill.to(dtype=x.dtype), x)

    def state_dict(self) -> dict[str, Tensor]:
        """`{"fill": ...}`, float64."""
        return {"fill": self.fill}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Tensor]) -> Imputer:
        """The imputer that `state_dict` described."""
        return cls(state["fill"])


def _check_floats(name: str, x: Tensor) -> None:
    if x.dtype.kind != "f":
        raise DTypeError(f"Imputer.{name}: missing values are nan, which {x.dtype} does not have; use .double()")

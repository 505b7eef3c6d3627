"""Whether numbers survive in a narrower dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["first_unheld"]

Array = np.ndarray[Any, np.dtype[Any]]

# Of a standard deviation. A network cannot tell; identifiers and times in seconds move by far more.
_MOVED = 1e-3
_COUNTED = 2.0**53  # from there on every float64 is whole


def first_unheld(values: Array, narrow: Array) -> tuple[int, int] | None:
    """Row and column of the first number of `values`, shape (n, columns), that `narrow`, the same in another dtype,
    does not hold well enough to learn from; nan is held.

    Whole numbers below 2^53, in a column of such, must be equal. Others may move by a thousandth of the deviation of
    their column, or, where it is constant, by the rounding of the dtype.
    """
    wrong = [
        (int(row), column)
        for column in np.flatnonzero((narrow != values).any(axis=0)).tolist()
        for row in np.flatnonzero(_unheld(values[:, column], narrow[:, column]))[:1]
    ]
    return min(wrong, default=None)


def _unheld(values: Array, narrow: Array) -> Array:
    moved, present = np.abs(narrow - values), values[~np.isnan(values)]
    if len(present) == 0:
        return np.zeros(len(values), dtype=bool)
    if np.abs(present).max() < _COUNTED and np.array_equal(present, np.floor(present)):
        allowed = 0.0
    elif present.max() == present.min():
        allowed = float(np.abs(present[0]) * np.finfo(narrow.dtype).eps)
    else:
        scale = np.abs(present).max()  # so that no square overflows
        allowed = float(_MOVED * scale * (present / scale).std())
    wrong: Array = ~(moved <= allowed) & ~np.isnan(values)
    return wrong

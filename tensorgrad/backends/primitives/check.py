"""Checks of what arrays hold: the composite primitives, and what every device says where one fails.

A device may let the error come late, at the next wait of the host (see `cuda/errors.py`); the text is the same.
"""

from __future__ import annotations

import numpy as np

from tensorgrad.backends.primitives.basic import Array, Primitives
from tensorgrad.errors import ArgumentError, BoundsError, DivisionByZeroError, NonFiniteError

__all__ = ["CheckPrimitives", "is_zero", "not_finite", "out_of_bounds", "out_of_range", "place"]


class CheckPrimitives(Primitives, composes=True):
    """Default compositions out of basic primitives, which read the values back."""

    def check_range(self, x: Array, low: float, high: float, /, *, what: str, hint: str = "") -> None:
        """ArgumentError (for nan NonFiniteError) unless every element of the floating `x` lies in [low, high].

        It names `what`, the first offender and its position, and ends in `hint`. The bounds are numbers of x's dtype.
        """
        found = _first_outside(self, x, low, high)
        if found is not None:
            raise out_of_range(what, low, high, *found, hint)

    def check_finite(self, x: Array, /, *, what: str, hint: str = "") -> None:
        """NonFiniteError where an element of the floating `x` is nan or infinite, as `check_range` raises it."""
        greatest = float(np.finfo(x.dtype).max)
        found = _first_outside(self, x, -greatest, greatest)
        if found is not None:
            raise not_finite(what, *found, hint)

    def check_nonzero(self, x: Array, /, *, what: str, hint: str = "") -> None:
        """DivisionByZeroError where an element of the integers `x` is 0; it names the first one, as `check_range`."""
        if 0 in x.shape or self.to_numpy(self.all(x)):
            return
        first = np.argwhere(self.to_numpy(x) == 0)[0]
        raise is_zero(what, place(tuple(int(i) for i in first)), hint)


def _first_outside(B: Primitives, x: Array, low: float, high: float) -> tuple[float, str] | None:
    """The first element outside [low, high] and its place, or None: then two numbers are all that is read back."""
    if 0 in x.shape or (B.to_numpy(B.min(x)) >= low and B.to_numpy(B.max(x)) <= high):
        return None
    values = B.to_numpy(x)
    where = tuple(int(i) for i in np.argwhere(~((values >= low) & (values <= high)))[0])
    return values[where], place(where)


# ---------------------------------------------------------------------- what is said
def place(where: tuple[int, ...]) -> str:
    """The end of a message about the element at a position; nothing where there are no dimensions."""
    return f" at position {where[0] if len(where) == 1 else where}" if where else ""


def out_of_bounds(what: str, low: int, high: int, value: int, where: str) -> BoundsError:
    return BoundsError(f"{what} must be in [{low}, {high}), got {value}{where}")


def out_of_range(what: str, low: float, high: float, value: float, where: str, hint: str) -> ArgumentError:
    """`value` is a NumPy scalar of the array's dtype: as a string it has the digits that the dtype takes."""
    kind = ArgumentError if value == value else NonFiniteError
    return kind(f"{what} must be in [{low:g}, {high:g}], got {value!s}{where}{hint}")


def not_finite(what: str, value: float, where: str, hint: str) -> NonFiniteError:
    return NonFiniteError(f"{what} is {value}{where}{hint}")


def is_zero(what: str, where: str, hint: str) -> DivisionByZeroError:
    return DivisionByZeroError(f"{what} is 0{where}{hint}")

"""What a cell says: nothing, a number, or text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal

import numpy as np

from tensorgrad.data.table import Array

__all__ = ["Mark", "exact", "guess_mark", "is_finite", "is_missing", "is_number", "looks_numeric", "numbers"]

Mark = Literal[".", ","]  # what stands before the fraction of a number

_MISSING = {"", "na", "n/a", "n.a.", "nan", "null", "none", "?", "-", ".", "#n/a", "#na", "<na>"}
_LONGEST = max(map(len, _MISSING))
_NUMBER = {
    mark: re.compile(rf"[+-]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][+-]?\d+)?", re.ASCII)
    for mark in (".", ",")
}
_INFINITE = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
# Digits with the separators, signs and units of prices and percentages around them.
_NUMERIC = re.compile(r"[+-]?[\s$€£¥%]*[+-]?\d[\d.,'_\s]*+[\s$€£¥%]*")


def is_missing(cell: str) -> bool:
    """Whether it stands for no value: an empty cell, NA, nan, null, none, ?, - and their like."""
    return len(cell) <= _LONGEST and cell.lower() in _MISSING


def is_finite(cell: str, mark: Mark) -> bool:
    """Whether it is a number that float64 holds."""
    return _NUMBER[mark].fullmatch(cell) is not None and bool(np.isfinite(float(cell.replace(mark, "."))))


def is_number(cell: str, mark: Mark) -> bool:
    """Whether it is written as a number, be it infinite."""
    return _NUMBER[mark].fullmatch(cell) is not None or _INFINITE.fullmatch(cell) is not None


def looks_numeric(cell: str) -> bool:
    """Whether a cell that is not written as a number is one for people: 1.234,50 or 12 % or 1 000."""
    return _NUMERIC.fullmatch(cell) is not None


def exact(cell: str, mark: Mark) -> Decimal:
    """The number that a cell is, to the last digit."""
    text = cell.replace(mark, ".")
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent without bounds: float64 has made 0 of it, or it would be infinite
        return Decimal(float(text))


def numbers(cells: Sequence[str], mark: Mark) -> Array | None:
    """The cells as float64, or None where one of them is no finite number."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii() or (mark == "," and "." in joined):
        return None  # Python's way of writing numbers takes more than ours: 1_000
    try:
        values: Array = np.array([c.replace(",", ".") for c in cells] if mark == "," else cells, dtype=np.float64)
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None


def guess_mark(columns: Iterable[Sequence[str]]) -> tuple[Mark, str | None]:
    """What stands before fractions, and a cell that leaves it open.

    A comma, where in one of the columns most cells are numbers that way and not the other. If each of them could as
    well be a whole number with its thousands marked (1,234), one of them is returned, else None.
    """
    doubtful: str | None = None
    for cells in columns:
        present = [cell for cell in cells if not is_missing(cell)]
        with_comma = [cell for cell in present if "," in cell and _NUMBER[","].fullmatch(cell)]
        whole = sum(cell.lstrip("+-").isdigit() for cell in present)
        if with_comma and 2 * (len(with_comma) + whole) >= len(present):
            if not all(_THOUSANDS.fullmatch(cell) for cell in with_comma):
                return ",", None
            doubtful = doubtful or with_comma[0]
    return ".", doubtful

"""From columns of text to features: numbers as they are, texts as one indicator for each that there is."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tensorgrad.data.table import Array, listed
from tensorgrad.data.text.cells import exact, is_finite, is_missing, is_number, looks_numeric, numbers
from tensorgrad.data.text.grid import Grid
from tensorgrad.errors import FormatError

__all__ = ["Features", "Unknown", "encode", "find_levels", "is_text", "number_column", "ordered", "refuse_units"]

Unknown = Literal["error", "ignore"]
Holes = Mapping[str, Sequence[int]]  # the rows in which a column has no value
Levels = Mapping[str, Sequence[str]]  # the texts of a column that is one-hot

_MARKS = {".": "point", ",": "comma"}
_MOST_LEVELS = 256
_FEW_LEVELS = 20
_MOST_INDICATORS = 2**28  # 2 GiB of them
_WHOLE_IN_FLOAT64 = 2.0**53


@dataclass(frozen=True)
class Features:
    """`values`: float64 of shape (n, features), nan where a cell is missing. `sources[j]`: the column that feature j
    comes from.
    """

    values: Array
    names: tuple[str, ...]
    sources: tuple[str, ...]


def find_levels(grid: Grid, columns: Sequence[str], categorical: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The levels of each column that is one-hot: in `categorical`, or with values of which none is a number.

    Raises FormatError for numbers with units or thousands marked, and where a column that nobody has called
    categorical has so many texts that it is rather a name, a date or a number of its own for every sample.
    """
    found = {}
    for name in columns:
        if name in categorical:
            found[name] = ordered(_present(grid, name), grid)
            _check_size(grid, name, len(found[name]))
        elif is_text(grid, name):
            refuse_units(grid, name)
            found[name] = ordered(_present(grid, name), grid)
            _check_count(grid, name, len(found[name]))
    return found


def encode(grid: Grid, columns: Sequence[str], holes: Holes, levels: Levels, unknown: Unknown) -> Features:
    """The features of `columns`, those in `levels` as indicators. A text that is no level is an error, or, with
    `unknown="ignore"`, sets none of them; a missing one leaves all of them missing.
    """
    parts, names, sources = [], [], []
    for name in columns:
        if name in levels:
            parts.append(_indicators(grid, name, levels[name], holes[name], unknown))
            names += [f"{name}={level}" for level in levels[name]]
        else:
            parts.append(number_column(grid, name, holes[name])[:, None])
            names.append(name)
        sources += [name] * parts[-1].shape[1]
    return Features(np.concatenate(parts, axis=1), tuple(names), tuple(sources))


def number_column(grid: Grid, name: str, holes: Sequence[int]) -> Array:
    """One column as float64. Fast where all is well; only then looks for the cell to blame."""
    cells = grid.cells(name)
    for i in holes:
        cells[i] = "0"
    values = numbers(cells, grid.mark) if holes else grid.numbers(name)
    if values is None:
        raise _number_fault(grid, name, next(i for i, cell in enumerate(cells) if not is_finite(cell, grid.mark)))
    for i in np.flatnonzero(np.abs(values) >= _WHOLE_IN_FLOAT64).tolist():
        if cells[i].lstrip("+-").isdigit() and exact(cells[i], grid.mark) != int(values[i]):
            remedy = "" if grid.fixed else f"; {_leave_out(name)}, or take it for a name: {_categorical(name)}"
            raise FormatError(
                f"read_csv: {grid.path}, line {grid.lines[i]}, column {name!r}: a number of 64 bits cannot hold "
                f"{cells[i]} to its last digit{remedy}"
            )
    if holes:
        values[list(holes)] = np.nan
    return values


def is_text(grid: Grid, name: str) -> bool:
    """Whether the column has values, and none of them is a number."""
    if grid.numbers(name) is not None:
        return False
    cells = grid.cells(name)
    return not any(is_number(cell, grid.mark) for cell in cells) and not all(map(is_missing, cells))


def ordered(texts: Iterable[str], grid: Grid) -> tuple[str, ...]:
    """In the order of the numbers that they are, if all are numbers, else in that of text; 1 and 01 are two."""
    distinct = sorted(set(texts))
    if all(is_finite(text, grid.mark) for text in distinct):
        distinct.sort(key=lambda text: exact(text, grid.mark))
    return tuple(distinct)


def refuse_units(grid: Grid, name: str) -> None:
    """Raise FormatError where the texts of a column are all numbers to people: they are no levels."""
    cells = grid.cells(name)
    seen = [i for i, cell in enumerate(cells) if not is_missing(cell)]
    if all(looks_numeric(cells[i]) for i in seen):
        raise FormatError(
            f"read_csv: {grid.path}, line {grid.lines[seen[0]]}, column {name!r}: {cells[seen[0]]!r} is not read as a "
            f"number (only digits, one {_MARKS[grid.mark]} and an exponent are); write the numbers without units and "
            "thousands separators, or say what stands before fractions with --decimal (decimal= in Python); if they "
            f"are dates or identifiers, {_leave_out(name, 'the column')}, or take them for names: {_categorical(name)}"
        )


def _present(grid: Grid, name: str) -> set[str]:
    return {cell for cell in set(grid.cells(name)) if not is_missing(cell)}


def _check_count(grid: Grid, name: str, count: int) -> None:
    if count > _MOST_LEVELS or (count > _FEW_LEVELS and 2 * count > len(grid.rows)):
        raise FormatError(
            f"read_csv: {grid.path}, column {name!r}: {count} different texts in {len(grid.rows)} lines, such as "
            f"{grid.cells(name)[0]!r}, are rather names or dates than categories; {_leave_out(name)}, or have a "
            f"feature for each of them: {_categorical(name)}"
        )


def _check_size(grid: Grid, name: str, count: int) -> None:
    if count * len(grid.rows) > _MOST_INDICATORS:
        raise FormatError(
            f"read_csv: {grid.path}, column {name!r}: one feature for each of {count} texts in {len(grid.rows)} lines "
            f"would take {count * len(grid.rows) / 2**27:.0f} GiB; {_leave_out(name)}, or put rare texts together"
        )


def _indicators(grid: Grid, name: str, levels: Sequence[str], holes: Sequence[int], unknown: Unknown) -> Array:
    cells, place = grid.cells(name), {level: i for i, level in enumerate(levels)}
    if not levels:
        raise FormatError(f"read_csv: {grid.path}, column {name!r} has no values; {_leave_out(name)}")
    for i in holes:
        cells[i] = levels[0]
    found = np.array([place.get(cell, -1) for cell in cells], dtype=np.int64)
    strange = np.flatnonzero(found < 0).tolist()
    if strange and unknown == "error":
        texts = list(dict.fromkeys(repr(cells[i]) for i in strange))
        raise FormatError(
            f"read_csv: {grid.path}, line {grid.lines[strange[0]]}, column {name!r}: {listed(texts, 3)} "
            f"{'is' if len(texts) == 1 else 'are'} not among the {len(levels)} texts that the model was trained on "
            f"({listed(levels, 6)}); correct it, or take it for none of them with --unknown ignore (unknown='ignore' "
            "in Python)"
        )
    values: Array = (found[:, None] == np.arange(len(levels))).astype(np.float64)
    values[list(holes)] = np.nan
    return values


def _number_fault(grid: Grid, name: str, row: int) -> FormatError:
    remedy = "fill it in, or leave out the line"
    if not grid.fixed:
        remedy += f"; or {_leave_out(name, 'the column')}, or take all its values for names: {_categorical(name)}"
    return FormatError(
        f"read_csv: {grid.path}, line {grid.lines[row]}, column {name!r}: expected a finite number, got "
        f"{grid.cells(name)[row]!r}; {remedy}"
    )


def _leave_out(name: str, what: str = "it") -> str:
    return f"leave {what} out with --ignore {shlex.quote(name)} (ignore=[{name!r}] in Python)"


def _categorical(name: str) -> str:
    return f"--categorical {shlex.quote(name)} (categorical=[{name!r}])"

"""What becomes of lines in which values are missing."""

from __future__ import annotations

from typing import Literal, get_args

from tensorgrad.data.table import listed
from tensorgrad.data.text.columns import Holes
from tensorgrad.data.text.grid import Grid
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["Missing", "check_missing", "missing_fault"]

Missing = Literal["error", "drop", "nan"]


def check_missing(missing: str) -> None:
    """Raise ArgumentError unless `missing` says what to do about missing values."""
    if missing in ("mean", "median"):
        raise ArgumentError(
            f"read_csv: missing={missing!r} would look at the samples held out for tests as well; read with "
            f"missing='nan', split, then tg.data.Imputer.fit(training_inputs, {missing!r}).transform(inputs)"
        )
    if missing not in get_args(Missing):
        raise ArgumentError(f"read_csv: missing must be {', '.join(map(repr, get_args(Missing)))}, got {missing!r}")


def missing_fault(grid: Grid, holes: Holes, remedy: str) -> FormatError:
    """How many values are missing, in which columns, and where the first of them is."""
    lacking = {name: rows for name, rows in holes.items() if rows}
    first = min(lacking, key=lambda name: (lacking[name][0], grid.position(name)))
    row = lacking[first][0]
    total = sum(map(len, lacking.values()))
    lines = len({i for rows in lacking.values() for i in rows})
    place = f"read_csv: {grid.path}, line {grid.lines[row]}, column {first!r}"
    problem = f"the value is missing (found {grid.cells(first)[row]!r})"
    if total > 1:
        columns = listed([f"{name} ({len(rows)})" for name, rows in lacking.items()])
        problem += f", the first of {total} in {lines} of {len(grid.rows)} lines; by column: {columns}"
    return FormatError(f"{place}: {problem}; {remedy}")

"""Tables from text files of comma-separated values."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath

import numpy as np

from tensorgrad.data.table import Array, Table, Task, listed
from tensorgrad.data.targets import check_task, encode_classes, infer_task
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["read_csv", "read_csv_inputs"]

_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
_DELIMITERS = ",;\t"


def read_csv(
    path: str | PathLike[str],
    target: str | None = None,
    task: Task | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    ignore: Sequence[str] = (),
) -> Table:
    """A UTF-8 file with one sample a line: numeric features, and the column `target` (the last one if None).

    Columns without a header are called column_1, column_2, ... `header=None` looks: the first line is one if
    it holds no number. `delimiter=None` takes the one of comma, semicolon and tab that the first line holds
    most often. Text in the target column means classification, numbers what `infer_task` says; `task`
    overrides. `ignore` names columns to leave out.

    Raises: FileNotFoundError; FormatError, with line and column, for a missing or non-numeric value, a line
    with too few or too many cells, or a first line that could be either header or data; ArgumentError for an
    unknown column.
    """
    check_task(task)
    grid = _read(fspath(path), header, delimiter)
    goal = grid.names[-1] if target is None else target
    for name in (goal, *ignore):
        grid.position(name)
    features = tuple(name for name in grid.names if name != goal and name not in ignore)
    if not features:
        raise FormatError(f"read_csv: {grid.path} has no feature columns, only {', '.join(grid.names)}")
    targets, task, classes = _targets(grid, goal, task)
    return Table(grid.numbers(features), targets, task, features, classes, goal, columns=grid.names)


def read_csv_inputs(
    path: str | PathLike[str],
    features: Sequence[str],
    columns: Sequence[str] = (),
    header: bool | None = None,
    delimiter: str | None = None,
) -> Array:
    """The columns `features` of a file, float64 of shape (n, features), for a model trained on these.

    With a header they are found by name, in any order, among others. Without one the file must hold exactly
    the features, or exactly `columns` (all columns of the training file), in that order.
    """
    grid = _read(fspath(path), header, delimiter)
    grid.may_ignore = False
    if not grid.named:
        for layout in (tuple(columns), tuple(features)):
            if len(grid.names) == len(layout):
                grid.names = layout
    missing = [name for name in features if name not in grid.names]
    if missing:
        raise FormatError(
            f"read_csv: {grid.path} lacks {len(missing)} of the {len(features)} columns the model was "
            f"trained on, the first is {missing[0]!r}; found {listed(grid.names)}"
        )
    return grid.numbers(features)


@dataclass
class _Grid:
    """The cells of a file as text; `lines[i]` is where row i stands in it; `named`: the file has a header;
    `may_ignore`: features may be left out.
    """

    path: str
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    named: bool
    may_ignore: bool = True

    def position(self, name: str) -> int:
        if name not in self.names:
            raise ArgumentError(f"read_csv: {self.path} has no column {name!r}; its columns are {listed(self.names)}")
        return self.names.index(name)

    def cells(self, name: str) -> list[str]:
        position = self.position(name)
        return [row[position] for row in self.rows]

    def numbers(self, names: Sequence[str]) -> Array:
        return np.stack([self.column(name) for name in names], axis=1)

    def column(self, name: str) -> Array:
        """One column as float64. Fast where all is well; only then looks for the cell to blame."""
        cells = self.cells(name)
        try:
            values: Array = np.array(cells, dtype=np.float64)
        except ValueError:
            values = np.array([np.nan])
        if not np.isfinite(values).all():
            text = self.is_text(name)
            wrong = (i for i, cell in enumerate(cells) if not (_is_number(cell) or (text and _is_missing(cell))))
            raise self.fault(name, next(wrong), "a finite number")
        return values

    def fault(self, name: str, row: int, wanted: str) -> FormatError:
        cell = self.cells(name)[row]
        problem = f"the value is missing (found {cell!r})" if _is_missing(cell) else f"expected {wanted}, got {cell!r}"
        remedy = "fill it in, or leave out the line or the column"
        if self.is_text(name) and not _is_missing(cell):
            leave_out = f", or leave it out with --ignore {shlex.quote(name)} (ignore=[{name!r}] in Python)"
            remedy = f"the column is text: encode it{leave_out if self.may_ignore else ' as for the training'}"
        return FormatError(f"read_csv: {self.path}, line {self.lines[row]}, column {name!r}: {problem}; {remedy}")

    def is_text(self, name: str) -> bool:
        """Whether the column has values, and none of them is a number."""
        values = [cell for cell in self.cells(name) if not _is_missing(cell)]
        return bool(values) and not any(_is_float(cell) for cell in values)


def _targets(grid: _Grid, name: str, task: Task | None) -> tuple[Array, Task, tuple[str, ...]]:
    cells = grid.cells(name)
    for row, cell in enumerate(cells):
        if _is_missing(cell):
            raise grid.fault(name, row, "a value")
    if task == "regression" and grid.is_text(name):
        raise FormatError(
            f"read_csv: {grid.path}, column {name!r}: the target is text: use --task classification "
            "(task='classification' in Python), or another --target"
        )
    if task == "regression" or all(_is_number(cell) for cell in cells):
        values = grid.column(name)
        if (task or infer_task(values)) == "regression":
            return values.reshape(-1, 1), "regression", ()
        labels, classes = encode_classes(values)
    else:
        labels, classes = encode_classes(np.array(cells))
    return labels, "classification", classes


def _read(path: str, header: bool | None, delimiter: str | None) -> _Grid:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            separator = delimiter or _most_frequent(file.readline())
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
            numbered = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"read_csv: {path} is not a text file of comma-separated values ({error})") from error
    if not numbered:
        raise FormatError(f"read_csv: {path} is empty")
    lines, rows = [line for line, _ in numbered], [row for _, row in numbered]
    _check_widths(path, lines, rows)
    named = _has_header(path, rows) if header is None else header
    if not named:
        return _Grid(path, tuple(f"column_{i + 1}" for i in range(len(rows[0]))), rows, lines, named)
    _check_header(path, rows)
    return _Grid(path, tuple(rows[0]), rows[1:], lines[1:], named)


def _check_widths(path: str, lines: list[int], rows: list[list[str]]) -> None:
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            raise FormatError(
                f"read_csv: {path}, line {line}: expected {len(rows[0])} cells as in the first line, got "
                f"{len(row)}; check the delimiter and the quotes"
            )


def _check_header(path: str, rows: list[list[str]]) -> None:
    repeated = [name for name in rows[0] if rows[0].count(name) > 1]
    if repeated:
        raise FormatError(f"read_csv: {path}: the column name {repeated[0]!r} occurs more than once; rename one")
    if len(rows) == 1:
        raise FormatError(f"read_csv: {path} has a header and no data")


def _has_header(path: str, rows: list[list[str]]) -> bool:
    """A line without numbers is a header. One that has a name above a number is not clearly data either:
    refuse to guess, because a guess would silently lose a sample or invent one.
    """
    first = rows[0]
    if not any(_is_number(cell) for cell in first):
        return True
    for position, cell in enumerate(first):
        named = not _is_number(cell) and not _is_missing(cell)
        if named and len(rows) > 1 and _is_number(rows[1][position]):
            raise FormatError(
                f"read_csv: {path}: the first line has {cell!r} above a number, and numbers elsewhere; "
                "say whether it is a header (header=True or False; --header yes or no)"
            )
    return False


def _most_frequent(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


def _is_missing(cell: str) -> bool:
    return cell.lower() in _MISSING


def _is_number(cell: str) -> bool:
    return _is_float(cell) and bool(np.isfinite(float(cell)))


def _is_float(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

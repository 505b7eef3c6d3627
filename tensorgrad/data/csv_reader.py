"""Tables from text files of comma-separated values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import get_args

import numpy as np

from tensorgrad.arguments import hinted
from tensorgrad.data.table import Array, Table, Task, listed
from tensorgrad.data.targets import check_task, infer_task
from tensorgrad.data.text import (
    FileFormat,
    Grid,
    Missing,
    Unknown,
    check_missing,
    encode,
    find_levels,
    is_text,
    missing_fault,
    number_column,
    ordered,
    read_grid,
    refuse_units,
)
from tensorgrad.data.text.cells import exact, is_finite
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["read_csv", "read_csv_inputs", "read_csv_samples"]


@hinted
def read_csv(
    path: str | PathLike[str],
    target: str | None = None,
    task: Task | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    ignore: str | Sequence[str] = (),
    *,
    encoding: str | None = None,
    decimal: str | None = None,
    missing: Missing = "error",
    categorical: str | Sequence[str] = (),
) -> Table:
    """A text file with one sample a line: features, and the column `target` (the last one if None).

    A column of numbers is a feature. One in which no value is a number is one-hot, with a feature `column=text` for
    each of its texts; so are those named in `categorical`, whatever they hold. `ignore` names columns to leave out.
    Either takes names as the file writes them, or several in one text, separated by commas.

    Text in the target column means classification, numbers what `infer_task` says; `task` overrides. Classes are told
    apart by how the file writes them (1 and 01 are two), in the order of their numbers if all are numbers.

    Columns without a header are called column_1, column_2, ... What is None is looked for in the file: `header`,
    whether the first line names the columns; `delimiter`, semicolon, tab, bar or comma; `decimal`, what stands before
    fractions, "." or ","; `encoding`, by the byte order mark, else UTF-8. `table.read_as` says what was found.

    `missing`: what to do about cells that are empty or NA, nan, null, none, ?, -, in columns that are used. "error";
    "drop", leave their lines out; or "nan", which leaves the feature to `tg.data.Imputer` (a target must be there).

    Raises: FileNotFoundError; FormatError, with line and column, for a value that is missing or no number, a number
    that float64 cannot hold, a line with too few or too many cells, quotation marks that RFC 4180 does not allow, a
    first line that could be either header or data, a column of text that is different in nearly every line, and bytes
    that are not of the encoding; ArgumentError for an unknown column or option.
    """
    check_task(task)
    check_missing(missing)
    grid = read_grid(fspath(path), FileFormat(header, delimiter, encoding, decimal))
    goal = grid.names[-1] if target is None else target
    columns = _feature_columns(grid, goal, grid.chosen(ignore))
    one_hot = grid.chosen(categorical)
    _check_not_target(goal, one_hot)
    grid, holes, dropped = _complete(grid, columns, goal, missing)
    levels = find_levels(grid, columns, one_hot)
    features = encode(grid, columns, holes, levels, "error")
    targets, task, classes = _targets(grid, goal, task)
    return Table(
        features.values,
        targets,
        task,
        features.names,
        classes,
        goal,
        columns=grid.names,
        sources=features.sources,
        levels=levels,
        lines=tuple(grid.lines),
        dropped=dropped,
        read_as=grid.read_as,
        padded=tuple(name for name in columns if name not in levels and grid.pads(name)),
    )


@hinted
def read_csv_inputs(
    path: str | PathLike[str],
    features: Sequence[str] | Table,
    columns: Sequence[str] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    *,
    encoding: str | None = None,
    decimal: str | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    unknown: Unknown = "error",
    missing: Missing = "error",
) -> Array:
    """The columns `features` of a file, float64 of shape (n, features), for a model trained on these; or on a Table,
    which says itself what it was made from.

    With a header they are found by name, in any order, among others. Without one the file must hold exactly
    the features, or exactly `columns` (all columns of the training file), in that order. Those in `levels` become one
    feature for each level; a text that is none of them is an error, or with `unknown="ignore"` sets none. The other
    options are those of `read_csv`; a missing value is an error, or with `missing="nan"` nan.
    """
    form = FileFormat(header, delimiter, encoding, decimal)
    if isinstance(features, Table):
        columns, levels = columns or features.columns, features.levels if levels is None else levels
        features = features.feature_columns
    return read_csv_samples(path, features, columns, form, levels or {}, unknown, missing).inputs


def read_csv_samples(
    path: str | PathLike[str],
    features: Sequence[str],
    columns: Sequence[str],
    form: FileFormat,
    levels: Mapping[str, Sequence[str]],
    unknown: Unknown,
    missing: Missing,
) -> Table:
    """What `read_csv_inputs` reads, as a Table without targets."""
    if unknown not in get_args(Unknown):
        raise ArgumentError(f"read_csv: unknown must be error or ignore, got {unknown!r}")
    if missing not in ("error", "nan"):
        raise ArgumentError(f"read_csv: missing must be 'error' or 'nan' for samples to predict, got {missing!r}")
    grid = _named_like(path, features, columns, form, levels)
    present = set(grid.names)
    lacking = [name for name in features if name not in present]
    if lacking:
        raise FormatError(
            f"read_csv: {grid.path} lacks {len(lacking)} of the {len(features)} columns the model was "
            f"trained on, the first is {lacking[0]!r}; found {listed(grid.names)}"
        )
    holes = {name: grid.holes(name) for name in features}
    if missing == "error" and any(holes.values()):
        raise missing_fault(grid, holes, "fill it in, or train with --missing mean or median, which the model keeps")
    found = encode(grid, features, holes, levels, unknown)
    return Table(
        found.values,
        None,
        None,
        found.names,
        columns=grid.names,
        sources=found.sources,
        levels={name: tuple(texts) for name, texts in levels.items()},
        lines=tuple(grid.lines),
        read_as=grid.read_as,
    )


def _named_like(
    path: str | PathLike[str],
    features: Sequence[str],
    columns: Sequence[str],
    form: FileFormat,
    levels: Mapping[str, Sequence[str]],
) -> Grid:
    """The file, its columns named as those of the training where it does not name them itself."""
    layouts, wanted = [tuple(columns), tuple(features)], set(features)

    def is_header(first: list[str]) -> bool | None:
        """It names a feature: a header. It holds a level where the column is: none."""
        if any(cell in wanted for cell in first):
            return True
        fitting = [layout for layout in layouts if len(layout) == len(first)]
        known = (cell in levels.get(name, ()) for names in fitting for name, cell in zip(names, first, strict=True))
        return False if any(known) else None

    grid = replace(read_grid(fspath(path), form, is_header), fixed=True)
    fitting = [layout for layout in layouts if len(layout) == len(grid.names)]
    if grid.named:
        return grid
    if not fitting:  # whatever stands in a column: nobody knows which it is
        raise FormatError(
            f"read_csv: {grid.path} does not name its {len(grid.names)} columns; the model was trained on a file of "
            f"{len(columns)}, of which {len(features)} are features: give all of these or all of those, or a header"
        )
    return replace(grid, names=fitting[0])


def _feature_columns(grid: Grid, goal: str, ignored: Sequence[str]) -> tuple[str, ...]:
    grid.position(goal)
    if goal in ignored:
        raise ArgumentError(f"read_csv: {goal!r} is the column to predict and to ignore; name another target")
    features = tuple(name for name in grid.names if name != goal and name not in ignored)
    if not features:
        hint = "; say what is between the cells with --delimiter (delimiter= in Python)" if len(grid.names) == 1 else ""
        raise FormatError(f"read_csv: {grid.path} has no feature columns, only {', '.join(grid.names)}{hint}")
    return features


def _complete(
    grid: Grid, columns: Sequence[str], goal: str, missing: Missing
) -> tuple[Grid, dict[str, list[int]], int]:
    """The grid as `missing` wants it, the rows in which its features have no value, how many lines were left out."""
    goal_holes, holes = {goal: grid.holes(goal)}, {name: grid.holes(name) for name in columns}
    if missing == "drop":
        lacking = {row for rows in (*holes.values(), *goal_holes.values()) for row in rows}
        if len(lacking) == len(grid.rows):
            raise missing_fault(grid, holes | goal_holes, "no line is complete; leave out a column with --ignore")
        return (grid.without(lacking) if lacking else grid), {name: [] for name in columns}, len(lacking)
    if goal_holes[goal]:
        remedy = "fill it in; or leave out lines with missing values, --missing drop (missing='drop' in Python)"
        raise missing_fault(grid, goal_holes, remedy)
    if missing == "error" and any(holes.values()):
        remedy = (
            "fill it in; or say what is to become of missing values, --missing mean, median or drop "
            "(missing='nan' or 'drop' in Python)"
        )
        raise missing_fault(grid, holes, remedy)
    return grid, holes, 0


def _targets(grid: Grid, name: str, task: Task | None) -> tuple[Array, Task, tuple[str, ...]]:
    cells = grid.cells(name)
    if task == "regression" and is_text(grid, name):
        raise FormatError(
            f"read_csv: {grid.path}, column {name!r}: the target is text: use --task classification "
            "(task='classification' in Python), or another --target"
        )
    if task is None and is_text(grid, name):
        refuse_units(grid, name)
    elif task is None and grid.numbers(name) is None:
        _refuse_mixture(grid, name, cells)
    if task == "regression" or (task is None and grid.numbers(name) is not None):
        values = _whole_or_float(grid, name, cells)
        if (task or infer_task(values)) == "regression":
            return number_column(grid, name, ()).reshape(-1, 1), "regression", ()
    classes = ordered(cells, grid)
    label = {text: i for i, text in enumerate(classes)}
    return np.array([label[cell] for cell in cells], dtype=np.int64), "classification", classes


def _check_not_target(goal: str, one_hot: Sequence[str]) -> None:
    if goal in one_hot:
        raise ArgumentError(
            f"read_csv: {goal!r} is the column to predict, whose values are names of classes with --task "
            "classification (task='classification' in Python); categorical columns are features"
        )


def _refuse_mixture(grid: Grid, name: str, cells: Sequence[str]) -> None:
    """Raise FormatError for a target most of which is numbers: the rest is rather a slip than a name of a class."""
    odd = [i for i, cell in enumerate(cells) if not is_finite(cell, grid.mark)]
    if 2 * len(odd) < len(cells):
        raise FormatError(
            f"read_csv: {grid.path}, line {grid.lines[odd[0]]}, column {name!r}: {cells[odd[0]]!r} is no finite "
            f"number, unlike {len(cells) - len(odd)} of {len(cells)} targets; correct it or leave out the line, or, "
            "if all of them are names of classes, say --task classification (task='classification' in Python)"
        )


def _whole_or_float(grid: Grid, name: str, cells: Sequence[str]) -> Array:
    """The numbers of a column, as int64 where they are whole and float64 might not tell them apart."""
    values = grid.numbers(name)
    if values is not None and np.abs(values).max() >= 2.0**53 and np.array_equal(values, np.floor(values)):
        whole = {cell: exact(cell, grid.mark) for cell in set(cells)}
        if all(number == int(number) and abs(number) < 2**63 for number in whole.values()):
            return np.array([int(whole[cell]) for cell in cells], dtype=np.int64)
    return number_column(grid, name, ()) if values is None else values

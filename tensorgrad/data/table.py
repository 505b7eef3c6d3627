"""A table of numbers on the host: what every reader returns and what a data set on a device is made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tensorgrad.backends import Device
from tensorgrad.creation import tensor
from tensorgrad.data.dataset import TensorDataset
from tensorgrad.data.precision import first_unheld
from tensorgrad.dtypes import DType, as_dtype, float32, is_floating
from tensorgrad.errors import DTypeError, FormatError

__all__ = ["Array", "Table", "Task", "listed"]

Task = Literal["classification", "regression"]
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Table:
    """Samples as rows.

    `inputs`: float64, shape (n, features). `targets`: int64 labels of shape (n,) for classification, float64
    values of shape (n, outputs) for regression, None where the file holds none. `classes[label]` is the class
    as the file writes it. `columns` are all columns of the file in their order, the target and ignored ones
    among them. `alike`: the features are of one kind (pixels), to be scaled together rather than each on its
    own.

    `sources[j]` is the column that feature j was made from, `levels` the texts of each column that is one-hot, in the
    order of its features; where a feature is missing it is nan. `lines[i]` is the line of the file that row i begins
    in, `dropped` how many were left out for missing values, `read_as` how the file is written where that was found out,
    `padded` the columns of numbers with zeros before them (007), which may be names rather than numbers.
    """

    inputs: Array
    targets: Array | None
    task: Task | None
    feature_names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    target_name: str = "target"
    columns: tuple[str, ...] = ()
    alike: bool = False
    sources: tuple[str, ...] = ()
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    dropped: int = 0
    read_as: str = ""
    padded: tuple[str, ...] = ()

    @property
    def feature_columns(self) -> tuple[str, ...]:
        """The columns that features were made from, in their order."""
        return tuple(dict.fromkeys(self.sources or self.feature_names))

    @property
    def indicators(self) -> list[int]:
        """The features that are 0 or 1, for a text of a one-hot column."""
        return [j for j, name in enumerate(self.sources) if name in self.levels]

    def missing(self) -> dict[str, int]:
        """How many cells of each column are missing, of those that lack any."""
        holes = dict(zip(self.sources or self.feature_names, np.isnan(self.inputs).sum(axis=0).tolist(), strict=True))
        return {name: count for name, count in holes.items() if count}

    def place(self, row: int, feature: int) -> str:
        """Where the file holds a feature: "line 7, column 'age'", or the row where there is no file."""
        return f"{self.line(row)}, column {(self.sources or self.feature_names)[feature]!r}"

    def line(self, row: int) -> str:
        """Where the file holds a row: "line 7", or "row 5" where there is no file."""
        return f"line {self.lines[row]}" if self.lines else f"row {row}"

    def __len__(self) -> int:
        return len(self.inputs)

    def __repr__(self) -> str:
        parts = [f"inputs: {_likeness(self.inputs)} of {listed(self.feature_names)}"]
        if self.targets is not None:
            parts.append(f"targets: {_likeness(self.targets)} of {self.target_name}, for {self.task}")
        if self.classes:
            parts.append(f"classes: {listed(self.classes)}")
        return f"Table({'; '.join(parts)})"

    def dataset(self, device: str | Device | None = None, dtype: object = None) -> TensorDataset:
        """`TensorDataset(inputs, targets)` with inputs of `dtype`, float32 if None, and int64 labels or values of
        `dtype`; without targets, of the inputs alone.

        Raises FormatError, with line and column, where `dtype` cannot hold a number: it becomes infinite; it is a whole
        one below 2^53, in a column of such, and another there; or it moves by a thousandth of the column's deviation.
        `dtype=tg.float64` holds every number, and after a Standardizer float32 does too.
        """
        kind = float32 if dtype is None else as_dtype(dtype)
        if not is_floating(kind):
            raise DTypeError(f"Table.dataset: dtype must be a floating one, got {kind}; labels are int64 in any case")
        fields = [self._cast(self.inputs, kind, self.place)]
        if self.targets is not None and self.task == "classification":
            fields.append(self.targets.astype(np.int64))
        elif self.targets is not None:
            fields.append(self._cast(self.targets, kind, self._target_place))
        return TensorDataset(*(tensor(field, device=device) for field in fields))

    def _target_place(self, row: int, _: int) -> str:
        return f"{self.line(row)}, column {self.target_name!r}"

    def _cast(self, values: Array, kind: DType, place: Callable[[int, int], str]) -> Array:
        with np.errstate(over="ignore"):
            narrow: Array = values.astype(kind)
        found = first_unheld(values, narrow)
        if found is None:
            return narrow
        row, column = found
        raise FormatError(
            f"Table.dataset: {place(row, column)}: {kind} cannot hold {float(values[row, column])} (it would be "
            f"{float(narrow[row, column])}); take dataset(dtype=tg.float64), scale it with tg.data.Standardizer, and "
            "then convert it with .float()"
        )


def listed(names: Sequence[str], most: int = 12) -> str:
    """The names, or the first `most` of them and how many there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, ... ({len(names)} in all)"


def _likeness(array: Array) -> str:
    return f"{array.dtype}{list(array.shape)}"

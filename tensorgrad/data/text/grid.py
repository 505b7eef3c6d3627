"""The cells of a file as text, in rows, under the names of their columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property

import numpy as np

from tensorgrad.data.table import Array, listed
from tensorgrad.data.text.cells import Mark, guess_mark, is_missing, numbers
from tensorgrad.data.text.dialect import as_delimiter, guess_delimiter, without_declaration
from tensorgrad.data.text.encoding import read_text
from tensorgrad.data.text.header import check_header, has_header
from tensorgrad.data.text.records import read_records
from tensorgrad.errors import ArgumentError, FormatError

__all__ = ["FileFormat", "Grid", "read_grid"]


@dataclass(frozen=True)
class FileFormat:
    """How a file is written, as far as it is known; None: look."""

    header: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ArgumentError(f"read_csv: decimal must be '.' or ',', got {self.decimal!r}")


@dataclass(frozen=True)
class Grid:
    """`lines[i]`: where row i begins in the file; `named`: the file has a header; `mark`: what stands before fractions;
    `read_as`: in what the file is not as most are; `fixed`: a model says which columns are read, and as what.
    """

    path: str
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    named: bool
    mark: Mark
    read_as: str
    fixed: bool = False
    _converted: dict[str, Array | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    def position(self, name: str) -> int:
        """Where the column stands. Raises ArgumentError for one that is not there."""
        if name not in self._positions:
            meant = get_close_matches(name, self.names, 1)
            raise ArgumentError(
                f"read_csv: {self.path} has no column {name!r}; its columns are {listed(self.names)}"
                f"{f'; did you mean {meant[0]!r}?' if meant else ''}"
            )
        return self._positions[name]

    @cached_property
    def _positions(self) -> dict[str, int]:
        """Where each column stands; the first, where two have one name."""
        return {name: i for i, name in reversed(list(enumerate(self.names)))}

    def cells(self, name: str) -> list[str]:
        """The column `name` from top to bottom."""
        position = self.position(name)
        return [row[position] for row in self.rows]

    def holes(self, name: str) -> list[int]:
        """The rows in which the column has no value."""
        if self.numbers(name) is not None:
            return []
        return [i for i, cell in enumerate(self.cells(name)) if is_missing(cell)]

    def numbers(self, name: str) -> Array | None:
        """The column as float64, None where a cell is no finite number; converted once."""
        if name not in self._converted:
            self._converted[name] = numbers(self.cells(name), self.mark)
        return self._converted[name]

    def pads(self, name: str) -> bool:
        """Whether the column has whole numbers with zeros before them, and no others."""
        values = self.numbers(name)
        whole = values is None or np.array_equal(values, np.floor(values))
        return whole and any(cell[:1] == "0" and cell[1:2].isdigit() for cell in self.cells(name))

    def without(self, rows: Collection[int]) -> Grid:
        """The grid without those rows."""
        kept = [i for i in range(len(self.rows)) if i not in rows]
        return replace(self, rows=[self.rows[i] for i in kept], lines=[self.lines[i] for i in kept])

    def chosen(self, given: str | Sequence[str]) -> tuple[str, ...]:
        """The columns that are named: by a text that is a column's name itself, or by several in one, separated by
        commas, the longest names first. Raises ArgumentError for what is no column.
        """
        texts = [given] if isinstance(given, str) else given
        return tuple(name for text in texts for name in self._named_in(text))

    def _named_in(self, text: str) -> list[str]:
        parts = text.split(",")
        found: list[str] = []
        while parts:
            joined = (",".join(parts[:i]).strip() for i in range(len(parts), 0, -1))
            name = next((name for name in joined if name in self._positions), None)
            if name is None and parts[0].strip():
                self.position(parts[0].strip())
            found += [] if name is None else [name]
            parts = parts[1 if name is None else name.count(",") + 1 :]
        return found


def read_grid(path: str, form: FileFormat, is_header: Callable[[list[str]], bool | None] | None = None) -> Grid:
    """The file at `path`. `is_header` says of the first line what the caller can know; None: look."""
    text, encoding = read_text(path, form.encoding)
    declared, text = without_declaration(text)
    delimiter = as_delimiter(form.delimiter) if form.delimiter else declared or guess_delimiter(text)
    lines, rows = read_records(path, text, delimiter)
    if not rows:
        raise FormatError(f"read_csv: {path} is empty")
    only_between_cells = delimiter == "," and '"' not in text
    mark = _mark(path, [] if only_between_cells else rows, form.decimal)
    named = form.header
    if named is None and is_header is not None:
        named = is_header(rows[0])
    if named is None:
        named = has_header(path, rows, mark)
    read_as = _read_as(delimiter, mark, encoding)
    if not named:
        names = tuple(f"column_{i + 1}" for i in range(len(rows[0])))
        return Grid(path, names, rows, lines, named, mark, read_as)
    check_header(path, rows)
    return Grid(path, tuple(rows[0]), rows[1:], lines[1:], named, mark, read_as)


def _mark(path: str, rows: list[list[str]], decimal: str | None) -> Mark:
    if decimal is not None:
        return "," if decimal == "," else "."
    width = len(rows[0]) if rows else 0
    with_comma = [i for i in range(width) if any("," in row[i] for row in rows)]
    mark, doubtful = guess_mark([row[i] for row in rows] for i in with_comma)
    if doubtful is not None:
        raise FormatError(
            f"read_csv: {path}: is {doubtful!r} a fraction or a whole number with its thousands marked? Say "
            "--decimal , (decimal=',' in Python) for a fraction; else write the numbers without marks"
        )
    return mark


def _read_as(delimiter: str, mark: Mark, encoding: str) -> str:
    parts = [
        f"delimiter {delimiter!r}" if delimiter != "," else "",
        "decimal comma" if mark == "," else "",
        encoding if encoding not in ("utf-8", "ascii") else "",
    ]
    return ", ".join(filter(None, parts))

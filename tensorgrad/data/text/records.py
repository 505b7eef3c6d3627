"""From text to rows of cells, as RFC 4180 has it: a quotation mark that breaks its rules would join lines or cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from tensorgrad.errors import FormatError

__all__ = ["read_records"]


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


class _Lines:
    """The lines of a text, the physical ones; `taken` are those handed out since it was emptied."""

    def __init__(self, text: str, delimiter: str) -> None:
        self._lines = _LINE.finditer(text)
        self._trimmed = delimiter == " "  # spaces at the end are no more cells
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)[0]
        if self._trimmed:
            line = line.rstrip(" \r\n") + "\n"
        self.taken.append(line)
        return line


def read_records(path: str, text: str, delimiter: str) -> tuple[list[int], list[list[str]]]:
    """The rows of a text, their cells without spaces around them, and the line that each begins in; empty lines are
    none.

    A cell in quotation marks may hold delimiters, line breaks and doubled quotation marks. Raises FormatError, with the
    line, for a quotation mark anywhere else: one that is never closed, has text after the closing one, or stands inside
    a cell that does not begin with one; and for rows with different numbers of cells.
    """
    source, cell = _Lines(text, delimiter), _cell(delimiter) if '"' in text else None
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    numbers: list[int] = []
    rows: list[list[str]] = []
    begin = 1
    try:
        for row in reader:
            if cell is not None:
                _check_quotes(path, "".join(source.taken), cell, delimiter, begin)
            cells = [cell.strip() for cell in row]
            if len(cells) > 1 or (cells and (cells[0] or '"' in source.taken[0])):
                numbers.append(begin)
                rows.append(cells)
            begin = reader.line_num + 1
            source.taken.clear()
    except csv.Error as error:
        _check_quotes(path, "".join(source.taken), _cell(delimiter), delimiter, begin)
        raise FormatError(f"read_csv: {path}, line {begin}: the line cannot be read ({error})") from error
    _check_widths(path, numbers, rows)
    return numbers, rows


def _cell(delimiter: str) -> re.Pattern[str]:
    """A cell, as far as it follows the rules."""
    behind = "" if delimiter == " " else " *"
    # Possessive: what is never closed would be tried again from each of its characters.
    return re.compile(rf' *"[^"]*+(?:""[^"]*+)*+"{behind}|[^"{re.escape(delimiter)}\r\n]*')


def _check_quotes(path: str, record: str, cell: re.Pattern[str], delimiter: str, line: int) -> None:
    """Raise FormatError for quotation marks in a record, which begins in `line`, that RFC 4180 does not allow."""
    if '"' not in record:
        return
    start = 0
    while True:
        found = cell.match(record, start)
        end = found.end() if found else start
        if end == len(record) or record[end] in "\r\n":
            return
        if record[end] != delimiter:
            raise _quote_fault(path, record, start, end, line)
        start = end + 1


def _quote_fault(path: str, record: str, start: int, end: int, line: int) -> FormatError:
    place = f"read_csv: {path}, line {line + _breaks(record[:start])}"
    before = record[start:end].strip()
    if record[end] != '"' or before.startswith('"'):
        problem = "there is text after the quotation mark that closes a cell"
    elif before:
        problem = f"there is a quotation mark inside a cell that does not begin with one ({before[-20:]!r} precedes it)"
    else:
        problem = "a cell begins with a quotation mark, and no other closes it"
    return FormatError(
        f'{place}: {problem}; in a cell that holds quotation marks double them, and put the cell in such: "12"" disk"'
    )


def _breaks(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))


def _check_widths(path: str, lines: list[int], rows: list[list[str]]) -> None:
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(rows[0]):
            raise FormatError(
                f"read_csv: {path}, line {line}: expected {len(rows[0])} cells as in the first line, got "
                f"{len(row)}; check the quotes, or say what is between cells with --delimiter (delimiter= in Python)"
            )

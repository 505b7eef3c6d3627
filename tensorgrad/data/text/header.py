"""Whether the first line of a file names the columns. A wrong guess would lose a sample, or invent one."""

from __future__ import annotations

from collections.abc import Sequence

from tensorgrad.data.text.cells import Mark, is_missing, is_number
from tensorgrad.errors import FormatError

__all__ = ["check_header", "has_header"]

_REMEDY = "say whether it is a header (header=True or False; --header yes or no)"


def has_header(path: str, rows: list[list[str]], mark: Mark) -> bool:
    """A first line without numbers is a header, one that has numbers in it is none, where the lines below agree.

    Raises FormatError where they do not: a name above a number beside numbers; no number in the file at all, and a
    text of the first line again below it; numbers, and texts that never occur again below.
    """
    first, rest = rows[0], rows[1:]
    texts = [i for i, cell in enumerate(first) if not is_missing(cell) and not is_number(cell, mark)]
    if len(texts) + sum(map(is_missing, first)) == len(first):
        if not any(is_number(cell, mark) for row in rest for cell in row):
            _refuse_repeated(path, first, rest, texts)
        return True
    above_number = next((i for i in texts if rest and is_number(rest[0][i], mark)), None)
    if above_number is not None:
        raise FormatError(
            f"read_csv: {path}: the first line has {first[above_number]!r} above a number, and numbers elsewhere; "
            f"{_REMEDY}"
        )
    if texts and rest and not any(row[i] == first[i] for row in rest for i in texts):
        raise FormatError(
            f"read_csv: {path}: the first line has {first[texts[0]]!r}, which never occurs again in its column, and "
            f"numbers elsewhere; {_REMEDY}"
        )
    return False


def _refuse_repeated(path: str, first: list[str], rest: list[list[str]], texts: list[int]) -> None:
    again = next((i for i in texts if any(row[i] == first[i] for row in rest)), None)
    if again is not None:
        raise FormatError(
            f"read_csv: {path}: the first line holds {first[again]!r}, which occurs again in its column, and the file "
            f"has no numbers; {_REMEDY}"
        )


def check_header(path: str, rows: Sequence[Sequence[str]]) -> None:
    """Raise FormatError for a header that names a column twice, or has no data below."""
    seen: set[str] = set()
    for name in rows[0]:
        if name in seen:
            raise FormatError(f"read_csv: {path}: the column name {name!r} occurs more than once; rename one")
        seen.add(name)
    if len(rows) == 1:
        raise FormatError(f"read_csv: {path} has a header and no data")

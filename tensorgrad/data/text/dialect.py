"""Which character lies between the cells of a file."""

from __future__ import annotations

import re
from itertools import islice

from tensorgrad.errors import ArgumentError

__all__ = ["as_delimiter", "guess_delimiter", "without_declaration"]

_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "space": " ", "pipe": "|", "colon": ":"}
# A comma may as well stand in a number, so that another that does as well is believed first.
_CANDIDATES = ";\t|,"
_LOOKED_AT = 50
_QUOTED = re.compile(r'"[^"]*(?:"|\Z)')
_DECLARATION = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)


def as_delimiter(given: str) -> str:
    """One character, or the name of one (comma, semicolon, tab, space, pipe, colon). ArgumentError for others."""
    delimiter = _NAMES.get(given.lower(), given)
    if len(delimiter) != 1 or delimiter in '"\r\n\0' or delimiter.isalnum():
        raise ArgumentError(
            f"read_csv: delimiter must be one character, or one of {', '.join(n for n in _NAMES if n[0] != chr(92))}, "
            f"got {given!r}"
        )
    return delimiter


def without_declaration(text: str) -> tuple[str | None, str]:
    """The delimiter that a first line `sep=;` declares, as spreadsheets write it, and the text with that line empty."""
    declared = _DECLARATION.match(text)
    if declared is None:
        return None, text
    return declared[1], "\n" + text[declared.end() :]


def guess_delimiter(text: str) -> str:
    """The one of semicolon, tab, bar and comma that the first lines hold equally often, outside of quotation marks.

    Where that is true of several, the first of them; where it is true of none, what the first line holds most often.
    """
    bare = _QUOTED.sub("", text[: 1 << 16])
    lines = list(islice((line for line in bare.splitlines() if line.strip()), _LOOKED_AT))
    if len(text) > 1 << 16 and len(lines) > 1:
        lines.pop()  # it may be cut
    first = lines[0] if lines else ""
    even = [c for c in _CANDIDATES if first.count(c) and all(line.count(c) == first.count(c) for line in lines)]
    if even:
        return even[0]
    return max(_CANDIDATES, key=first.count) if any(map(first.count, _CANDIDATES)) else ","

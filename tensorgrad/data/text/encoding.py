"""From the bytes of a file to its text."""

from __future__ import annotations

import codecs
import os
import re
import stat

from tensorgrad.errors import ArgumentError, FormatError
from tensorgrad.regular_file import check_regular

__all__ = ["read_text"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What spreadsheets write where they do not write UTF-8: on Windows, and as "CSV (MS-DOS)".
_USUAL = ("cp1252", "cp850")
_SIGNS = set("°€§µ²³½¼¾£±×·–—‘’“”„…\u00a0")
_SHOWN = 40


def read_text(path: str, encoding: str | None) -> tuple[str, str]:
    """The text of a file, and the encoding it is in: `encoding`, else that of its byte order mark, else UTF-8.

    Raises: FileNotFoundError; ArgumentError for an encoding that Python does not know; FormatError, with the line and
    the encoding that it may be in, for bytes that are not in that encoding, and for a file that is not text.
    """
    if os.path.exists(path) and not stat.S_ISFIFO(os.stat(path).st_mode):  # of a pipe comes what was written
        check_regular("read_csv", path)
    with open(path, "rb") as file:
        content = file.read()
    chosen = _known(encoding) if encoding else _marked(content)
    try:
        text = content.decode(chosen)
    except UnicodeError as error:
        raise _not_in(path, content, chosen, error) from error
    if "\0" in text:
        raise FormatError(f"read_csv: {path} is not a text file of comma-separated values{_wide(content)}")
    return text.removeprefix("\ufeff"), chosen.removesuffix("-sig")


def _marked(content: bytes) -> str:
    return next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)  # refuses what is no encoding of text, such as hex
    except (LookupError, ValueError) as error:
        raise ArgumentError(
            f"read_csv: encoding must be one that Python knows, such as utf-8, cp1252, latin-1 or utf-16, "
            f"got {encoding!r}"
        ) from error
    return name


def _not_in(path: str, content: bytes, encoding: str, error: UnicodeError) -> FormatError:
    if not isinstance(error, UnicodeDecodeError) or b"\0" in content:
        return FormatError(
            f"read_csv: {path} is not a text file of comma-separated values in {encoding}{_wide(content)}"
        )
    line = content.count(b"\n", 0, error.start) + 1
    place = f"read_csv: {path}, line {line}: the byte 0x{content[error.start]:02x} is not {encoding} text"
    begin = content.rfind(b"\n", 0, error.start) + 1
    end = content.find(b"\n", begin)
    meant = _likely(content)
    if meant is None:
        return FormatError(f"{place}; say what it is with --encoding (encoding= in Python), such as cp1252 or utf-16")
    shown = content[begin : None if end < 0 else end].decode(meant, "replace").strip()[:_SHOWN]
    return FormatError(
        f"{place}; with --encoding {meant} (encoding={meant!r} in Python) the line reads {shown!r}; if that is wrong, "
        "give the encoding that the file was written in"
    )


def _likely(content: bytes) -> str | None:
    """The usual encoding in which nearly all that is not ASCII are letters, and common signs outside of words."""
    for name in _USUAL:
        text = content.decode(name, "replace")
        foreign = re.findall(r"[^\x00-\x7f]", text)
        strange = sum(not c.isalpha() and c not in _SIGNS for c in foreign)
        strange += sum(c in _SIGNS and c != "’" for c in re.findall(r"(?<=[^\W\d_])[^\x00-\x7f](?=[^\W\d_])", text))
        if strange <= 0.1 * len(foreign):
            return name
    return None


def _wide(content: bytes) -> str:
    """A hint where every other byte is 0."""
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if content[first::2].count(0) > 0.4 * len(content):
            return f"; it looks like {name}: say --encoding {name} (encoding={name!r} in Python)"
    return " (it holds bytes of zero)" if b"\0" in content else ""

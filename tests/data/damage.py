"""Ways to damage a file: its bytes at random, and, for what a checksum or a length would give away, what it says."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Damage", "bytes_damaged", "npz_damaged", "safetensors_damaged", "text_damaged", "with_dtype"]

Random = np.random.Generator
Damage = Callable[[Random, bytes], bytes]

_NUMBERS: tuple[bytes, ...] = (
    b"0",
    b"-1",
    b"1",
    b"2",
    b"7",
    b"255",
    b"65536",
    b"999999999",
    b"2147483648",
    b"9223372036854775807",
)
_NUMBERS += (b"18446744073709551616", b"1" * 30, b"1" * 5000, b"1e308", b"1e999", b"nan", b"-inf", b"0x10", b"3.5", b"")
_VALUES: tuple[Any, ...] = (None, True, False, -1, 0, 1, 3, 2**31, 2**63, 10**40, 0.5, 1e308)
_VALUES += (float("nan"), float("inf"), "")
_VALUES += ("x", "\0", "\ud800", [], {}, [[]], [[], []], ["x", 1], {"dict": 1}, {"dict": [[1]]}, {"tuple": 0})
_VALUES += ({"dict": [[[], 1]]}, {"dict": [[{"tuple": []}, 1]]}, {"tensor": []}, {"tensor": "x"}, {"set": []}, "BF16")


# ---------------------------------------------------------------------- bytes
def bytes_damaged(random: Random, content: bytes) -> bytes:
    """One to four changes anywhere: bits, bytes, pieces cut out, doubled, moved, blanked; the end cut off."""
    for _ in range(int(random.integers(1, 5))):
        content = _BYTE_CHANGES[int(random.integers(len(_BYTE_CHANGES)))](random, content)
    return content


def _piece(random: Random, content: bytes) -> slice:
    first = int(random.integers(len(content) + 1))
    length = int(2 ** random.uniform(0, np.log2(len(content) + 2)))
    return slice(first, first + length)


def _bit(random: Random, content: bytes) -> bytes:
    return _replaced(random, content, lambda old: old ^ 1 << int(random.integers(8)))


def _byte(random: Random, content: bytes) -> bytes:
    return _replaced(random, content, lambda old: int(random.choice([0, 1, 127, 128, 255, int(random.integers(256))])))


def _replaced(random: Random, content: bytes, change: Callable[[int], int]) -> bytes:
    if not content:
        return content
    where = int(random.integers(len(content)))
    return content[:where] + bytes([change(content[where])]) + content[where + 1 :]


def _cut_off(random: Random, content: bytes) -> bytes:
    return content[: int(random.integers(len(content) + 1))]


def _cut_out(random: Random, content: bytes) -> bytes:
    piece = _piece(random, content)
    return content[: piece.start] + content[piece.stop :]


def _doubled(random: Random, content: bytes) -> bytes:
    piece = _piece(random, content)
    return content[: piece.stop] + content[piece] + content[piece.stop :]


def _moved(random: Random, content: bytes) -> bytes:
    piece, there = _piece(random, content), int(random.integers(len(content) + 1))
    return content[:there] + content[piece] + content[there + len(content[piece]) :]


def _blanked(random: Random, content: bytes) -> bytes:
    piece = _piece(random, content)
    return content[: piece.start] + bytes(len(content[piece])) + content[piece.stop :]


_BYTE_CHANGES: tuple[Damage, ...] = (_bit, _bit, _byte, _byte, _cut_off, _cut_out, _doubled, _moved, _blanked)


# ---------------------------------------------------------------------- text
def text_damaged(random: Random, content: bytes) -> bytes:
    """Changes of bytes, of numbers, and of the marks that hold a text together."""
    for _ in range(int(random.integers(1, 4))):
        change = int(random.integers(3))
        if change == 0:
            content = bytes_damaged(random, content)
        elif change == 1:
            content = number_changed(random, content)
        else:
            where = int(random.integers(len(content) + 1))
            mark = [b'"', b"'", b",", b"\n", b"\r", b";", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"(", b"{", b"["]
            content = content[:where] + mark[int(random.integers(len(mark)))] + content[where:]
    return content


def number_changed(random: Random, content: bytes) -> bytes:
    """The text with one of its numbers replaced by an odd one."""
    found = list(re.finditer(rb"\d+", content))
    if not found:
        return content
    one = found[int(random.integers(len(found)))]
    return content[: one.start()] + _NUMBERS[int(random.integers(len(_NUMBERS)))] + content[one.end() :]


# ---------------------------------------------------------------------- NumPy archives
def npz_damaged(random: Random, content: bytes) -> bytes:
    """An archive whose sizes and checksums are right, and whose members are damaged or have other names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    which = int(random.integers(len(members)))
    name, member = members[which]
    if random.integers(8) == 0:
        members[which] = str(random.choice([name.removesuffix(".npy"), "y.npy", "x.npy", "x", "z"])), member
    else:
        members[which] = name, _npy_damaged(random, member)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        taken: set[str] = set()
        for name, member in members:
            if name not in taken:
                archive.writestr(name, member)
            taken.add(name)
    return packed.getvalue()


_DTYPES: tuple[bytes, ...] = (
    b"|O",
    b"<f3",
    b"<f16",
    b">f8",
    b"<c16",
    b"<U0",
    b"<U99999999",
    b"|V8",
    b"<M8[ns]",
    b"<f4,<f4",
)
_DTYPES += (b"|b1", b"<i8", b"|S1", b"<U1", b"<x4", b"", b"\xff", b"(2,)f4", b"<i1", b"|T16")


def _npy_damaged(random: Random, member: bytes) -> bytes:
    header, numbers = member[:128], member[128:]
    change = int(random.integers(6))
    if change == 0:
        header = re.sub(rb"'descr': '[^']*'", b"'descr': '%s'" % _DTYPES[int(random.integers(len(_DTYPES)))], header)
    elif change == 1:
        header = number_changed(random, header)
    elif change == 2:
        header = bytes_damaged(random, header)
    elif change == 3:
        deep = int(random.integers(1, 4000))
        header = header[:10].replace(header[8:10], struct.pack("<H", 2 * deep)) + b"(" * deep + b")" * deep
    elif change == 4:
        header = text_damaged(random, header)
    else:
        numbers = bytes_damaged(random, numbers)
    return header + numbers


# ---------------------------------------------------------------------- safetensors
def safetensors_damaged(random: Random, content: bytes) -> bytes:
    """A file whose header has the right length and is JSON, and says something else: about the tensors, or within the
    description of the object that was saved."""
    header, numbers = _taken_apart(content)
    notes = header.get("__metadata__", {})
    if notes and random.integers(4):
        name = str(random.choice(list(notes)))
        notes[name] = json.dumps(_json_damaged(random, json.loads(notes[name])))
        if random.integers(4) == 0:
            notes[name] = text_damaged(random, notes[name].encode()).decode("latin1")
        if random.integers(20) == 0:
            deep = int(random.integers(1, 50_000))
            notes[name] = "[" * deep + "]" * deep
    else:
        header = _json_damaged(random, header)
    return _put_together(header, numbers)


def with_dtype(content: bytes, name: str, dtype: str) -> bytes:
    """The file with another dtype of the tensor `name`, whose bytes stay."""
    header, numbers = _taken_apart(content)
    header[name]["dtype"] = dtype
    return _put_together(header, numbers)


def _taken_apart(content: bytes) -> tuple[Any, bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _put_together(header: Any, numbers: bytes) -> bytes:
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + numbers


def _json_damaged(random: Random, value: Any) -> Any:
    """The value with something at a random place in it replaced, taken out or doubled."""
    odd = _VALUES[int(random.integers(len(_VALUES)))]
    if not isinstance(value, (list, dict)) or not value or random.integers(6) == 0:
        return odd
    value = value.copy()
    key: Any = int(random.integers(len(value))) if isinstance(value, list) else list(value)[random.integers(len(value))]
    change = int(random.integers(8))
    if change == 0:
        del value[key]
    elif change == 1 and isinstance(value, list):
        value.append(value[key])
    elif change == 1:
        value[str(odd)] = value[key]
    else:
        value[key] = _json_damaged(random, value[key])
    return value

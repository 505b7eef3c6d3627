"""The named arrays of a NumPy archive (.npz), each checked before memory is taken for it.

The file may be damaged or hostile: nothing in it is evaluated, no size that it claims is believed, and what is wrong
is a FormatError that names the file and the array. Formats: numpy.lib.format and PKWARE's APPNOTE.
"""

from __future__ import annotations

import errno
import math
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from tensorgrad.data.table import Array
from tensorgrad.errors import FormatError
from tensorgrad.regular_file import check_regular

__all__ = ["Archive", "Header", "opened"]

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}  # of the header's length, by the format's major version
_LONGEST_HEADER = 10_000  # NumPy's own limit; a plain array needs a hundred
_MOST_DIMS = 64
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # np.savez and np.savez_compressed
_ENCRYPTED = 1
_PIECE = 1 << 20

# A member may unpack to so many bytes whatever it is packed into, and beyond that to so many times its packed size.
_AT_EASE = 1 << 26
_MOST_TIMES = 250

_FIELD = (
    r"""(?P<q{0}>['"])(?:descr(?P=q{0})\s*:\s*(?P<r{0}>['"])(?P<descr{0}>[^'"\\]*)(?P=r{0})"""
    r"""|fortran_order(?P=q{0})\s*:\s*(?P<order{0}>True|False)"""
    r"""|shape(?P=q{0})\s*:\s*\((?P<shape{0}>[\d\sL,]*)\))"""
)
_HEADER = re.compile(r"\s*\{\s*" + r"\s*,\s*".join(_FIELD.format(i) for i in range(3)) + r"(?:\s*,)?\s*\}\s*")
_DESCR = re.compile(r"[<>|=]?[A-Za-z?]\d{0,9}(\[\w+\])?")
_DIM = re.compile(r"\s*(\d{1,18})L?\s*")


@dataclass(frozen=True)
class Header:
    """What an array says of itself; `start` is where its numbers begin in the member."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int


class Archive:
    """The arrays of an open file by their names."""

    def __init__(self, path: str, file: zipfile.ZipFile, length: int) -> None:
        self.path = path
        self._file = file
        self._length = length
        self._members: dict[str, list[zipfile.ZipInfo]] = {}
        for info in file.infolist():
            self._members.setdefault(info.filename.removesuffix(".npy"), []).append(info)
        self.names = sorted(self._members)

    def header(self, name: str) -> Header:
        """The dtype and shape of an array, which fit the member's size unless the dtype is object."""
        info = self._member(name)
        with self._blaming(name), self._file.open(info) as stream:
            header = _read_header(stream)
            wanted = math.prod(header.shape) * header.dtype.itemsize
            held = info.file_size - header.start
            if wanted != held and not header.dtype.hasobject:
                raise ValueError(f"shape {header.shape} of {header.dtype} takes {wanted} bytes, and it has {held}")
        return header

    def read(self, name: str, header: Header) -> Array:
        """The array that `header` is about."""
        info = self._member(name)
        memory = np.empty(info.file_size - header.start, np.uint8)
        with self._blaming(name), self._file.open(info) as stream:
            stream.read(header.start)
            for first in range(0, memory.size, _PIECE):
                _fill(memory[first : first + _PIECE], stream)
            if stream.read(1):
                raise ValueError("it goes on after its last number")
            if header.dtype.kind == "b" and memory.size and memory.max() > 1:
                raise ValueError(f"a byte of {memory.max()} is no bool")
            return memory.view(header.dtype).reshape(header.shape, order="F" if header.fortran else "C")

    def _member(self, name: str) -> zipfile.ZipInfo:
        info, *others = self._members[name]
        what = f"read_npz: {self.path}: {name}"
        if others:
            raise FormatError(f"{what} is there {1 + len(others)} times; write it once")
        if info.flag_bits & _ENCRYPTED:
            raise FormatError(f"{what} is encrypted; write it without a password")
        if info.compress_type not in _COMPRESSIONS:
            raise FormatError(
                f"{what} is compressed by method {info.compress_type}, and np.savez and np.savez_compressed use "
                f"{' and '.join(map(str, _COMPRESSIONS))} only; write it with one of these"
            )
        if info.compress_size > self._length:
            raise FormatError(
                f"{what} takes {info.compress_size} bytes, and the file has {self._length}; it is damaged"
            )
        if info.file_size > max(_AT_EASE, _MOST_TIMES * info.compress_size):
            raise FormatError(
                f"{what} unpacks to {info.file_size} bytes from {info.compress_size}, more than {_MOST_TIMES} times as "
                "many; if that is meant, write it with np.savez, which does not compress"
            )
        return info

    @contextmanager
    def _blaming(self, name: str) -> Iterator[None]:
        with _as_format_errors(f"read_npz: {self.path}: {name} is damaged or no array of numbers or text"):
            yield


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """The archive at `path`, for as long as the block runs.

    Raises: FileNotFoundError; FormatError for what is no archive.
    """
    check_regular("read_npz", path)
    what = f"read_npz: {path} is not a NumPy archive of named, unpickled arrays"
    remedy = "write it with np.savez(path, x=inputs, y=labels)"
    with open(path, "rb") as file:
        if file.read(len(_MAGIC)) == _MAGIC:
            raise FormatError(f"{what} (it holds a single array); {remedy}")
        with _as_format_errors(what, remedy):
            length = file.seek(0, 2)
            archive = Archive(path, zipfile.ZipFile(file), length)
        yield archive


@contextmanager
def _as_format_errors(what: str, remedy: str = "write it with np.savez") -> Iterator[None]:
    """What damage makes zipfile, zlib and NumPy raise, of which there is no list, as a FormatError; what the disk is to
    blame for as it is.
    """
    try:
        yield
    except FormatError:
        raise
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # these come of seeking to where a damaged file says
            raise
        raise FormatError(f"{what} ({error}); {remedy}") from error
    except Exception as error:
        raise FormatError(f"{what} ({str(error) or type(error).__name__}); {remedy}") from error


def _read_header(stream: IO[bytes]) -> Header:
    start = _exactly(stream, len(_MAGIC) + 2)
    width = _LENGTH_BYTES.get(start[-2]) if start.startswith(_MAGIC) else None
    if width is None:
        raise ValueError("it does not begin as an array does")
    length = int.from_bytes(_exactly(stream, width), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header is {length} bytes long")
    text = _exactly(stream, length).decode("latin1")
    found = _HEADER.fullmatch(text)
    fields = {k.rstrip("012"): v for k, v in found.groupdict().items() if v is not None} if found else {}
    if not {"descr", "order", "shape"} <= fields.keys():
        raise ValueError(f"its header must give one dtype, an order and a shape, got {text.strip()[:200]!r}")
    start_of_numbers = len(start) + width + length
    return Header(_dtype(fields["descr"]), _shape(fields["shape"]), fields["order"] == "True", start_of_numbers)


def _dtype(descr: str) -> np.dtype[Any]:
    if not _DESCR.fullmatch(descr):
        raise ValueError(f"there is no dtype {descr!r}")
    dtype = np.dtype(descr)
    if dtype.itemsize == 0:
        raise ValueError(f"dtype {dtype} has no size")
    return dtype


def _shape(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not parts[-1].strip():
        parts.pop()
    dims = [_DIM.fullmatch(part) for part in parts]
    if None in dims or len(dims) > _MOST_DIMS:
        raise ValueError(f"there is no shape ({text.strip()[:200]})")
    return tuple(int(dim[1]) for dim in dims if dim)


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise ValueError("it ends within its header")
    return content


def _fill(memory: Array, stream: IO[bytes]) -> None:
    done = 0
    while done < memory.size:
        piece = stream.read(memory.size - done)
        if not piece:
            raise ValueError("it ends before its last number")
        memory[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
        done += len(piece)

"""Tensors of bfloat16 out of a safetensors file: the dtype that the format has and NumPy has not.

A bfloat16 is the upper half of a float32, so it is one with sixteen zero bits after it: nothing is rounded.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any, BinaryIO

import numpy as np

from tensorgrad.errors import FormatError

__all__ = ["read_bfloat16"]

Array = np.ndarray[Any, np.dtype[Any]]

_LENGTH = 8  # bytes of the header's length, before the header


def read_bfloat16(path: str, names: list[str], seen: os.stat_result) -> dict[str, Array]:
    """The tensors `names` of the file in float32. The file has been found to be whole, and these to be bfloat16.

    Raises: FormatError where it is no longer the one of which `seen` was the state before.
    """
    with open(path, "rb") as file:
        if _identity(os.fstat(file.fileno())) != _identity(seen):
            raise FormatError(f"load: {path} was replaced while it was read; load it again")
        length = int.from_bytes(file.read(_LENGTH), "little")
        header = json.loads(file.read(length))
        try:
            return {name: _widened(file, _LENGTH + length, header[name]) for name in names}
        except ValueError as error:  # NumPy refuses shapes that the format allows: 65 dims, none of which is long
            raise FormatError(f"load: {path}: a tensor of BF16 cannot be read ({error})") from error


def _widened(file: BinaryIO, start: int, entry: dict[str, Any]) -> Array:
    file.seek(start + entry["data_offsets"][0])
    halves = np.frombuffer(file.read(2 * math.prod(entry["shape"])), "<u2")
    wide: Array = np.left_shift(halves, 16, dtype=np.uint32).view(np.float32)
    return wide.reshape(entry["shape"])


def _identity(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns

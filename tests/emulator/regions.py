"""The memory of a launch, to be rebuilt in another process: regions, and the words in them that are addresses."""

from __future__ import annotations

import bisect
import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Region", "Regions", "Relocation"]

Array = np.ndarray[Any, Any]


@dataclass
class Region:
    start: int
    end: int

    def read(self) -> bytes:
        return ctypes.string_at(self.start, self.end - self.start)

    def write(self, content: bytes) -> None:
        """Leaves memory alone that has not changed: it may be read-only."""
        if content != self.read():
            ctypes.memmove(self.start, content, len(content))


@dataclass(frozen=True)
class Relocation:
    """The eight bytes at `offset` of `region` hold the address of byte `target_offset` of region `target`."""

    region: int
    offset: int
    target: int
    target_offset: int


class Regions:
    """Arrays that overlap share a region; every other array is a region of its own."""

    def __init__(self, arrays: Iterable[Array]) -> None:
        self.regions: list[Region] = []
        for start, end in sorted({_extent(array) for array in arrays}):
            if self.regions and start < self.regions[-1].end:
                self.regions[-1].end = max(self.regions[-1].end, end)
            else:
                self.regions.append(Region(start, end))
        self._starts = [region.start for region in self.regions]

    def find(self, address: int) -> tuple[int, int] | None:
        """(region, offset) of an address, or None where it belongs to no array."""
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0 or address >= max(self.regions[index].end, self._starts[index] + 1):
            return None
        return index, address - self._starts[index]

    def addresses_in(self, array: Array) -> list[Relocation]:
        """The words of an int64 or uint64 array that are addresses of ours (real data never looks like one)."""
        if not self.regions or array.dtype.kind not in "iu" or array.dtype.itemsize != 8:
            return []
        words = np.frombuffer(ctypes.string_at(*_start_and_size(array)), np.uint64)
        candidates = np.flatnonzero((words >= self._starts[0]) & (words <= self.regions[-1].end))
        return [found for word in candidates for found in self._relocation(array, int(word), int(words[word]))]

    def _relocation(self, array: Array, word: int, address: int) -> Sequence[Relocation]:
        here, there = self.find(_extent(array)[0] + 8 * word), self.find(address)
        return [Relocation(*here, *there)] if here and there else []


def _start_and_size(array: Array) -> tuple[int, int]:
    start: int = array.__array_interface__["data"][0]
    return start, array.nbytes


def _extent(array: Array) -> tuple[int, int]:
    start, size = _start_and_size(array)
    return start, start + size

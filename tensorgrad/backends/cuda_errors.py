"""Errors that a device finds while the host has gone on: noted in device memory, raised when the host next waits."""

from __future__ import annotations

import math
from typing import Any

from tensorgrad.backends.cuda_kernels import CheckKernels
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.errors import BoundsError

__all__ = ["DeferredErrors"]

_OUT_OF_BOUNDS = 1


class DeferredErrors:
    """The error word of a device: int64[8], of which the first check that fails sets code, where, value, position, low
    and high; later ones leave it.

    `raise_pending` is called wherever the host waits for the device, and costs a small copy where anything was checked.
    """

    def __init__(self, kernels: CheckKernels, word: Array) -> None:
        self._kernels = kernels
        self._word = word
        self._checks: dict[tuple[str, Shape], int] = {}
        self._described: list[tuple[str, Shape]] = []
        self._unread = False

    def check_bounds(self, indices: Array, low: int, high: int, what: str) -> None:
        """Let the device note the first of the contiguous `indices` outside [low, high)."""
        self._kernels.check_bounds(indices, low, high, _OUT_OF_BOUNDS, self._number(what, indices.shape), self._word)

    def wrap_indices(self, indices: Array, out: Array, size: int, what: str) -> None:
        """out = indices counted from the start; the device notes the first one outside [-size, size)."""
        number = self._number(what, indices.shape)
        self._kernels.wrap_indices(indices, out, size, _OUT_OF_BOUNDS, number, self._word)

    def raise_pending(self, always: bool = False) -> None:
        """BoundsError for the first check that has failed since the last call.

        `always` looks although no check was launched from here since: a graph that is replayed launches its own.
        """
        if not (self._unread or always):
            return
        self._unread = False
        code, number, value, position, low, high, *_ = self._word.get().tolist()
        if code == 0:
            return
        self._word.fill(0)
        what, shape = self._described[number]
        raise BoundsError(f"{what} must be in [{low}, {high}), got {value}{_place(position, shape)}")

    def _number(self, what: str, shape: Shape) -> int:
        self._unread = True
        found = self._checks.get((what, shape))
        if found is None:
            found = self._checks[what, shape] = len(self._described)
            self._described.append((what, shape))
        return found


def _place(position: int, shape: Shape) -> str:
    """The position of an element in C order, as the CPU's message says it."""
    if not shape:
        return ""
    where: list[Any] = []
    for i in range(len(shape)):
        where.append(position // math.prod(shape[i + 1 :]) % shape[i])
    return f" at position {where[0] if len(where) == 1 else tuple(where)}"

"""Arrays and launches for driving kernels one by one: any offset from a 16-byte boundary, random contents, poisoned
results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tensorgrad.backends.cuda.errors import ERROR_WORDS
from tensorgrad.backends.cuda.launch import Launcher
from tensorgrad.backends.cuda.modules import KernelModules

__all__ = ["KernelDevice"]

Array = Any
Shape = tuple[int, ...]

DRAWN = 1 << 20  # random numbers drawn on the host; longer arrays repeat them
POISON = 255  # every byte: a nan of every floating type, the largest unsigned integer
OFTEN = 8  # how often random 32-bit words may be that integer


class KernelDevice:
    """`launched`: the names of the kernels launched so far. `offset`: elements by which arrays made from now on miss a
    16-byte boundary. `drawn`: how many random numbers an array has before they come again."""

    def __init__(self, cupy: Any, seed: int = 0) -> None:
        self.cupy = cupy
        self.launched: set[str] = set()
        self.offset = 0
        self.drawn = DRAWN
        self.rng = np.random.default_rng(seed)
        self._normal = self.rng.standard_normal(2 * DRAWN)
        self._functions: dict[str, Callable[..., None]] = {}
        self._modules = KernelModules(cupy.RawModule)
        count = cupy.cuda.Device().attributes["MultiProcessorCount"]
        self.launcher = Launcher(self._function, cupy.empty, cupy.asarray, count)

    # ------------------------------------------------------------------ arrays
    def empty(self, shape: Shape, dtype: str) -> Array:
        return self.cupy.empty(math.prod(shape) + self.offset, dtype)[self.offset :].reshape(shape)

    def error_word(self) -> Array:
        """An error word in which nothing is wrong."""
        return self.filled((ERROR_WORDS,), "int64", np.zeros(ERROR_WORDS, np.int64))

    def filled(self, shape: Shape, dtype: str, block: Array) -> Array:
        """An array with the host's numbers in `block` over and over."""
        array = self.empty(shape, dtype)
        flat = array.reshape(-1)
        start = min(block.size, self.period(shape))
        flat[:start] = self.cupy.asarray(block[:start])
        while start < flat.size:
            step = min(start, flat.size - start)
            flat[start : start + step] = flat[:step]
            start += step
        return array

    def normal(self, shape: Shape, dtype: str, scale: float = 1.0) -> Array:
        """A stretch, from anywhere, of the same normal numbers."""
        count = min(math.prod(shape), self.drawn)
        start = int(self.rng.integers(0, DRAWN))
        return self.from_host(shape, dtype, self._normal[start : start + count] * scale)

    def from_host(self, shape: Shape, dtype: str, block: Array) -> Array:
        """An array of float64 numbers that repeat `block`."""
        return self.filled(shape, dtype, block.astype(dtype))

    def integers(self, shape: Shape, high: int, dtype: str = "int64") -> Array:
        return self.filled(shape, dtype, self.rng.integers(0, high, min(math.prod(shape), self.drawn)).astype(dtype))

    def scalar(self, value: float, dtype: str = "float64") -> Array:
        return self.cupy.asarray(np.array(value, dtype))

    def key(self) -> Array:
        return self.cupy.asarray(np.array((12345, 2**32 - 2), np.uint64))

    def values(self, x: Array, at: Array | slice = slice(None)) -> Array:
        """The elements (rows, of a matrix) `at` those positions, on the host."""
        return x[at if isinstance(at, slice) else self.cupy.asarray(at)].get()

    def period(self, shape: Shape) -> int:
        """After how many elements a random array of this shape repeats itself: after whole rows, where it can."""
        count, row = math.prod(shape), shape[-1]
        return count if count <= self.drawn else self.drawn // row * row or self.drawn

    def first(self, x: Array) -> Array:
        """As many elements from the start as are not repeated."""
        return x.reshape(-1)[: self.period(x.shape)].get()

    # ------------------------------------------------------------------ poison
    def poison(self, x: Array) -> None:
        x.view("uint8").fill(POISON)

    def left_unwritten(self, x: Array) -> int:
        """How many elements are still poison."""
        words = self._words(x)
        count = int((words == words.dtype.type((1 << 8 * words.dtype.itemsize) - 1)).sum().get())
        return 0 if words.dtype.itemsize >= 4 and x.dtype.kind in "iu" and count <= OFTEN else count

    @staticmethod
    def _words(x: Array) -> Array:
        return x.view(f"uint{8 * x.dtype.itemsize}")

    # ------------------------------------------------------------------ launches
    def _function(self, name: str) -> Callable[..., None]:
        if name not in self._functions:
            self._functions[name] = self._modules.get_function(name)
        self.launched.add(name)
        return self._functions[name]

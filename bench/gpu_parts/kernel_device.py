"""Arrays and launches for driving kernels one by one: every dtype they have (bfloat16, which CuPy lacks, as its bits),
any offset from a 16-byte boundary, random contents, poisoned results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.gpu_parts.bfloat16 import BFLOAT16, from_bits, to_bits
from tensorgrad.backends.cuda.launch import Launcher
from tensorgrad.backends.cuda.modules import KernelModules

__all__ = ["KernelDevice", "memory_of"]

Array = Any
Shape = tuple[int, ...]

DRAWN = 1 << 20  # random numbers drawn on the host; longer arrays repeat them
POISON = 255  # every byte: a nan of every floating type, the largest unsigned integer
OFTEN = 8  # how often random 32-bit words may be that integer


class Bits:
    """A bfloat16 array as the launch side sees it: uint16 memory under another dtype."""

    dtype = BFLOAT16

    def __init__(self, array: Array) -> None:
        self.array = array
        self.shape: Shape = array.shape
        self.size: int = array.size
        self.flags = array.flags
        self.data = array.data


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
        count, placed = math.prod(shape), "uint16" if dtype == "bfloat16" else dtype
        array = self.cupy.empty(count + self.offset, placed)[self.offset :].reshape(shape)
        return Bits(array) if dtype == "bfloat16" else array

    def filled(self, shape: Shape, dtype: str, block: Array) -> Array:
        """An array with the host's numbers in `block` over and over."""
        array = self.empty(shape, dtype)
        flat = memory_of(array).reshape(-1)
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
        return self.filled(shape, dtype, to_bits(block) if dtype == "bfloat16" else block.astype(dtype))

    def integers(self, shape: Shape, high: int, dtype: str = "int64") -> Array:
        return self.filled(shape, dtype, self.rng.integers(0, high, min(math.prod(shape), self.drawn)).astype(dtype))

    def scalar(self, value: float, dtype: str = "float64") -> Array:
        return self.cupy.asarray(np.array(value, dtype))

    def key(self) -> Array:
        return self.cupy.asarray(np.array((12345, 2**32 - 2), np.uint64))

    def values(self, x: Array, at: Array | slice = slice(None)) -> Array:
        """The elements (rows, of a matrix) `at` those positions, on the host; those of bfloat16 as float32."""
        memory = memory_of(x)
        host = (memory[at] if isinstance(at, slice) else memory[self.cupy.asarray(at)]).get()
        return from_bits(host) if isinstance(x, Bits) else host

    def period(self, shape: Shape) -> int:
        """After how many elements a random array of this shape repeats itself: after whole rows, where it can."""
        count, row = math.prod(shape), shape[-1]
        return count if count <= self.drawn else self.drawn // row * row or self.drawn

    def first(self, x: Array) -> Array:
        """As many elements from the start as are not repeated."""
        host = memory_of(x).reshape(-1)[: self.period(x.shape)].get()
        return from_bits(host) if isinstance(x, Bits) else host

    # ------------------------------------------------------------------ poison
    def poison(self, x: Array) -> None:
        memory_of(x).view("uint8").fill(POISON)

    def left_unwritten(self, x: Array) -> int:
        """How many elements are still poison."""
        words = self._words(x)
        count = int((words == words.dtype.type((1 << 8 * words.dtype.itemsize) - 1)).sum().get())
        return 0 if words.dtype.itemsize >= 4 and memory_of(x).dtype.kind in "iu" and count <= OFTEN else count

    @staticmethod
    def _words(x: Array) -> Array:
        memory = memory_of(x)
        return memory.view(f"uint{8 * memory.dtype.itemsize}")

    # ------------------------------------------------------------------ launches
    def _function(self, name: str) -> Callable[..., None]:
        if name not in self._functions:
            kernel = self._modules.get_function(name)

            def launch(grid: Shape, block: Shape, args: tuple[Any, ...]) -> None:
                kernel(grid, block, tuple([memory_of(a) for a in args]))

            self._functions[name] = launch
        self.launched.add(name)
        return self._functions[name]


def memory_of(x: Any) -> Any:
    """The array that CuPy knows."""
    return x.array if isinstance(x, Bits) else x

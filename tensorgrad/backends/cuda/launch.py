"""How kernels are launched: argument checks, grids, and what they need of a device.

A kernel checks nothing: a wrong dtype or a strided array is read as garbage. So every launch passes here first. Neither
this module nor those built on it import cupy: arrays are objects with `data.ptr`, `size`, `dtype`, `shape` and
`flags.c_contiguous`, and the device is a `Launcher`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tensorgrad.backends.kernel_files import FLOATS, SUFFIXES
from tensorgrad.backends.primitives import Array, Shape
from tensorgrad.dtypes import DType
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError

__all__ = [
    "MOST_THREADS",
    "Launcher",
    "arithmetic_dtype",
    "check_arrays",
    "check_dtype",
    "float_suffix",
    "has_kernels",
    "matrix",
    "optional",
    "per_vector",
    "suffix_of",
    "suits",
]

Launch: TypeAlias = "Callable[[tuple[int, ...], tuple[int, ...], tuple[Any, ...]], object]"

MOST_THREADS = 256  # THREADS in kernels/common/launch.cuh
VECTOR_BYTES = 16
WARP = 32

# Enough blocks for each multiprocessor that none runs dry at the end, few enough that each has more than one round.
_BLOCKS_EACH = 16
# Below this length a warp does a row as fast as a block, and needs no barriers.
_LONGEST_OF_WARP = 1024


@dataclass(frozen=True)
class Launcher:
    """A device, as the launches see it.

    get_function: the kernel of a name ("adam_f32"), called as f(grid, block, args).
    scratch: an uninitialised C-contiguous array of a shape and dtype, to work in during a launch (see Backend.scratch).
    upload: a device array of a NumPy array.
    multiprocessors: how many the device has.
    threads: in a block; a multiple of 32, at most MOST_THREADS.
    """

    get_function: Callable[[str], Launch]
    scratch: Callable[[Shape, DType], Array]
    upload: Callable[[np.ndarray[Any, Any]], Array]
    multiprocessors: int
    threads: int = MOST_THREADS

    def __post_init__(self) -> None:
        if self.threads % WARP or not 0 < self.threads <= MOST_THREADS:
            wanted = f"a multiple of {WARP} up to {MOST_THREADS}"
            raise ArgumentError(f"Launcher: threads must be {wanted}, got {self.threads}")

    def flat(self, name: str, count: int, each: int, *args: Any) -> None:
        """Launch over `count` elements of which a thread takes `each` at a time. None are none to launch for."""
        if count:
            blocks = min(-(-count // (self.threads * each)), self._most_blocks)
            self.get_function(name)((blocks,), (self.threads,), args)

    def blocks(self, name: str, count: int, *args: Any) -> None:
        """Launch `count` blocks."""
        self.get_function(name)((count,), (self.threads,), args)

    def one_thread(self, name: str, *args: Any) -> None:
        self.get_function(name)((1,), (1,), args)

    def rows(self, name: str, rows: int, columns: int, *args: Any) -> None:
        """Launch with a team for each row: a warp, or a block where rows are long or few."""
        if not rows or not columns:
            return
        long = columns > _LONGEST_OF_WARP or (columns > 4 * WARP and rows < 4 * self.multiprocessors)
        block = (self.threads, 1) if long else (WARP, self.threads // WARP)
        grid = min(-(-rows // block[1]), self._most_blocks)
        self.get_function(name)((grid,), block, args)

    def tiles(self, columns: int, itemsize: int) -> tuple[int, tuple[int, int]]:
        """The tiles and the block of a kernel that sums columns: each thread has 16 bytes' worth of them."""
        each = VECTOR_BYTES // itemsize
        lanes = min(WARP, 1 << (-(-columns // each) - 1).bit_length())
        return -(-columns // (lanes * each)), (lanes, self.threads // lanes)

    def slabs(self, rows: int, tiles: int, depth: int) -> tuple[int, int]:
        """(how many slabs of rows, rows in each): enough blocks to fill the device, unless each had too little."""
        wanted = min(-(-4 * self.multiprocessors // tiles), -(-rows // (4 * depth)))
        height = -(-rows // max(wanted, 1))
        return -(-rows // height), height

    def pieces(self, count: int) -> int:
        """Blocks for so many pieces of a table."""
        return min(count, self._most_blocks)

    @property
    def _most_blocks(self) -> int:
        return self.multiprocessors * _BLOCKS_EACH


def suffix_of(x: Array) -> str:
    return SUFFIXES[x.dtype.name]


def arithmetic_dtype(dtype: DType) -> DType:
    """What the kernels compute in: float64 for float64, else float32."""
    return np.dtype(np.float64 if dtype.name == "float64" else np.float32)


def has_kernels(dtype: DType) -> bool:
    """Whether the kernels of floating arrays exist in `dtype`."""
    return dtype.name in FLOATS


def suits(*arrays: Array | None) -> bool:
    """Whether kernels can take these arrays: C-contiguous, of one floating dtype. None is left out."""
    given = [x for x in arrays if x is not None]
    dtype = given[0].dtype
    return has_kernels(dtype) and all(x.dtype == dtype and x.flags.c_contiguous for x in given)


def check_arrays(op: str, dtype: DType, shape: Shape | None, /, **arrays: Array) -> None:
    """Raise unless every array is C-contiguous, of `dtype` and (where it is given) of `shape`."""
    for name, x in arrays.items():
        if x.dtype != dtype:
            raise DTypeError(f"{op}: {name} must be {dtype}, got {x.dtype}")
        if shape is not None and x.shape != shape:
            raise ShapeError(f"{op}: {name} must have shape {shape}, got {x.shape}")
        if not x.flags.c_contiguous:
            raise ArgumentError(f"{op}: {name} of shape {x.shape} must be C-contiguous; copy it first")


def check_dtype(op: str, name: str, x: Array, allowed: tuple[str, ...] = FLOATS) -> None:
    """Raise unless there is a kernel for the dtype of `x`."""
    if x.dtype.name not in allowed:
        raise DTypeError(f"{op}: {name} must be one of {', '.join(allowed)}, got {x.dtype}")


# ---------------------------------------------------------------------- arguments of kernels
_YES, _NO = np.int32(1), np.int32(0)


def optional(x: Array | None, stand_in: Array) -> tuple[Array, np.int32]:
    """An array that may be missing, as a kernel takes it: some pointer of the right type, and whether to follow it."""
    return (stand_in, _NO) if x is None else (x, _YES)


def per_vector(x: Array) -> int:
    """How many elements 16 bytes hold."""
    return 16 // int(x.dtype.itemsize)


def float_suffix(op: str, x: Array) -> str:
    check_dtype(f"{op} kernel", "out", x)
    return suffix_of(x)


def matrix(op: str, x: Array) -> tuple[int, int]:
    if len(x.shape) != 2:
        raise ShapeError(f"{op}: expected (rows, columns), got shape {x.shape}")
    return x.shape[0], x.shape[1]

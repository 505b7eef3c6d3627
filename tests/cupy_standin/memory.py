"""Device memory: buffers of host memory, the pool that counts them, and the allocator in use.

Fresh memory is full of 0xFF bytes, NaN in every floating-point type, so that nobody gets zeros they did not ask for.
A buffer has exactly the size asked for, and so AddressSanitizer sees a kernel that leaves it; the pool counts in units
of 512 bytes.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from tests.cupy_standin.device import Device, current_device

__all__ = ["Memory", "MemoryPointer", "MemoryPool", "OutOfMemoryError", "alloc", "get_default_memory_pool"]

Host: TypeAlias = "np.ndarray[Any, Any]"
UNIT = 512
GARBAGE = 0xFF


class OutOfMemoryError(MemoryError):
    """The limit of a pool is reached."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        text = f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes"
        super().__init__(text + (f", limit set to: {limit:,} bytes)." if limit else ")."))


_live: weakref.WeakSet[Memory] = weakref.WeakSet()


def live_buffers() -> list[Host]:
    """All device memory there is: what a kernel may reach through a table of addresses."""
    return [memory.buffer for memory in list(_live) if memory.size]


class Memory:
    """A buffer on the current device."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.device_id = current_device()
        self.buffer: Host = np.empty(size, np.uint8)
        self.buffer.fill(GARBAGE)
        self.ptr = int(self.buffer.ctypes.data) if size else 0
        _live.add(self)

    @property
    def device(self) -> Device:
        return Device(self.device_id)


class PooledMemory(Memory):
    """A buffer that tells its pool when nobody uses it any more."""

    def __init__(self, size: int, pool: MemoryPool, counted: int) -> None:
        super().__init__(size)
        self._pool = pool
        self._counted = counted

    def __del__(self) -> None:
        self._pool._give_back(self._counted)


class MemoryPointer:
    """A place in a buffer."""

    def __init__(self, mem: Memory, offset: int) -> None:
        self.mem = mem
        self.ptr = mem.ptr + offset
        self.offset = offset

    @property
    def device(self) -> Device:
        return self.mem.device

    @property
    def device_id(self) -> int:
        return self.mem.device_id

    def __add__(self, offset: int) -> MemoryPointer:
        return MemoryPointer(self.mem, self.offset + offset)

    def __int__(self) -> int:
        return self.ptr

    def memset(self, value: int, size: int) -> None:
        self.mem.buffer[self.offset : self.offset + size] = value


class MemoryPool:
    """Counts as CuPy's pool does: freed blocks stay in it until `free_all_blocks`."""

    def __init__(self, allocator: Any = None) -> None:
        self._lock = threading.RLock()
        self._used = 0
        self._free: Counter[int] = Counter()
        self._limit = 0

    def malloc(self, size: int) -> MemoryPointer:
        if size == 0:
            return MemoryPointer(Memory(0), 0)
        counted = -(-size // UNIT) * UNIT
        with self._lock:
            self._reserve(size, counted)
        return MemoryPointer(PooledMemory(size, self, counted), 0)

    def _reserve(self, size: int, counted: int) -> None:
        if self._free[counted]:
            self._free[counted] -= 1
        elif self._limit and self.total_bytes() + counted > self._limit:
            self.free_all_blocks()
            if self.total_bytes() + counted > self._limit:
                raise OutOfMemoryError(size, self.total_bytes(), self._limit)
        self._used += counted

    def _give_back(self, counted: int) -> None:
        with self._lock:
            self._used -= counted
            self._free[counted] += 1

    def used_bytes(self) -> int:
        return self._used

    def free_bytes(self) -> int:
        with self._lock:
            return sum(size * count for size, count in self._free.items())

    def total_bytes(self) -> int:
        return self._used + self.free_bytes()

    def n_free_blocks(self) -> int:
        with self._lock:
            return sum(self._free.values())

    def free_all_blocks(self, stream: Any = None) -> None:
        with self._lock:
            self._free.clear()

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        if (size is None) == (fraction is None):
            raise ValueError("exactly one of size and fraction must be given")
        self._limit = int(size if size is not None else Device().mem_info[1] * (fraction or 0))

    def get_limit(self) -> int:
        return self._limit


class PinnedMemoryPool:
    """Page-locked host memory: here any host memory will do, so nothing is kept."""

    def n_free_blocks(self) -> int:
        return 0

    def free_all_blocks(self) -> None:
        pass


# ---------------------------------------------------------------------- the allocator in use
Allocator = Callable[[int], MemoryPointer]
_default_pool = MemoryPool()
_default_pinned_pool = PinnedMemoryPool()
_default: Allocator = _default_pool.malloc


class _Thread(threading.local):
    allocator: Allocator | None = None


_thread = _Thread()


def get_default_memory_pool() -> MemoryPool:
    """The pool arrays come from unless another allocator was set."""
    return _default_pool


def get_default_pinned_memory_pool() -> PinnedMemoryPool:
    """The pool of page-locked memory."""
    return _default_pinned_pool


def alloc(size: int) -> MemoryPointer:
    """Memory from the allocator in use."""
    return (_thread.allocator or _default)(size)


def get_allocator() -> Allocator:
    return _thread.allocator or _default


def set_allocator(allocator: Allocator | None = None) -> None:
    """Use `allocator` from now on; None: memory that no pool counts."""
    global _default
    if _thread.allocator is not None:
        raise ValueError("Can't change the global allocator inside `using_allocator` context manager")
    _default = allocator or _unpooled


@contextmanager
def using_allocator(allocator: Allocator | None = None) -> Iterator[None]:
    """Use `allocator` in this thread, inside the context."""
    before = _thread.allocator
    _thread.allocator = allocator or _unpooled
    try:
        yield
    finally:
        _thread.allocator = before


def _unpooled(size: int) -> MemoryPointer:
    return MemoryPointer(Memory(size), 0)

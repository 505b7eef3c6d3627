"""Device memory: buffers of host memory, the pool that counts them, and the allocator in use.

Fresh memory is full of 0xFF bytes, NaN in every floating-point type, so that nobody gets zeros they did not ask for.
A buffer has exactly the size asked for, and so AddressSanitizer sees a kernel that leaves it. The pool counts in units
of 512 bytes, and deals with blocks that exist in its books alone.
"""

from __future__ import annotations

import gc
import threading
import weakref
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np

from tests.cupy_standin.device import Device, current_device

__all__ = [
    "Memory",
    "MemoryPointer",
    "MemoryPool",
    "OutOfMemoryError",
    "UnownedMemory",
    "alloc",
    "get_default_memory_pool",
]

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
        self.start = 0  # where `ptr` points in the buffer
        _live.add(self)

    @property
    def device(self) -> Device:
        return Device(self.device_id)


class UnownedMemory(Memory):
    """Device memory that somebody else keeps: `owner`."""

    def __init__(self, ptr: int, size: int, owner: Any, device_id: int = -1) -> None:
        found = _memory_at(ptr) if size else None
        if size and found is None:
            raise RuntimeError(f"UnownedMemory: no device memory at {ptr:#x}")  # CuPy goes on, and faults
        self.size = size
        self.device_id = device_id if device_id >= 0 else current_device() if found is None else found.device_id
        self.buffer = np.empty(0, np.uint8) if found is None else found.buffer
        self.start = 0 if found is None else ptr - found.ptr
        self.ptr = ptr
        self._owner = owner


def _memory_at(ptr: int) -> Memory | None:
    return next((m for m in list(_live) if m.ptr <= ptr < m.ptr + len(m.buffer)), None)


class PooledMemory(Memory):
    """A buffer that tells its pool when nobody uses it any more. Its `size` is what the pool counts."""

    def __init__(self, size: int, pool: _DevicePool, piece: _Piece) -> None:
        super().__init__(size)
        self.size = piece.size
        self._pool = pool
        self._piece = piece

    def __del__(self) -> None:
        self._pool.returned.append(self._piece)


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


class _Piece:
    """Part of a block that the device gave, or all of it: then it has no neighbours."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.before: _Piece | None = None
        self.after: _Piece | None = None


class _DevicePool:
    """What a pool counts on one device: CuPy's `_Arena`, for all streams together.

    Of free pieces the smallest is taken that is large enough, and what is too much of it is split off. Free neighbours
    become one piece again. Only blocks that are free as a whole go back to the device.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[_Piece] = []  # the smallest first
        self._used = self._total = 0
        self.limit = 0
        # Pieces arrive here from any thread, in the middle of anything, and are put away when next somebody looks.
        self.returned: deque[_Piece] = deque()

    def malloc(self, size: int) -> MemoryPointer:
        if size == 0:
            return MemoryPointer(Memory(0), 0)
        counted = -(-size // UNIT) * UNIT
        with self._lock:
            piece = self._cached(counted) or self._fresh(counted)
            self._used += counted
        return MemoryPointer(PooledMemory(size, self, piece), 0)

    def used_bytes(self) -> int:
        with self._lock:
            self._put_away()
            return self._used

    def total_bytes(self) -> int:
        return self._total

    def n_free_blocks(self) -> int:
        with self._lock:
            self._put_away()
            return len(self._free)

    def free_all_blocks(self) -> None:
        with self._lock:
            self._free_all()

    # ------------------------------------------------------------------ with the lock held
    def _cached(self, size: int) -> _Piece | None:
        self._put_away()
        place = bisect_left(self._free, size, key=_size)
        if place == len(self._free):
            return None
        piece = self._free.pop(place)
        if piece.size > size:
            rest = _Piece(piece.size - size)
            rest.before, rest.after = piece, piece.after
            if piece.after is not None:
                piece.after.before = rest
            piece.size, piece.after = size, rest
            insort(self._free, rest, key=_size)
        return piece

    def _fresh(self, size: int) -> _Piece:
        for make_room in (lambda: None, self._free_all, gc.collect, self._free_all):
            make_room()
            if not self.limit or self._total + size <= self.limit:
                self._total += size
                return _Piece(size)
        raise OutOfMemoryError(size, self._total, self.limit)

    def _put_away(self) -> None:
        while self.returned:
            piece = self.returned.popleft()
            self._used -= piece.size
            while piece.after is not None and self._taken_out(piece.after):
                piece = _joined(piece, piece.after)
            while piece.before is not None and self._taken_out(piece.before):
                piece = _joined(piece.before, piece)
            insort(self._free, piece, key=_size)

    def _taken_out(self, piece: _Piece) -> bool:
        """Whether `piece` was free; it is no longer among those."""
        for place in range(bisect_left(self._free, piece.size, key=_size), len(self._free)):
            if self._free[place] is piece:
                del self._free[place]
                return True
            if self._free[place].size != piece.size:
                break
        return False

    def _free_all(self) -> None:
        self._put_away()
        whole = [p for p in self._free if p.before is None and p.after is None]
        self._total -= sum(map(_size, whole))
        self._free = [p for p in self._free if p.before is not None or p.after is not None]


def _size(piece: _Piece) -> int:
    return piece.size


def _joined(piece: _Piece, after: _Piece) -> _Piece:
    piece.size, piece.after = piece.size + after.size, after.after
    if piece.after is not None:
        piece.after.before = piece
    return piece


class MemoryPool:
    """Counts as CuPy's pool does: blocks stay in it until `free_all_blocks`, and every method is about the current
    device alone.
    """

    def __init__(self, allocator: Any = None) -> None:
        self._pools: dict[int, _DevicePool] = {}

    def _pool(self) -> _DevicePool:
        found = self._pools.get(current_device())
        return self._pools.setdefault(current_device(), _DevicePool()) if found is None else found

    def malloc(self, size: int) -> MemoryPointer:
        return self._pool().malloc(size)

    def used_bytes(self) -> int:
        return self._pool().used_bytes()

    def free_bytes(self) -> int:
        return self._pool().total_bytes() - self._pool().used_bytes()

    def total_bytes(self) -> int:
        return self._pool().total_bytes()

    def n_free_blocks(self) -> int:
        return self._pool().n_free_blocks()

    def free_all_blocks(self, stream: Any = None) -> None:
        self._pool().free_all_blocks()

    def set_limit(self, size: int | None = None, fraction: float | None = None) -> None:
        if size is not None and fraction is not None:
            raise ValueError("size and fraction cannot be specified at one time")
        self._pool().limit = int(Device().mem_info[1] * (fraction or 0) if size is None else size)

    def get_limit(self) -> int:
        return self._pool().limit


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
    found = get_allocator()(size)
    if type(found) is not MemoryPointer:
        raise TypeError(f"Cannot convert {type(found).__name__} to cupy.cuda.memory.MemoryPointer")
    return found


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

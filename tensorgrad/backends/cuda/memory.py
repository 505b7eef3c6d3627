"""The most memory that was in use at a time, which CuPy's pool does not keep."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

from tensorgrad.errors import DeviceError

__all__ = ["PeakMemory"]


class PeakMemory:
    """CuPy's default pool, and for each device that is in use the most bytes that live arrays took at a time.

    `malloc` is an allocator for CuPy. The bytes in use are at a peak only right after some have been taken, so it looks
    there, and nowhere else. (CuPy 14.1 keeps the count; 14.0 walks over all blocks for it.) Of allocations and
    deallocations that overlap in several threads, it sees one of the possible orders.

    As the pool's own methods, all but `start` and `give_back` are about the current device.
    """

    def __init__(self, cupy: Any) -> None:
        self._cuda = cupy.cuda
        self._pool = cupy.get_default_memory_pool()
        self._peaks: dict[int, int] = {}
        self._lock = threading.RLock()  # what the garbage collector runs inside may allocate too

    def start(self, index: int) -> None:
        """Count device `index` among those in use. A program that has set an allocator of its own keeps it."""
        self._peaks.setdefault(index, 0)
        if self._cuda.get_allocator() == self._pool.malloc:
            with contextlib.suppress(ValueError):  # inside `using_allocator` CuPy lets nobody set it
                self._cuda.set_allocator(self.malloc)

    def malloc(self, size: int) -> Any:
        """Memory from the pool."""
        pointer = self._pool.malloc(size)
        used = self._pool.used_bytes()
        if used > self._peaks.get(pointer.device_id, used):
            with self._lock:
                self._peaks[pointer.device_id] = max(used, self._peaks.get(pointer.device_id, 0))
        return pointer

    def peak(self, name: str, index: int) -> int:
        """The most bytes in use on device `index`, the current one, since it was started or `reset`.

        DeviceError, which names `name`, where CuPy's allocator is not this one: the peak is then unknown.
        """
        self._check(name)
        return max(self._peaks[index], int(self._pool.used_bytes()))

    def reset(self, name: str, index: int) -> None:
        """Begin anew, with what is in use now. DeviceError as in `peak`."""
        self._check(name)
        with self._lock:
            self._peaks[index] = int(self._pool.used_bytes())

    def give_back(self) -> None:
        """Give back to each device in use what the pool keeps of it to be used again."""
        for index in list(self._peaks):
            with self._cuda.Device(index):
                self._pool.free_all_blocks()

    def _check(self, name: str) -> None:
        if self._cuda.get_allocator() != self.malloc:
            raise DeviceError(
                f"cuda.{name}: this needs CuPy's default memory pool, and the program has set another allocator "
                "(cupy.cuda.set_allocator); ask that one"
            )

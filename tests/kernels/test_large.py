"""More elements than 32 bits count: kernels over 2^31 elements and some, most of which are the same few in memory.

A range of addresses is mapped onto two megabytes again and again, and its end onto memory of its own. An index that is
cut off to 32 bits would never reach that end (or fault); what stands there is compared.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends.cuda.activation import ActivationKernels
from tensorgrad.backends.cuda.loss import LossKernels
from tensorgrad.backends.cuda.optimizer import ClipKernels, OptimizerKernels, Tables
from tensorgrad.backends.cuda.random import RandomKernels
from tensorgrad.backends.cuda.reduce import ReduceKernels
from tests.composition import COMPOSITION as B
from tests.kernels.device import DeviceArray, EmulatedDevice

pytestmark = [pytest.mark.sanitizer, pytest.mark.skipif(sys.platform != "linux", reason="maps memory by Linux's calls")]

Array = Any
CHUNK = 2 << 20
MAP_FIXED = 0x10
MANY = 1 << 31


class Repeated:
    """float32[2^31 + more]: `head` over and over, and at its end, past the 2^31st, `tail`."""

    def __init__(self, libc: Any) -> None:
        self._libc = libc
        chunks = MANY * 4 // CHUNK
        self._size = (chunks + 1) * CHUNK
        self._address = self._map(0, self._size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, access=0)
        self._files = [os.memfd_create("head"), os.memfd_create("tail")]
        for file in self._files:
            os.ftruncate(file, CHUNK)
        for i in range(chunks):
            self._map(self._address + i * CHUNK, CHUNK, MAP_FIXED | mmap.MAP_SHARED, self._files[0])
        self._map(self._address + chunks * CHUNK, CHUNK, MAP_FIXED | mmap.MAP_SHARED, self._files[1])
        memory: Any = (ctypes.c_float * (self._size // 4)).from_address(self._address)
        self.values: Array = np.frombuffer(memory, np.float32)
        self.head = self.values[: CHUNK // 4]
        self.tail = self.values[MANY:]

    def _map(
        self, address: int, size: int, flags: int, file: int, access: int = mmap.PROT_READ | mmap.PROT_WRITE
    ) -> int:
        found = self._libc.mmap(address, size, access, flags, file, 0)
        assert found not in (None, ctypes.c_void_p(-1).value), "mmap failed"
        return int(found)

    def array(self, count: int, shape: tuple[int, ...] | None = None) -> DeviceArray:
        """The first `count` elements, as the launch side sees them."""
        return DeviceArray(self.values[:count].reshape(shape or (count,)))

    def close(self) -> None:
        self._libc.munmap(self._address, self._size)
        for file in self._files:
            os.close(file)


@pytest.fixture
def large() -> Iterator[Repeated]:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    memory = Repeated(libc)
    rng = np.random.default_rng(0)
    for part in (memory.head, memory.tail):
        part[:] = rng.integers(-3, 4, part.size)
    yield memory
    memory.close()


@pytest.fixture
def emulated() -> EmulatedDevice:
    return EmulatedDevice()


COUNT = MANY + 1003


def test_elementwise(large: Repeated, emulated: EmulatedDevice) -> None:
    head, tail = large.head.copy(), large.tail.copy()
    x = large.array(COUNT)
    ActivationKernels(emulated.launcher()).forward("relu", x, None, x)
    np.testing.assert_array_equal(large.head, np.maximum(head, 0))
    np.testing.assert_array_equal(large.tail[:1003], np.maximum(tail[:1003], 0))
    np.testing.assert_array_equal(large.tail[1003:], tail[1003:])


def test_columns(large: Repeated, emulated: EmulatedDevice) -> None:
    columns = CHUNK // 4
    rows = MANY // columns + 1
    out = emulated.empty((columns,), "float32")
    ReduceKernels(emulated.launcher()).column_sums(large.array(rows * columns, (rows, columns)), out)
    np.testing.assert_array_equal(emulated.values(out), large.head * (rows - 1) + large.tail)


def test_tables(large: Repeated, emulated: EmulatedDevice) -> None:
    """A step of SGD."""
    tail = large.tail.copy()
    large.head[:] = 0
    p = large.array(COUNT)
    lr, step = (emulated.array(np.array(value)) for value in (-1.0, 0.0))  # p += g, and g is p
    options: dict[str, Any] = {
        "momentum": 0.0,
        "dampening": 0.0,
        "weight_decay": 0.0,
        "nesterov": False,
        "maximize": False,
    }
    OptimizerKernels(Tables(emulated.launcher())).sgd_step([p], [p], None, lr, step, **options)
    np.testing.assert_array_equal(large.head, np.zeros_like(large.head))
    np.testing.assert_array_equal(large.tail[:1003], 2 * tail[:1003])
    np.testing.assert_array_equal(large.tail[1003:], tail[1003:])


def test_norm(large: Repeated, emulated: EmulatedDevice) -> None:
    large.head[:] = 0
    norm = ClipKernels(Tables(emulated.launcher())).total_norm([large.array(COUNT)], 2.0)
    wanted = np.linalg.norm(large.tail[:1003].astype(np.float64))
    assert float(emulated.values(norm)) == pytest.approx(wanted, rel=1e-6)


def test_random(large: Repeated, emulated: EmulatedDevice) -> None:
    key = np.array([5, 0], np.uint64)
    RandomKernels(emulated.launcher()).uniform(emulated.array(key), large.array(COUNT))
    key[1] = MANY // 4  # in blocks of four words
    np.testing.assert_array_equal(large.tail[:1003], B.random_uniform(key, (1003,), np.dtype(np.float32)))


def test_rows(large: Repeated, emulated: EmulatedDevice) -> None:
    columns = CHUNK // 4
    rows = MANY // columns + 1
    head, tail = large.head.copy(), large.tail.copy()
    labels = np.zeros(rows, np.int64)
    labels[-1] = 7
    x, scale = large.array(rows * columns, (rows, columns)), emulated.array(np.ones(1, np.float32))
    LossKernels(emulated.launcher()).cross_entropy_backward(scale, x, emulated.array(labels), x)
    head[0] -= rows - 1
    tail[7] -= 1
    np.testing.assert_array_equal(large.head, head)
    np.testing.assert_array_equal(large.tail, tail)

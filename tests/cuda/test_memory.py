"""Memory in use now and at its most: against sums of the arrays that are known to be alive."""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends.cuda.memory import PeakMemory

UNIT = 512  # bytes; what CuPy's pool counts in


def counted(nbytes: int) -> int:
    return -(-nbytes // UNIT) * UNIT


def more_than_reserved(device: tg.Device) -> int:
    """Bytes that the pool must ask the device for, and so can give back: what lies free beside something in use stays.

    The pool takes new arrays from what it has, and keeps a block as long as any part of it is in use.
    """
    gc.collect()
    tg.cuda.empty_cache()
    return tg.cuda.memory_reserved(device) + (1 << 20)


@pytest.fixture
def base(cuda: tg.Device) -> int:
    """The bytes in use before the test, from which on the peak is taken."""
    gc.collect()  # tests that expect errors leave arrays behind, in the frames of their tracebacks
    tg.cuda.reset_peak_memory_stats()
    return tg.cuda.memory_allocated()


@pytest.fixture
def _worn_pool(cuda: tg.Device) -> Iterator[None]:
    """Free memory in the pool that it cannot give back, as another part of the same block is in use."""
    nbytes = 2 * more_than_reserved(cuda)
    block = tg.zeros(nbytes, dtype=tg.uint8)
    del block
    part = tg.zeros(nbytes // 2, dtype=tg.uint8)
    yield
    del part


@pytest.fixture
def allocator(cuda: tg.Device) -> Iterator[Any]:
    """cupy.cuda, whose allocator is put back afterwards."""
    found = importlib.import_module("cupy").cuda
    before = found.get_allocator()
    yield found
    found.set_allocator(before)


def test_a_peak_outlives_the_temporaries_that_made_it(base: int) -> None:
    assert tg.cuda.max_memory_allocated() == base
    x = tg.zeros(1 << 12)
    y = x + x
    del y
    assert tg.cuda.memory_allocated() == base + counted(x.nbytes)
    assert tg.cuda.max_memory_allocated() == base + 2 * counted(x.nbytes)


def test_what_was_freed_in_between_does_not_count_twice(base: int) -> None:
    for n in (3000, 5000, 2000, 4999):
        x = tg.zeros(n)
        del x
    assert tg.cuda.max_memory_allocated() == base + counted(5000 * 4)


def test_a_reset_begins_with_what_is_in_use(base: int) -> None:
    x, y = tg.zeros(1000), tg.zeros(7000)
    del y
    tg.cuda.reset_peak_memory_stats("cuda")
    assert tg.cuda.max_memory_allocated("cuda") == base + counted(x.nbytes)
    del x
    assert tg.cuda.max_memory_allocated() == base + counted(4000)
    tg.cuda.reset_peak_memory_stats()
    assert tg.cuda.max_memory_allocated() == base


def allocate_at_random(empty: Callable[[int], Any], seed: int, steps: int = 400) -> int:
    """Take and give back arrays in random order; the most bytes that they had at a time."""
    draws = np.random.default_rng(seed)
    live: list[tuple[int, Any]] = []
    peak = 0
    for _ in range(steps):
        if live and draws.random() < 0.45:
            live.pop(draws.integers(len(live)))
        else:
            n = int(draws.integers(0, 4000))
            live.append((counted(n), empty(n)))
        peak = max(peak, sum(size for size, _ in live))
    return peak


@pytest.mark.parametrize("seed", range(4))
def test_random_sequences(seed: int, cuda: tg.Device, base: int) -> None:
    expected = allocate_at_random(lambda n: cuda.backend.empty((n,), tg.uint8), seed)
    assert tg.cuda.memory_allocated() == base
    assert tg.cuda.max_memory_allocated() == base + expected


def test_two_threads_share_the_peak(cuda: tg.Device, base: int) -> None:
    meet = threading.Barrier(2, timeout=30)
    peaks = []

    def work(seed: int) -> None:
        held = tg.zeros(10_000 * seed, dtype=tg.uint8, device=cuda)
        meet.wait()  # both arrays are alive
        peaks.append(counted(held.nbytes) + allocate_at_random(lambda n: cuda.backend.empty((n,), tg.uint8), seed))
        del held
        meet.wait()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tg.cuda.memory_allocated() == base
    least = max(counted(10_000) + counted(20_000), *peaks)
    assert base + least <= tg.cuda.max_memory_allocated() <= base + sum(peaks)


def test_a_program_may_set_an_allocator_of_its_own(base: int, allocator: Any) -> None:
    pool = allocator.MemoryPool()
    allocator.set_allocator(pool.malloc)
    x = tg.zeros(1000)
    assert pool.used_bytes() == counted(x.nbytes)
    assert tg.cuda.memory_allocated() == base
    with pytest.raises(tg.DeviceError, match="max_memory_allocated: this needs CuPy's default memory pool"):
        tg.cuda.max_memory_allocated()
    with pytest.raises(tg.DeviceError, match="reset_peak_memory_stats: "):
        tg.cuda.reset_peak_memory_stats()


def test_an_allocator_that_was_set_before_is_kept(allocator: Any) -> None:
    own = allocator.MemoryPool().malloc
    allocator.set_allocator(own)
    PeakMemory(importlib.import_module("cupy")).start(0)
    assert allocator.get_allocator() == own
    default = importlib.import_module("cupy").get_default_memory_pool().malloc
    with allocator.using_allocator(default):
        PeakMemory(importlib.import_module("cupy")).start(0)  # which CuPy would refuse to set for good
    assert allocator.get_allocator() == own


@pytest.mark.usefixtures("_worn_pool")
def test_an_unlucky_allocation_leaves_the_peak(base: int, allocator: Any) -> None:
    pool = importlib.import_module("cupy").get_default_memory_pool()
    limit, total = pool.get_limit(), pool.total_bytes()
    pool.set_limit(size=total + 4096)
    try:
        with pytest.raises(MemoryError):
            tg.zeros(total + 8192, dtype=tg.uint8)  # more than the pool has or may have
    finally:
        pool.set_limit(size=limit)
    assert tg.cuda.max_memory_allocated() == base


@pytest.mark.usefixtures("_worn_pool")
def test_the_cache_is_given_back(cuda: tg.Device) -> None:
    nbytes = more_than_reserved(cuda)
    x = tg.zeros(nbytes, dtype=tg.uint8)
    del x
    before = tg.cuda.memory_reserved()
    assert before >= nbytes
    tg.cuda.empty_cache()
    assert tg.cuda.memory_reserved() <= before - nbytes

"""Memory, devices, streams, and that the stand-in comes and goes."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.cupy_standin import install, plugin, uninstall


def test_the_pool_counts_in_units_of_512(cupy: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        x = cupy.zeros(10, "float32")
        view = x[2:]
        y = cupy.empty(200, "float32")
    assert (pool.used_bytes(), pool.total_bytes()) == (512 + 1024, 512 + 1024)
    del x
    assert pool.used_bytes() == 512 + 1024  # a view keeps the memory
    del view, y
    assert (pool.used_bytes(), pool.total_bytes(), pool.n_free_blocks()) == (0, 1536, 2)
    pool.malloc(100)
    assert pool.total_bytes() == 1536  # a free block is used again
    pool.free_all_blocks()
    assert pool.total_bytes() == 0


def test_blocks_are_split_and_joined(cupy: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    block = pool.malloc(10 * 512)
    del block
    a, b, c = (pool.malloc(n * 512) for n in (1, 2, 3))
    assert (pool.used_bytes(), pool.total_bytes(), pool.n_free_blocks()) == (6 * 512, 10 * 512, 1)
    del b
    assert pool.n_free_blocks() == 2
    small = pool.malloc(512)  # of the piece of two units, as that is the smallest
    pool.free_all_blocks()
    assert (pool.total_bytes(), pool.n_free_blocks()) == (10 * 512, 2)  # nothing goes back while a piece is in use
    del a, small
    assert pool.n_free_blocks() == 2  # three units in front of c, four behind it
    large = pool.malloc(5 * 512)
    assert pool.total_bytes() == 15 * 512
    del c, large
    assert pool.n_free_blocks() == 2
    pool.free_all_blocks()
    assert (pool.used_bytes(), pool.total_bytes()) == (0, 0)


def test_the_default_pool_sees_every_array(cupy: Any) -> None:
    pool = cupy.get_default_memory_pool()
    before = pool.used_bytes()
    x = cupy.ones(1000)
    y = x + x
    assert pool.used_bytes() == before + 2 * 8192
    del x, y
    assert pool.used_bytes() == before


def test_a_limit_runs_out(cupy: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    pool.set_limit(size=2048)
    with cupy.cuda.using_allocator(pool.malloc):
        x = cupy.zeros(128)
        with pytest.raises(cupy.cuda.memory.OutOfMemoryError, match="Out of memory allocating 8,192 bytes"):
            cupy.zeros(1000)
    assert x.size == 128


def test_fresh_memory_is_garbage(cupy: Any) -> None:
    assert np.isnan(cupy.empty(4).get()).all()
    assert (cupy.empty(4, "int32").get() == -1).all()


def test_what_comes_from_the_host_is_copied_at_once(cupy: Any) -> None:
    source = np.arange(3.0)
    x, y = cupy.asarray(source), cupy.empty(3)
    y.set(source)
    source[...] = -1
    assert x.get().tolist() == y.get().tolist() == [0, 1, 2]
    x.get()[...] = 5
    assert x.get().tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match="cannot be set"):
        y.set(np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="Only numpy"):
        y.set(x)


def test_a_copy_that_does_not_block_arrives_with_the_stream(cupy: Any) -> None:
    stream = cupy.cuda.Stream(non_blocking=True)
    x = cupy.arange(3.0)
    target = cupy.asnumpy(x, stream=stream, blocking=False)
    x[...] = 0
    assert np.isnan(target).all()
    assert not stream.done
    stream.synchronize()
    assert target.tolist() == [0, 1, 2]


def test_streams_and_events(cupy: Any) -> None:
    stream = cupy.cuda.Stream()
    assert cupy.cuda.get_current_stream() == cupy.cuda.Stream.null
    with stream:
        assert cupy.cuda.get_current_stream() is stream
        start, end = cupy.cuda.Event(), stream.record()
    assert cupy.cuda.get_current_stream() == cupy.cuda.Stream.null
    start.record()
    end.synchronize()
    assert cupy.cuda.get_elapsed_time(end, start) >= 0
    stream.wait_event(end)
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError):
        stream.begin_capture()


@pytest.fixture
def second(cupy: Any) -> Iterator[Any]:
    """A second device; the first stays the current one."""
    install(device_count=2)
    yield cupy.cuda.Device(1)
    install(device_count=1)


def test_devices(cupy: Any, second: Any) -> None:
    assert cupy.cuda.runtime.getDeviceCount() == 2
    with second:
        x = cupy.ones(2)
        with cupy.cuda.Device(0), second:  # one object may be entered again
            assert cupy.cuda.runtime.getDevice() == 1
        assert cupy.cuda.runtime.getDevice() == 1
    assert cupy.cuda.runtime.getDevice() == 0
    assert x.device == second
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="invalid device ordinal"):
        cupy.cuda.Device(2).use()
    assert cupy.cuda.runtime.getDeviceProperties(0)["name"]
    assert cupy.cuda.is_available()


@pytest.mark.parametrize(
    "use",
    [
        lambda cp, x: x + x,
        lambda cp, x: cp.add(cp.ones(2), cp.ones(2), x),
        lambda cp, x: x.sum(),
        lambda cp, x: x.astype("float32"),
        lambda cp, x: x.fill(1),
        lambda cp, x: cp.ones(2).fill(x[:1].sum()),
        lambda cp, x: cp.concatenate([x, x]),
        lambda cp, x: cp.ones(2)[x],
        lambda cp, x: cp.where(x, x, x),
        lambda cp, x: x.__setitem__(slice(None), 1),
    ],
)
def test_kernels_take_arrays_of_the_current_device_only(cupy: Any, second: Any, use: Any) -> None:
    with second:
        x = cupy.ones(2)
    with pytest.raises(ValueError, match=r"resides \(1\) is different from the current device \(0\)"):
        use(cupy, x)


def test_copies_between_devices(cupy: Any, second: Any) -> None:
    with second:
        x = cupy.arange(6.0).reshape(2, 3)
        columns = x[:, ::2]
    assert x.get().tolist() == [[0, 1, 2], [3, 4, 5]]
    for copied in (x.copy(), cupy.asarray(x), cupy.array(x, "float32"), cupy.asarray(x)):
        assert copied.device == cupy.cuda.Device(0)
        assert copied.get().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert cupy.asarray(columns, order="C").get().tolist() == [[0, 2], [3, 5]]
    with pytest.raises(NotImplementedError, match="non-contiguous"):
        cupy.asarray(columns, order="K")
    x.set(np.zeros((2, 3)))
    assert x.device == second
    assert not x.get().any()


def test_a_pool_answers_for_the_current_device(cupy: Any, second: Any) -> None:
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        x = cupy.zeros(10)
        with second:
            y = cupy.zeros(1000)
            assert (pool.used_bytes(), y.data.mem.size, y.data.device_id) == (8192, 8192, 1)
            pool.set_limit(size=8192)
            with pytest.raises(cupy.cuda.memory.OutOfMemoryError):
                cupy.zeros(1)
        cupy.zeros(1000)
    assert (pool.used_bytes(), pool.get_limit()) == (512, 0)
    del x, y
    pool.free_all_blocks()
    assert pool.total_bytes() == 0
    with second:
        assert (pool.used_bytes(), pool.total_bytes()) == (0, 8192)
        pool.free_all_blocks()
        assert pool.total_bytes() == 0


def test_the_allocator_in_use(cupy: Any) -> None:
    pool = cupy.get_default_memory_pool()
    before = cupy.cuda.get_allocator()
    sizes = []

    def allocator(size: int) -> Any:
        sizes.append(size)
        return pool.malloc(size)

    try:
        cupy.cuda.set_allocator(pool.malloc)
        assert cupy.cuda.get_allocator() == pool.malloc
        cupy.cuda.set_allocator(allocator)
        cupy.empty(3)
        assert sizes == [24]
        cupy.cuda.set_allocator(lambda size: size)
        with pytest.raises(TypeError, match="Cannot convert int to"):
            cupy.empty(3)
    finally:
        cupy.cuda.set_allocator(before)


def test_it_comes_and_goes() -> None:
    before = {name: m for name, m in sys.modules.items() if name.startswith("cupy")}
    was_there = "cupy" in before
    module = install()
    assert importlib.import_module("cupy") is module
    assert importlib.import_module("cupy.cuda.runtime") is module.cuda.runtime
    assert importlib.import_module("cupyx.scipy.special").erf
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("cupy.linalg.nothing")
    assert plugin.cuda_kind() == plugin.EMULATED
    assert plugin.pytest_report_header(None) == "cuda: emulated (CuPy stand-in)"
    if not was_there:
        uninstall()
        assert "cupy" not in sys.modules

"""Kernels without mistakes: right in every order, and silent under every sanitizer. NumPy is the oracle."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.emulator import ArgumentError, BuildError, EmulatedModule, EmulationError, available, build
from tests.emulator.module import Order, Sanitizer

pytestmark = pytest.mark.skipif(not available(), reason="the emulator needs g++")

CORRECT = Path(__file__).parent / "correct"
ORDERS: tuple[Order, ...] = ("random", "forward", "reverse")

Array = np.ndarray[Any, Any]
Launch = Callable[..., None]


@cache
def module(name: str, sanitizer: Sanitizer | None = None) -> EmulatedModule:
    return build(CORRECT / f"{name}.cu", sanitizer=sanitizer)


@pytest.fixture(
    params=[
        *(pytest.param((None, order), id=order) for order in ORDERS),
        pytest.param(("address,undefined", "random"), id="address", marks=pytest.mark.sanitizer),
        pytest.param(("thread", "random"), id="thread", marks=pytest.mark.sanitizer),
    ]
)
def launch(request: pytest.FixtureRequest) -> Launch:
    """launch(file, kernel, grid, block, args, ...): in every order, and under every sanitizer."""
    sanitizer, order = request.param

    def run(file: str, kernel: str, grid: Any, block: Any, args: Any, **more: Any) -> None:
        module(file, sanitizer).launch(kernel, grid, block, args, order=order, seed=1, **more)

    return run


def numbers(count: int, high: int = 1000) -> Array:
    return np.random.default_rng(0).integers(0, high, count).astype(np.int32)


def test_elementwise(launch: Launch) -> None:
    x = np.arange(1000, dtype=np.float32)
    launch("basics", "scale_f32", (2,), (64,), (x, np.float32(2), 1000))
    assert np.array_equal(x, 2 * np.arange(1000))


def test_sum_over_the_grid(launch: Launch) -> None:
    x = np.arange(1000, dtype=np.float64)
    total = np.zeros((), np.float64)
    launch("basics", "sum_f64", (2,), (256,), (x, 1000, total))
    assert total == x.sum()


def test_dynamic_shared_memory(launch: Launch) -> None:
    x, out = np.arange(128, dtype=np.float32), np.zeros(128, np.float32)
    launch("basics", "reverse_f32", (2,), (64,), (x, out), shared_mem=256)
    assert np.array_equal(out.reshape(2, 64), x.reshape(2, 64)[:, ::-1])


def test_structures_through_shared_memory(launch: Launch) -> None:
    x, out = np.arange(80.0).reshape(2, 40), np.ones((3, 40))
    launch("basics", "copy_structures", (1,), (32,), (x, out))
    assert np.array_equal(out, [x[1], x[0], np.zeros(40)])


def test_shuffles(launch: Launch) -> None:
    x, out = numbers(64), np.zeros((5, 2, 32), np.int32)
    launch("collectives", "shuffles", (1,), (64,), (x, out))
    warps, lane = x.reshape(2, 32), np.arange(32)
    sources = [np.full(32, 5), lane // 8 * 8 + 2, np.where(lane < 3, lane, lane - 3), None, lane ^ 7]
    sources[3] = np.where(lane % 16 + 4 > 15, lane, lane + 4)
    for got, source in zip(out, sources, strict=True):
        assert np.array_equal(got, warps[:, source])


def test_shuffles_of_every_width(launch: Launch) -> None:
    x, out = np.arange(32) + 2.0**33 + 0.5, np.zeros((3, 32))
    launch("collectives", "shuffle_types", (1,), (32,), (x, out))
    swapped = x[np.arange(32) ^ 1]
    assert np.array_equal(out, [swapped, swapped.astype(np.float32), np.floor(swapped)])


@pytest.mark.parametrize("high", [1, 2])
def test_votes(launch: Launch, high: int) -> None:
    x, out = numbers(64, high), np.zeros((4, 2, 32), np.uint32)
    launch("collectives", "votes", (1,), (64,), (x, out))
    for warp, bits in enumerate(x.reshape(2, 32)):
        assert set(out[0, warp]) == {sum(int(bit) << lane for lane, bit in enumerate(bits))}
        assert set(out[1, warp]) == {int(bits.any())}
        assert set(out[2, warp]) == {int(bits.all())}
    assert (out[3] >> np.arange(32, dtype=np.uint32) & 1).all()


def test_two_masks_at_once(launch: Launch) -> None:
    x, out = numbers(64), np.zeros(64, np.int32)
    launch("collectives", "halves", (1,), (64,), (x, out))
    pair = x + x[np.arange(64) ^ 1]
    assert np.array_equal(out, np.where(np.arange(64) % 32 < 16, pair, 4 * pair))


def test_lanes_that_have_exited_are_not_waited_for(launch: Launch) -> None:
    x, out = numbers(64), np.zeros((2, 32), np.int32)
    launch("collectives", "after_exit", (1,), (64,), (x, out))
    assert np.array_equal(out[:, :20], np.repeat(x.reshape(2, 32)[:, 3:4] + 20, 20, axis=1))
    assert not out[:, 20:].any()


@pytest.mark.parametrize("high", [1, 2])
def test_block_votes(launch: Launch, high: int) -> None:
    x, out = numbers(96, high), np.zeros((3, 96), np.int32)
    launch("collectives", "block_votes", (1,), (96,), (x, out))
    assert [set(row) for row in out] == [{np.count_nonzero(x)}, {x.all()}, {x.any()}]


def test_values_through_memory_within_a_warp(launch: Launch) -> None:
    x, out = numbers(64), np.zeros((2, 32), np.int32)
    launch("collectives", "through_memory", (1,), (64,), (x, out), shared_mem=256)
    assert np.array_equal(out, np.repeat(x.reshape(2, 32).sum(1, keepdims=True), 32, axis=1))


def test_indices_in_three_dimensions(launch: Launch) -> None:
    grid, block = (2, 3, 2), (3, 2, 4)
    out = np.zeros((2, 3, 2, 4, 2, 3), np.int32)
    launch("collectives", "places", grid, block, (out,))
    bz, by, bx, tz, ty, tx = np.indices(out.shape)
    assert np.array_equal(out, (tx * 100 + ty * 10 + tz) * 1000 + bx * 100 + by * 10 + bz)


def test_atomic_additions(launch: Launch) -> None:
    sums = [np.zeros(1, dtype) for dtype in (np.float32, np.float64, np.int32, np.uint32, np.uint64)]
    launch("atomics", "adds", (3,), (32,), sums)
    assert [total[0] for total in sums] == [96, 48, -192, 288, 384]


def test_atomic_extremes(launch: Launch) -> None:
    x = numbers(96) - 500
    largest, smallest, bits = np.full(1, -(2**31), np.int32), np.full(1, 2**31 - 1, np.int32), np.zeros(1, np.uint32)
    launch("atomics", "extremes", (3,), (32,), (x, largest, smallest, bits))
    assert (largest[0], smallest[0]) == (x.max(), x.min())
    assert bits[0] == np.bitwise_or.reduce(np.uint32(1) << (x & 31).astype(np.uint32))


def test_compare_and_swap(launch: Launch) -> None:
    winner, losers, last = np.zeros(1, np.uint64), np.zeros(1, np.int32), np.full(1, -1, np.int32)
    launch("atomics", "first_wins", (2,), (32,), (winner, losers, last))
    assert 1 <= winner[0] <= 64
    assert losers[0] == 63
    assert 0 <= last[0] < 64


def test_atomics_in_shared_memory(launch: Launch) -> None:
    x, counts = numbers(128), np.zeros(16, np.int32)
    launch("atomics", "histogram", (2,), (64,), (x, counts))
    assert np.array_equal(counts, np.bincount(x & 15, minlength=16))


def test_last_block_with_fences(launch: Launch) -> None:
    x, partial, total = np.arange(5, dtype=np.float32), np.zeros(5, np.float32), np.zeros(1, np.float32)
    launch("atomics", "last_block", (5,), (32,), (x, partial, total, np.zeros(1, np.uint32)))
    assert total[0] == 10


def test_a_table_of_addresses(launch: Launch) -> None:
    arrays = [np.arange(n, dtype=np.float32) for n in (5, 40, 1)]
    table = np.array([array.ctypes.data for array in arrays], np.uint64)
    sizes = np.array([array.size for array in arrays], np.int64)
    before = table.copy()
    launch("atomics", "through_table", (3,), (32,), (table, table, sizes), memory=arrays)
    assert np.array_equal(table, before)
    assert all(np.array_equal(array, np.arange(array.size) + 1) for array in arrays)


def test_bit_arithmetic(launch: Launch) -> None:
    x = np.random.default_rng(0).integers(0, 2**32, 32, dtype=np.uint32)
    out = np.zeros((7, 32), np.uint32)
    launch("atomics", "arithmetic", (1,), (32,), (x, out))
    mine, other = x.astype(object), x[::-1].astype(object)
    bits = [f"{int(value):032b}" for value in x]
    assert np.array_equal(out[0], mine * other >> 32)
    assert np.array_equal(out[1], x >> 2)
    assert np.array_equal(out[2], np.minimum(x, x[::-1]))
    assert np.array_equal(out[3], [text.count("1") for text in bits])
    assert np.array_equal(out[4], [len(text) - len(text.lstrip("0")) for text in bits])
    assert np.array_equal(out[5], [int(text[::-1], 2) for text in bits])
    assert np.array_equal(out[6], ((other << 32 | mine) << 7 >> 32) & 0xFFFFFFFF)


def test_sixteen_bytes_at_a_time(launch: Launch) -> None:
    x, out = np.arange(80, dtype=np.float32), np.zeros((20, 4), np.float32)
    launch("atomics", "vectors", (1,), (32,), (x, out, 20))
    assert np.array_equal(out, x.reshape(20, 4)[:, ::-1])


def test_halves(launch: Launch) -> None:
    ties = [1 + 2**-11, 1 + 3 * 2**-11]
    x = np.array([*ties, 0, -0.0, 1 / 3, 65504, 65520, 1e-7, 6e-8, np.inf, -np.inf], np.float32)
    half, back = np.zeros(x.size, np.float16), np.zeros_like(x)
    launch("half", "convert", (1,), (32,), (x, half, back, x.size))
    with np.errstate(over="ignore"):
        assert np.array_equal(half, x.astype(np.float16))
    assert np.array_equal(back, half.astype(np.float32))


def test_pairs_of_halves(launch: Launch) -> None:
    x = np.arange(64, dtype=np.float16)
    out = np.zeros_like(x)
    launch("half", "pairs", (1,), (32,), (x, out))
    assert np.array_equal(out.reshape(32, 2), 2 * x.reshape(32, 2)[:, ::-1])


def test_arrays_that_share_memory_still_do(launch: Launch) -> None:
    whole = np.arange(256, dtype=np.float32)
    launch("basics", "reverse_f32", (1,), (64,), (whole[:64], whole[32:96]), shared_mem=256)
    assert np.array_equal(whole[32:96], np.arange(64)[::-1])
    assert np.array_equal(whole[:32], np.arange(32))


def test_seeds_change_the_order() -> None:
    firsts = set()
    for seed in range(10):
        winner, losers, last = np.zeros(1, np.uint64), np.zeros(1, np.int32), np.zeros(1, np.int32)
        module("atomics").launch("first_wins", (2,), (32,), (winner, losers, last), seed=seed)
        firsts.add(int(winner[0]))
    assert len(firsts) > 5


def test_signatures() -> None:
    kernels = module("basics").kernels
    assert [parameter.type for parameter in kernels["scale_f32"].parameters] == ["float*", "float", "long long"]
    assert kernels["sum_f64"].launch_bounds == "threads"
    assert [parameter.pointee_is_const for parameter in kernels["sum_f64"].parameters] == [True, False, False]


X = np.zeros(4, np.float32)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((X, np.float32(1)), "expected 3 arguments"),
        ((X, 1.0, 4), r"factor \(float\): expected np.float32, got float"),
        ((X, np.float64(1), 4), "expected np.float32, got float64"),
        ((X, np.float32(1), 4.0), r"count \(long long\): expected int"),
        ((X, np.float32(1), np.int32(4)), "expected int or int64, got int32"),
        ((X, np.float32(1), 2**63), "does not fit"),
        ((X.astype(np.float64), np.float32(1), 4), r"x \(float\*\): expected float32, got float64"),
        ((X[::2], np.float32(1), 2), "not contiguous"),
        (([1.0], np.float32(1), 1), "expected an array, got list"),
        ((np.broadcast_to(X, (1, 4)), np.float32(1), 4), "read-only"),
    ],
)
def test_arguments_that_do_not_fit(args: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        module("basics").launch("scale_f32", (1,), (1,), args)


@pytest.mark.parametrize(
    ("kernel", "grid", "block", "shared_mem", "message"),
    [
        ("scale_f32", (0,), (1,), 0, "grid must lie in"),
        ("scale_f32", (1, 65536), (1,), 0, "grid must lie in"),
        ("scale_f32", (1,), (1, 1, 65), 0, "block must lie in"),
        ("scale_f32", (1,), (1024, 2), 0, "at most 1024 threads"),
        ("scale_f32", (1,), (1,), 227 * 1024 + 1, "shared_mem must lie in"),
        ("missing", (1,), (1,), 0, "no kernel missing; there are: .*reverse_f32"),
    ],
)
def test_launches_that_no_device_takes(kernel: str, grid: Any, block: Any, shared_mem: int, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        module("basics").launch(kernel, grid, block, (X, np.float32(1), 4), shared_mem=shared_mem)


def test_launch_bounds_bind() -> None:
    with pytest.raises(EmulationError, match="512 threads, but __launch_bounds__ promises at most 256"):
        module("basics").launch("sum_f32", (1,), (512,), (X, 4, X))


def test_text_with_an_option() -> None:
    text = '#include "basics.cu"\nextern "C" __global__ void put(int* x) {\n    *x = VALUE;\n}\n'
    x = np.zeros(1, np.int32)
    build(text, [CORRECT], options=["-DVALUE=7"]).launch("put", (1,), (1,), (x,))
    assert x[0] == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("void f() {\n  wrong;\n}", "kernel.cu:2:3: error"),
        ('extern "C" __global__ void f(dim3 size) {}', "a parameter is a pointer or one of int"),
        ('extern "C" __global__ void f() { __shared__ int a, b; }', "one variable in a declaration"),
        ('extern "C" __global__ void f() { extern __shared__ int a[4]; }', r"declared with \[\]"),
    ],
)
def test_sources_that_do_not_build(text: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        build(text)

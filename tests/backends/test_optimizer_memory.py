"""Optimizer steps, norms and clipping take memory from nowhere but `scratch`, and nobody sees what was in it."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from tensorgrad.backends import device
from tensorgrad.backends.cpu.backend import CpuBackend
from tests.backends.test_optimizer import NORMS, Run
from tests.composition import COMPOSITION
from tests.optim.reference import case_id

Array = np.ndarray[Any, Any]
COUNT = 1 << 18  # a mebibyte of float32
MOST = 64 << 10  # bytes at a time besides scratch: Python's objects and the dimensionless ones among the arrays
# Each with all of its state, and all constants that are computed.
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.7, "dampening": 0.5, "weight_decay": 0.05}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "maximize": True, "eps": 1e-3}),
    ("AdamW", {"eps": 1e-3}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1, "maximize": True, "eps": 1e-2}),
    ("Adagrad", {"lr_decay": 0.1, "eps": 1e-3}),
]


class OfAnArena:
    """Mixin: scratch memory comes out of one array, made beforehand and full of nan."""

    def __init__(self, nbytes: int = 16 << 20) -> None:
        self.arena = np.full(nbytes // 8, math.nan)
        self.used = 0
        self.taken: list[tuple[tuple[int, ...], str]] = []

    def scratch(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
        size = math.prod(shape) * dtype.itemsize
        self.taken.append((shape, dtype.name))
        found: Array = np.ndarray(shape, dtype, self.arena.data.cast("B"), self.used)
        self.used += -(-size // 16) * 16
        return found

    def peak_of(self, call: Callable[[], object]) -> int:
        """The most bytes in use at a time during a call, not counting scratch; its second run, so that no cache is."""
        for _ in range(2):
            self.used = 0
            self.arena.fill(math.nan)
            self.taken.clear()
            tracemalloc.start()
            call()
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return peak


class Pieces(OfAnArena, CpuBackend):
    pass


class Whole(OfAnArena, type(COMPOSITION)):  # type: ignore[misc]
    pass


def _array(rng: np.random.Generator, dtype: str) -> Array:
    """COUNT numbers."""
    return rng.standard_normal((COUNT // 512, 512)).astype(dtype)


@pytest.mark.parametrize("make", [Whole, Pieces])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("name", "options"), STEPS, ids=case_id)
def test_a_step_works_in_scratch_memory(
    name: str, options: dict[str, Any], dtype: str, make: Callable[[], Any]
) -> None:
    rng = np.random.default_rng(0)
    start, grads = ([_array(rng, dtype), np.ones(5, dtype)] for _ in range(2))
    arena, plain = make(), device("cpu").backend
    mine, its = (Run(B, name, options, [p.copy() for p in start]) for B in (arena, plain))
    mine.step(grads, 0.05)
    assert arena.peak_of(lambda: mine.step(grads, 0.05)) < MOST
    assert arena.taken
    for _ in range(3):
        its.step(grads, 0.05)
    for a, b in zip(mine.params, its.params, strict=True):
        np.testing.assert_array_equal(a, b)


# NumPy passes arrays of two layouts through buffers of its own, of 8192 elements each: the composition gets one layout.
@pytest.mark.parametrize(("make", "layout"), [(Whole, "plain"), (Pieces, "plain"), (Pieces, "transposed")])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("norm_type", NORMS)
def test_norms_and_clipping_work_in_scratch_memory(
    norm_type: float, dtype: str, make: Callable[[], Any], layout: str
) -> None:
    rng = np.random.default_rng(1)
    g = _array(rng, dtype)
    grads = [g.T if layout == "transposed" else g, np.ones(5, dtype)]
    arena, out = make(), np.zeros(())
    wanted = np.linalg.norm(np.concatenate([g.astype(np.float64).ravel() for g in grads]), norm_type)
    assert arena.peak_of(lambda: arena.total_norm(grads, norm_type, out=out)) < MOST
    np.testing.assert_allclose(out, wanted, rtol=1e-6)
    for if_finite in (False, True):
        clip = partial(arena.clip_grads_by_norm, grads, 1e6, norm_type, if_finite=if_finite, out=out)
        assert arena.peak_of(clip) < MOST
        np.testing.assert_allclose(out, wanted, rtol=1e-6)
    assert arena.taken
    assert arena.peak_of(lambda: arena.clip_grads_by_value(grads, 0.5)) < MOST
    assert max(float(np.abs(g).max()) for g in grads) == 0.5


def test_the_pieces_of_a_step_share_their_scratch_memory() -> None:
    """However many parameters there are, and however large."""
    arena = Pieces()
    run = Run(arena, "Adam", {"weight_decay": 0.1}, [np.ones(n, np.float32) for n in (3, 100_000, 50_000)])
    run.step([np.ones_like(p) for p in run.params], 0.1)
    assert [taken for taken in arena.taken if taken[0] != ()] == [((16384,), "float32")] * 2

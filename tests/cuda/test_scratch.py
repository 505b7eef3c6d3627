"""Kernels that work in memory of their own ask the backend's `scratch` for it, as it is when they are launched."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.cuda.test_memory import UNIT
from tests.cuda.test_skipped_steps import OPTIMIZERS

Shape = tuple[int, ...]


class Arena:
    """In the place of a backend's `scratch`: hands out new memory, or from `next` on what it has handed out before."""

    def __init__(self, backend: Any) -> None:
        self.backend = backend
        self.arrays: list[Any] = []
        self.next = 0

    def __call__(self, shape: Shape, dtype: Any) -> Any:
        if self.next == len(self.arrays):
            self.arrays.append(self.backend.empty(shape, dtype))
        self.next += 1
        found = self.arrays[self.next - 1]
        assert (found.shape, found.dtype) == (shape, dtype)
        return found

    def shapes(self) -> list[Shape]:
        return [a.shape for a in self.arrays]

    def bytes_besides(self, call: Callable[[], object]) -> int:
        """The most bytes that a second call has in use at a time, besides this memory."""
        start = self.next
        call()
        gc.collect()
        self.next = start
        before = tg.cuda.memory_allocated()
        tg.cuda.reset_peak_memory_stats()
        call()
        return tg.cuda.max_memory_allocated() - before


@pytest.fixture
def arena(cuda: tg.Device, monkeypatch: pytest.MonkeyPatch) -> Arena:
    found = Arena(cuda.backend)
    monkeypatch.setattr(cuda.backend, "scratch", found)
    return found


def parameters(*shapes: Shape) -> list[tg.Tensor]:
    rng = np.random.default_rng(0)
    made = [tg.tensor(rng.standard_normal(s).astype(np.float32)) for s in shapes]
    for p in made:
        p.requires_grad_()
        p.grad = tg.tensor(rng.standard_normal(p.shape).astype(np.float32))
    return made


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_takes_its_constants_from_scratch(arena: Arena, name: str) -> None:
    optimizer = OPTIMIZERS[name](parameters((300, 40), (40,)))
    assert arena.bytes_besides(optimizer.step) == 0
    assert arena.shapes() == [(16,)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_so_does_the_composition(arena: Arena, name: str) -> None:
    """Of a transposed parameter; what is left are numbers."""
    (p,) = parameters((300, 40))
    q = p.detach().T.requires_grad_()
    q.grad = tg.ones(40, 300)
    optimizer = OPTIMIZERS[name]([q])
    assert arena.bytes_besides(optimizer.step) <= 4 * UNIT
    assert (40, 300) in arena.shapes()


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
def test_so_do_norms_and_clipping(cuda: tg.Device, arena: Arena, norm_type: float) -> None:
    backend, grads = cuda.backend, [p.array for p in parameters((300, 40), (40,))]
    out = backend.empty((), tg.float64)
    assert arena.bytes_besides(lambda: backend.total_norm(grads, norm_type, out=out)) == 0
    assert arena.bytes_besides(lambda: backend.clip_grads_by_norm(grads, 0.5, norm_type, out=out)) == 0
    assert arena.bytes_besides(lambda: backend.clip_grads_by_value(grads, 0.1)) == 0
    assert [len(shape) for shape in arena.shapes()] == [1, 0, 1, 0]  # partial sums and the scale


def test_so_do_sums_of_columns(cuda: tg.Device, arena: Arena) -> None:
    backend, (x,) = cuda.backend, parameters((300, 40))
    out = backend.empty((40,), tg.float32)
    assert arena.bytes_besides(lambda: backend.sum(x.array, axis=0, out=out)) == 0
    assert [shape[1:] for shape in arena.shapes()] == [(40,)]
    np.testing.assert_allclose(backend.to_numpy(out), x.detach().cpu().numpy().sum(axis=0), rtol=1e-5, atol=1e-5)

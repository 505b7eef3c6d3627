"""Memory: no reference cycles, nothing kept longer than it is needed. All with the cycle collector off."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import leaf


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


SMALLEST_OBJECT = 16  # bytes: a step that leaks leaks one at least; the interpreter's own free lists stay far below


def _growth(step: Callable[[], Any], steps: int, warm: int = 50) -> float:
    """Bytes that a step leaves behind, on average."""
    tracemalloc.start()
    try:
        for _ in range(warm):
            step()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(steps):
            step()
        return (tracemalloc.get_traced_memory()[0] - before) / steps
    finally:
        tracemalloc.stop()


def test_a_graph_dies_with_its_last_tensor() -> None:
    x = leaf(np.ones((3, 3)))
    y = (x @ x).tanh()
    z = (y[0] * y.sum() + y.reshape(9)[:3]).exp().sum()
    tensors = [weakref.ref(t) for t in (y, z)]
    nodes = [weakref.ref(t.grad_fn) for t in (y, z)]
    del y, z
    assert [r() for r in (*tensors, *nodes)] == [None] * 4


def test_a_graph_with_in_place_writes_dies_too() -> None:
    x = leaf(np.ones((3, 3)))
    y = x * 2
    view = y[0]
    view.mul_(3)
    y[1:] = view
    y += 1
    other = y.T
    z = (y * other).sum()
    refs = [weakref.ref(t) for t in (y, view, other, z)] + [weakref.ref(z.grad_fn)]
    z.backward()
    del y, view, other, z
    assert [r() for r in refs] == [None] * 5


def test_a_graph_with_hooks_and_retained_gradients_dies_too() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    z = (y * y).sum()
    z.backward()
    refs: list[weakref.ref[Any]] = [weakref.ref(y), weakref.ref(y.grad), weakref.ref(z)]
    del y, z
    assert [r() for r in refs] == [None] * 3


def test_a_graph_of_gradients_dies_too() -> None:
    x = leaf([1.0, 2.0])
    (g,) = tg.autograd.grad((x * x * x).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad((g * g).sum(), x, create_graph=True)
    refs = [weakref.ref(g), weakref.ref(h), weakref.ref(h.grad_fn)]
    del g, h
    assert [r() for r in refs] == [None] * 3


def test_saved_arrays_are_freed_by_backward() -> None:
    x = leaf(np.ones(4))
    hidden = x * 2
    kept: weakref.ref[Any] = weakref.ref(hidden.array)
    y = hidden.square().sum()
    del hidden
    assert kept() is not None
    y.backward(retain_graph=True)
    assert kept() is not None
    y.backward()
    assert kept() is None
    assert y.requires_grad  # the loss itself is still here


def test_only_what_the_gradient_needs_is_kept() -> None:
    x = leaf(np.ones(4))
    a = x * 2.0
    b = a + 1.0
    c = b.exp()
    refs = {name: weakref.ref(t.array) for name, t in (("a", a), ("b", b), ("c", c))}
    y = c.sum()
    del a, b, c
    assert {name for name, r in refs.items() if r() is not None} == {"c"}
    assert y.requires_grad


def test_a_graph_of_ops_with_several_outputs_dies_too() -> None:
    x = leaf(np.ones((3, 4)))
    std, mean = tg.std_mean(x * 1, 1)
    std.register_hook(lambda g: g * 2)
    mean.retain_grad()
    y = (std * mean).sum()
    (g,) = tg.autograd.grad(y, x, create_graph=True)
    g.sum().backward()
    refs: list[weakref.ref[Any]] = [weakref.ref(t) for t in (std, mean, y, g)]
    refs += [weakref.ref(t.grad_fn) for t in (std, mean, y, g)] + [weakref.ref(std.grad_fn.parents[0])]
    del std, mean, y, g
    assert [r() for r in refs] == [None] * 9


def test_of_several_outputs_only_those_stay_that_are_read_or_used() -> None:
    x = leaf(np.ones((3, 4)))
    std, mean = tg.std_mean(x, 1)  # the gradient reads std
    kept, dropped = weakref.ref(std.array), weakref.ref(mean.array)
    loss = std.sum()
    del std, mean
    assert kept() is not None
    assert dropped() is None
    loss.backward()
    assert kept() is None
    var, mean = tg.var_mean(x, 1)  # this one reads neither
    dropped = weakref.ref(var.array)
    del var
    assert dropped() is None
    assert mean.requires_grad


def test_steps_through_ops_with_several_outputs_leave_nothing_behind() -> None:
    x = leaf(np.ones((3, 4)))

    def step() -> None:
        std, mean = tg.std_mean(x, 1)
        (g,) = tg.autograd.grad((std * mean).sum(), x, create_graph=True)
        tg.autograd.grad((g * g).sum(), x)

    assert _growth(step, 1000, warm=1000) < SMALLEST_OBJECT  # the interpreter fills its free lists first


def test_no_grad_keeps_nothing() -> None:
    x = leaf(np.ones(4))
    with tg.no_grad():
        hidden = x * 2
        kept: weakref.ref[Any] = weakref.ref(hidden.array)
        y = hidden.square()
        del hidden
    assert kept() is None
    assert y.is_leaf


def test_training_steps_leave_nothing_behind() -> None:
    rng = np.random.default_rng(0)
    w = [leaf(rng.standard_normal(s) * 0.1) for s in ((8, 16), (16,), (16, 3))]
    x = tg.tensor(rng.standard_normal((32, 8)))

    def step() -> None:
        y = tg.tanh(x @ w[0] + w[1]) @ w[2]
        loss = (y * y).mean()
        for p in w:
            p.grad = None
        loss.backward()
        with tg.no_grad():
            for p in w:
                assert p.grad is not None
                p.sub_(0.1 * p.grad)

    assert _growth(step, 2000) < SMALLEST_OBJECT


def test_a_running_total_without_grad_leaves_nothing_behind() -> None:
    """needs: `total += loss.detach()` over 10,000 steps."""
    x = leaf(np.ones(16))
    total = tg.zeros((), dtype=tg.float64)

    def step() -> None:
        nonlocal total
        loss = (x * x).sum()
        total += loss.detach()

    assert _growth(step, 10_000) < SMALLEST_OBJECT
    assert not total.requires_grad


def test_errors_on_the_way_leave_nothing_behind() -> None:
    x = leaf(np.ones(16))

    def step() -> None:
        y = x.exp()
        y.mul_(2)
        try:
            y.sum().backward()
        except tg.GraphError:
            return
        raise AssertionError("a stale value went unnoticed")

    assert _growth(step, 1000) < SMALLEST_OBJECT


def test_second_order_steps_leave_nothing_behind() -> None:
    x = leaf(np.ones(16))

    def step() -> None:
        (g,) = tg.autograd.grad((x.exp() * x).sum(), x, create_graph=True)
        tg.autograd.grad((g * g).sum(), x)

    assert _growth(step, 1000) < SMALLEST_OBJECT

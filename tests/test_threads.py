"""What threads share: leaves they add gradients to, generators they draw from, optimizers of one device.

`CHECKS` are run on the CPU here and on the CUDA device by tests/cuda/test_threads.py.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd.variable import accumulating

THREADS = 8


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Threads take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], Any]) -> list[Any]:
    """`work(i)` in each of the threads, all of them started at once; raises what any of them raised."""
    barrier = threading.Barrier(THREADS)

    def run(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def no_gradient_is_lost(device: tg.Device) -> None:
    for size in [1, 200, 200_000] * 5:
        w = tg.ones(size, requires_grad=True, device=device)
        together(lambda i, w=w: ((w * float(i)).sum().backward(), (w * 1.0).sum().backward()))  # type: ignore[misc]
        assert w.grad is not None
        np.testing.assert_array_equal(w.grad.cpu().numpy(), float(sum(range(THREADS)) + THREADS))


def no_gradient_is_lost_with_a_graph_of_its_own(device: tg.Device) -> None:
    w = tg.ones(1000, requires_grad=True, device=device)
    together(lambda i: (w**2).sum().backward(create_graph=True))
    assert w.grad is not None
    np.testing.assert_array_equal(w.grad.detach().cpu().numpy(), 2.0 * THREADS)


def no_retained_gradient_is_lost(device: tg.Device) -> None:
    y = tg.ones(1000, requires_grad=True, device=device) * 1.0
    y.retain_grad()
    together(lambda i: (y * 2.0).sum().backward(retain_graph=True))
    assert y.grad is not None
    np.testing.assert_array_equal(y.grad.cpu().numpy(), 2.0 * THREADS)


def a_layer_that_threads_share(device: tg.Device) -> None:
    model = tg.nn.MLP([4, 8, 2], device=device)
    x = tg.ones(3, 4, device=device)
    model(x).sum().backward()
    alone = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    together(lambda i: model(x).sum().backward())
    for p, g in zip(model.parameters(), alone, strict=True):
        assert p.grad is not None
        np.testing.assert_allclose(p.grad.cpu().numpy(), THREADS * g.cpu().numpy(), rtol=1e-5)


def no_two_threads_draw_the_same_numbers(device: tg.Device) -> None:
    tg.manual_seed(3)
    drawn = together(lambda i: [float(tg.rand((), device=device, dtype=tg.float64)) for _ in range(20)])
    tg.manual_seed(3)
    alone = {float(tg.rand((), device=device, dtype=tg.float64)) for _ in range(20 * THREADS)}
    assert {number for numbers in drawn for number in numbers} == alone


def whether_operations_are_recorded_is_each_threads_own(device: tg.Device) -> None:
    w = tg.ones(3, requires_grad=True, device=device)

    def work(i: int) -> bool:
        if i % 2:
            with tg.no_grad():
                return all(not (w * 2).requires_grad for _ in range(200))
        return all((w * 2).requires_grad for _ in range(200))

    assert all(together(work))


def optimizers_of_several_threads(device: tg.Device) -> None:
    def train(i: int) -> Any:
        p = tg.nn.Parameter(tg.full((100 + i,), 1.0, device=device))
        optimizer = tg.optim.Adam([p], lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            (p * p).sum().backward()
            optimizer.step()
        return p.detach().cpu().numpy()

    found = together(train)
    for i in range(THREADS):
        np.testing.assert_array_equal(found[i], train(i))


CHECKS = {
    check.__name__: check
    for check in (
        no_gradient_is_lost,
        no_gradient_is_lost_with_a_graph_of_its_own,
        no_retained_gradient_is_lost,
        a_layer_that_threads_share,
        no_two_threads_draw_the_same_numbers,
        whether_operations_are_recorded_is_each_threads_own,
        optimizers_of_several_threads,
    )
}


@pytest.mark.parametrize("check", CHECKS)
def test_threads(check: str) -> None:
    CHECKS[check](tg.device("cpu"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_that_is_forked_while_a_thread_accumulates_goes_backward_too() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with accumulating:
            held.set()
            done.wait(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # where it hangs it is ended
        x = tg.ones(3, requires_grad=True)
        (x * 2.0).sum().backward()
        os._exit(0 if x.grad is not None and x.grad.tolist() == [2.0, 2.0, 2.0] else 1)
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

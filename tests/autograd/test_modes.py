"""no_grad, enable_grad, inference_mode, set_grad_enabled: nested, as decorators, in threads."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


def _records() -> bool:
    return (leaf(1.0) * 2).requires_grad


def test_no_grad_records_nothing() -> None:
    assert _records()
    with tg.no_grad():
        assert not tg.is_grad_enabled()
        assert not _records()
    assert tg.is_grad_enabled()
    assert _records()


def test_nesting() -> None:
    with tg.no_grad():
        with tg.enable_grad():
            assert _records()
            with tg.no_grad():
                assert not _records()
            assert _records()
        assert not _records()
        with tg.set_grad_enabled(True):
            assert _records()
        with tg.inference_mode():
            assert not _records()
        with tg.inference_mode(False):
            assert not _records()  # False leaves things as they are
    with tg.inference_mode(), tg.no_grad():
        assert not _records()
    assert _records()


def test_one_context_entered_twice() -> None:
    context = tg.no_grad()
    with context:
        with context:
            assert not _records()
        assert not _records()
    assert _records()


def test_the_mode_comes_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="on purpose"), tg.no_grad():
        raise ValueError("on purpose")
    assert tg.is_grad_enabled()


def test_decorators() -> None:
    @tg.no_grad()
    def predict(x: tg.Tensor) -> tg.Tensor:
        """Its own text."""
        return x * 2

    @tg.enable_grad()
    def train(x: tg.Tensor) -> tg.Tensor:
        return x * 2

    @tg.inference_mode()
    def infer(x: tg.Tensor, depth: int = 3) -> tg.Tensor:
        return infer(x, depth - 1) if depth else x * 2

    x = leaf(1.0)
    assert not predict(x).requires_grad
    assert predict.__name__ == "predict"
    assert predict.__doc__ == "Its own text."
    assert not infer(x).requires_grad
    with tg.no_grad():
        assert train(x).requires_grad
    assert tg.is_grad_enabled()


def test_a_generator_function_is_not_left_half_way() -> None:
    """The mode is the caller's between the steps of a loop over tensors."""
    x = leaf([1.0, 2.0])
    for element in x:
        with tg.no_grad():
            assert not (element * 2).requires_grad
        assert (element * 2).requires_grad


def test_a_leaf_made_under_no_grad_may_require_grad() -> None:
    with tg.no_grad():
        x = tg.ones(2, requires_grad=True)
    (x * 3).sum().backward()
    assert_values(x.grad, [3, 3])


def test_each_thread_has_its_own_mode() -> None:
    inside, checked = threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        inside.wait(5)
        seen.append(tg.is_grad_enabled())
        seen.append(_records())
        with tg.no_grad():
            checked.set()
            seen.append(_records())

    thread = threading.Thread(target=other)
    thread.start()
    with tg.no_grad():
        inside.set()
        assert checked.wait(5)
        assert not _records()
    thread.join()
    assert seen == [True, True, False]
    assert _records()


def test_threads_build_and_run_graphs_of_their_own() -> None:
    results: dict[int, float] = {}

    def work(k: int) -> None:
        x = leaf(float(k))
        for _ in range(50):
            x.grad = None
            y = x
            for _ in range(20):
                y = y * 1.01 + x
            y.backward()
        assert x.grad is not None
        results[k] = float(x.grad.item())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    slope = 1.0
    for _ in range(20):
        slope = slope * 1.01 + 1
    assert results == pytest.approx(dict.fromkeys(range(4), slope))


def test_threads_share_a_leaf_through_grad() -> None:
    x = leaf([1.0, 2.0, 3.0])
    found: list[tg.Tensor] = []
    threads = [
        threading.Thread(target=lambda k=k: found.append(tg.autograd.grad((x * k).sum(), x)[0])) for k in range(8)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(float(g[0]) for g in found) == list(range(8))


# ---------------------------------------------------------------------- as PyTorch has them
def test_set_grad_enabled_by_itself_switches_at_once() -> None:
    tg.set_grad_enabled(False)
    try:
        assert not _records()
        with tg.set_grad_enabled(True):
            assert _records()
        assert not _records()
    finally:
        tg.set_grad_enabled(True)
    assert _records()


def test_set_grad_enabled_as_a_decorator_leaves_the_rest_alone() -> None:
    @tg.set_grad_enabled(False)
    def records() -> bool:
        return _records()

    assert _records()
    assert not records()
    assert _records()


def test_decorators_need_no_parentheses() -> None:
    @tg.no_grad
    def without() -> bool:
        """Text."""
        return _records()

    @tg.inference_mode
    def inferring() -> bool:
        return _records()

    @tg.enable_grad
    def recording() -> bool:
        return _records()

    assert not without()
    assert not inferring()
    assert without.__doc__ == "Text."
    with tg.no_grad():
        assert recording()


def test_a_decorated_generator_has_its_mode_while_it_runs_and_its_caller_has_not() -> None:
    closed: list[bool] = []

    @tg.no_grad()
    def steps(n: int) -> Any:
        sent = None
        try:
            for _ in range(n):
                try:
                    sent = yield _records(), sent
                except KeyError:
                    sent = "caught", _records()
        finally:
            closed.append(_records())
        return "done"

    running = steps(9)
    assert next(running) == (False, None)
    assert _records()
    assert running.send(5) == (False, 5)
    assert running.throw(KeyError()) == (False, ("caught", False))
    assert _records()
    running.close()
    assert closed == [False]
    assert [recorded for recorded, _ in steps(3)] == [False] * 3

    def outer() -> Any:
        return (yield from steps(1))

    generator = outer()
    next(generator)
    with pytest.raises(StopIteration, match="done"):
        next(generator)
    assert _records()


def test_one_context_in_two_threads_at_once() -> None:
    shared = tg.no_grad()
    entered, left = threading.Event(), threading.Event()
    seen: list[bool] = []

    def other() -> None:
        tg.set_grad_enabled(False)
        with shared:
            entered.set()
            assert left.wait(5)
        seen.append(tg.is_grad_enabled())

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        assert entered.wait(5)
    assert tg.is_grad_enabled()
    left.set()
    thread.join()
    assert seen == [False]

"""Which modules are being called, and what is kept of them for errors that come late."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.calls import Callers, here


class Noting(nn.Module):
    """Notes the modules that are being called, and then calls a function."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.then = then
        self.seen: list[Any] = []

    def forward(self, input: Any) -> Any:
        self.seen.append(list(here.modules))
        self.then()
        return input


def failing(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


# ---------------------------------------------------------------------- the list
def test_the_list_holds_the_modules_outermost_first() -> None:
    inner, last = Noting(), Noting()
    chain = nn.Sequential(nn.Sequential(inner), last)
    chain(1)
    assert inner.seen == [[chain, chain[0], inner]]
    assert last.seen == [[chain, last]]
    assert here.modules == []


@pytest.mark.parametrize("error", [KeyError("k"), tg.errors.ShapeError("s"), KeyboardInterrupt()])
def test_the_list_is_right_after_an_exception(error: BaseException) -> None:
    chain = nn.Sequential(nn.Sequential(Noting(failing(error))))
    caught: list[list[Any]] = []

    class Catching(nn.Module):
        def forward(self) -> None:
            with pytest.raises(type(error)):
                chain(1)
            caught.append(list(here.modules))

    outer = Catching()
    outer()
    assert caught == [[outer]]
    assert here.modules == []


def test_what_an_interrupted_call_left_is_taken_away() -> None:
    chain = nn.Sequential(Noting(lambda: here.modules.extend([nn.Module(), nn.Module()])), Noting())
    chain(1)
    assert chain[1].seen == [[chain, chain[1]]]
    assert here.modules == []


def test_hooks_that_call_modules() -> None:
    before, inner, after = Noting(), Noting(), Noting()
    inner.register_forward_pre_hook(lambda module, args: before(args[0]))
    inner.register_forward_hook(lambda module, args, output: after(output))
    inner(1)
    assert (before.seen, inner.seen, after.seen) == ([[inner, before]], [[inner]], [[inner, after]])
    inner.register_forward_hook(lambda *_: failing(tg.errors.ShapeError("s"))())
    with pytest.raises(tg.errors.ShapeError, match=r"^Noting: s"):
        inner(1)
    assert here.modules == []


def test_a_module_that_calls_itself() -> None:
    class Again(nn.Module):
        def forward(self, n: int) -> list[Any]:
            return list(here.modules) if n == 0 else self(n - 1)

    again = Again()
    assert again(3) == [again] * 4
    assert here.modules == []


def test_each_thread_has_a_list_of_its_own() -> None:
    there, inside, onwards = Noting(), threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        assert onwards.wait(10)

    elsewhere = Noting(wait)
    thread = threading.Thread(target=nn.Sequential(elsewhere, there), args=(1,))

    def start() -> None:
        thread.start()
        assert inside.wait(10)

    here_first, here_last = Noting(start), Noting(onwards.set)
    chain = nn.Sequential(here_first, here_last)
    chain(1)
    thread.join(10)
    assert here_last.seen == [[chain, here_last]]
    for noting in (elsewhere, there):
        assert [type(m) for m in noting.seen[0]] == [nn.Sequential, Noting]
        assert noting.seen[0][0] is not chain
    assert here.modules == []


# ---------------------------------------------------------------------- what is kept
def test_callers_are_equal_that_are_of_the_same_modules() -> None:
    a, b = nn.Module(), nn.Module()
    assert Callers([a, b]) == Callers([a, b])
    assert len({Callers([a, b]), Callers([a, b]), Callers([b, a]), Callers([a]), Callers([])}) == 4
    assert Callers([a]) != "something else"


def test_modules_may_be_compared_by_value() -> None:
    @dataclass
    class Pair(nn.Module):
        value: int

        def __post_init__(self) -> None:
            super().__init__()

    a, b = Pair(1), Pair(1)
    assert a == b
    assert Callers([a]) == Callers([a]) != Callers([b])
    assert len({Callers([a]), Callers([b])}) == 2


def test_callers_keep_no_module_alive_and_are_not_those_of_the_next_one_in_its_place() -> None:
    module = nn.Sequential(nn.ReLU())
    gone, kept = weakref.ref(module), Callers([module, module[0]])
    del module
    gc.collect()
    assert gone() is None
    for _ in range(100):
        module = nn.Sequential(nn.ReLU())
        assert Callers([module, module[0]]) != kept
        del module
    assert str(kept.trace(tg.errors.ShapeError("s"))) == "ReLU: s"


def test_a_traced_error_takes_no_other_path() -> None:
    def raised_late(*modules: nn.Module) -> str:
        error = Callers(modules).trace(tg.errors.ShapeError("s"))
        with pytest.raises(tg.errors.ShapeError) as caught:
            nn.Sequential(Noting(failing(error)))(1)
        assert caught.value is error
        return str(error)

    layer = nn.Linear(1, 1)
    inner = nn.Sequential(layer)
    assert raised_late(nn.Sequential(nn.ReLU(), inner), inner, layer) == "model.1.0 (Linear): s"
    assert raised_late() == "s"

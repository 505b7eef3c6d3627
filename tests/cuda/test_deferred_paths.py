"""The path of the module in errors that a CUDA device notes while the host goes on: the one that the CPU gives them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tests.cuda.test_deferred_errors import Array, complaint, no_wait


class Rows(nn.Module):
    """Rows of a table, by their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(tg.zeros(3, 2))

    def forward(self, numbers: tg.Tensor) -> tg.Tensor:
        return self.table[numbers]


class Judged(nn.Module):
    """A model with its loss."""

    def __init__(self, model: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, input: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
        return self.loss(self.model(input), target)  # type: ignore[no-any-return]


class LossInBetween(nn.Module):
    """Makes a loss for one call."""

    def forward(self, input: tg.Tensor) -> tg.Tensor:
        return nn.BCELoss()(input, input)  # type: ignore[no-any-return]


class Twice(nn.Module):
    """Calls itself once, and then its rows."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Rows()

    def forward(self, numbers: tg.Tensor, again: bool = True) -> tg.Tensor:
        return self(numbers, False) if again else self.rows(numbers)  # type: ignore[no-any-return]


class Reading(nn.Module):
    """Waits for the device."""

    def forward(self, input: tg.Tensor) -> list[Any]:
        return input.tolist()  # type: ignore[no-any-return]


def hooked() -> nn.Module:
    """A module with rows that a hook calls, under two names."""
    layer = nn.ReLU()
    layer.rows = layer.again = Rows()
    layer.register_forward_pre_hook(lambda module, args: module.again(*args))
    return layer


LOGITS, LABELS, NUMBERS, HALVES = np.zeros((2, 3), np.float32), np.array([0, 3]), np.array([0, -4]), np.full(2, 0.5)
CALLS: dict[str, tuple[Callable[[], nn.Module], tuple[Array, ...], str]] = {
    "a loss within": (
        lambda: Judged(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.CrossEntropyLoss()),
        (LOGITS, LABELS),
        "model.loss (CrossEntropyLoss): cross_entropy: ",
    ),
    "a loss alone": (nn.CrossEntropyLoss, (LOGITS, LABELS), "CrossEntropyLoss: cross_entropy: "),
    "a loss made in between": (lambda: nn.Sequential(LossInBetween()), (2 - HALVES,), "model.0 (BCELoss): "),
    "probabilities": (lambda: Judged(nn.Dropout(0.0), nn.BCELoss()), (2 - HALVES, HALVES), "model.loss (BCELoss): "),
    "rows within": (
        lambda: nn.Sequential(nn.Sequential({"none": nn.Sequential(), "rows": Rows()}), nn.ReLU()),
        (NUMBERS,),
        "model.0.rows (Rows): ",
    ),
    "rows alone": (Rows, (NUMBERS,), "Rows: "),
    "a module that calls itself": (lambda: nn.Sequential(Twice()), (NUMBERS,), "model.0.rows (Rows): "),
    "a hook that calls a module": (lambda: nn.Sequential(hooked()), (NUMBERS,), "model.0.rows (Rows): "),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("wait", ["here", "in another thread", "in another module", "in the module"])
def test_a_late_error_has_the_path_that_the_cpu_gives_it(cuda: tg.Device, call: str, wait: str) -> None:
    make, given, path = CALLS[call]
    model = make().to("cpu")
    expected = complaint(lambda: model(*(tg.tensor(x, device="cpu") for x in given)))
    assert expected[1].startswith(path)
    model.to(cuda)
    arguments, other = [tg.tensor(x, device=cuda) for x in given], tg.ones(1, device=cuda)
    if wait == "in the module":
        model.register_forward_hook(lambda *_: other.tolist())
        assert complaint(lambda: model(*arguments)) == expected
        return
    with no_wait(cuda):
        model(*arguments)
    if wait == "here":
        assert complaint(tg.cuda.synchronize) == expected
    elif wait == "in another module":
        assert complaint(lambda: nn.Sequential(nn.Sequential(Reading()))(other)) == expected
    else:
        with ThreadPoolExecutor(1) as pool:
            assert complaint(pool.submit(Reading(), other).result) == expected


def test_no_module_is_blamed_for_a_call_outside_of_modules(cuda: tg.Device) -> None:
    other = tg.ones(1, device=cuda)
    expected = complaint(lambda: tg.ones(3, device="cpu")[tg.tensor(NUMBERS, device="cpu")])
    complaint(lambda: nn.Sequential(nn.Linear(3, 1))(other))
    _ = tg.ones(3, device=cuda)[tg.tensor(NUMBERS, device=cuda)]
    assert complaint(lambda: nn.Sequential(Reading())(other)) == expected


def test_an_error_that_comes_at_once_has_its_path_as_well(cuda: tg.Device) -> None:
    rows = Rows()
    rows.table = nn.Parameter(tg.zeros(0, 2))
    model = nn.Sequential(nn.Sequential(rows))
    numbers = tg.tensor(NUMBERS, device=cuda)
    with no_wait(cuda):
        kind, text = complaint(lambda: model(numbers))
    assert kind is tg.BoundsError
    assert text.startswith("model.0.0 (Rows): ")


@pytest.mark.parametrize("depth", [1, 2])
def test_a_module_that_is_gone_is_still_named(cuda: tg.Device, depth: int) -> None:
    model: nn.Module = Rows()
    if depth == 2:
        model = nn.Sequential(nn.Sequential(), model)
    gone = weakref.ref(model)
    with no_wait(cuda):
        model(tg.tensor(NUMBERS, device=cuda))
    del model
    gc.collect()
    assert gone() is None
    assert complaint(tg.cuda.synchronize)[1].startswith("Rows: getitem: ")


def test_threads_name_their_own_modules(cuda: tg.Device) -> None:
    inside, onwards = threading.Event(), threading.Event()

    def wait(*_: object) -> None:
        inside.set()
        assert onwards.wait(10)

    here, there = nn.Sequential(Rows()), nn.Sequential(nn.Identity(), Rows())
    there[0].register_forward_hook(wait)
    numbers = tg.tensor(NUMBERS, device=cuda)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(there, numbers)
        assert inside.wait(10)
        with no_wait(cuda):
            here(numbers)
        assert complaint(tg.cuda.synchronize)[1].startswith("model.0 (Rows): ")
        onwards.set()
        running.result(10)
    assert complaint(tg.cuda.synchronize)[1].startswith("model.1 (Rows): ")


def test_the_same_check_of_the_same_module_has_one_description(cuda: tg.Device) -> None:
    B: Any = cuda.backend
    numbers = B.errors._shared.described._numbers
    model, other = nn.Sequential(Rows()), nn.Sequential(Rows())
    right = tg.tensor([0, 1], device=cuda)
    model(right)
    before = len(numbers)
    model(right)
    assert len(numbers) == before
    other(right)
    assert len(numbers) == before + 1

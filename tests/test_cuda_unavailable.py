"""`tg.cuda` where CUDA cannot be used: programs that wait, count and seed run on the CPU as they are."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.backends import register_backend

registry: Any = sys.modules["tensorgrad.backends.device"]
COUNTS = [tg.cuda.memory_allocated, tg.cuda.memory_reserved, tg.cuda.max_memory_allocated]


@pytest.fixture(autouse=True)
def _no_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """CUDA cannot be used, and no warning of it is in order."""

    def refuse(index: int | None) -> Any:
        raise tg.DeviceError("the card sleeps")

    before = tg.get_default_device()
    for name, value in (("_factories", {**registry._factories}), ("_failures", {}), ("_warned", set())):
        monkeypatch.setattr(registry, name, value)
    monkeypatch.setattr(registry, "_devices", {k: d for k, d in registry._devices.items() if k[0] != "cuda"})
    register_backend("cuda", refuse)
    tg.set_default_device("cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    tg.set_strict_device(False)
    tg.set_default_device(before)


@pytest.mark.parametrize("strict", [False, True])
def test_there_is_nothing_to_wait_for_and_nothing_to_count(strict: bool) -> None:
    tg.set_strict_device(strict)
    assert not tg.cuda.is_available()
    assert tg.cuda.device_count() == 0
    assert [count() for count in COUNTS] == [0, 0, 0]
    for call in (tg.cuda.synchronize, tg.cuda.reset_peak_memory_stats, tg.cuda.empty_cache):
        call()
    tg.cuda.synchronize("cpu")
    tg.cuda.synchronize(tg.device("cpu"))
    tg.cuda.synchronize("auto")
    assert tg.cuda.memory_allocated("auto") == 0


def test_after_the_fall_back_too() -> None:
    with pytest.warns(UserWarning, match="cannot be used"):
        place = tg.device("cuda")
    for name in (place, "cuda", 0, "cuda:1"):
        tg.cuda.synchronize(name)
        tg.cuda.reset_peak_memory_stats(name)
        assert [count(name) for count in COUNTS] == [0, 0, 0]


def test_numbers_are_checked_before_the_step_by_the_same_program() -> None:
    model = nn.Linear(2, 1)
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.tolist()

    def step() -> None:
        nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)
        tg.cuda.synchronize()  # where the device is a CUDA one, it is found out here
        optimizer.step()

    (model(tg.ones(1, 2)) * float("nan")).sum().backward()
    with pytest.raises(ValueError, match="norm of the gradients is nan"):
        step()
    assert model.weight.tolist() == before
    model.zero_grad()
    model(tg.ones(1, 2)).sum().backward()
    step()
    assert model.weight.tolist() != before


def test_what_has_no_answer_says_why() -> None:
    for name, ask in (("get_device_name", tg.cuda.get_device_name), ("current_device", tg.cuda.current_device)):
        with pytest.raises(tg.DeviceError, match=f"^cuda.{name}: no CUDA device can be used here: the card sleeps$"):
            ask()
    with pytest.raises(tg.DeviceError, match="the card sleeps"):
        tg.cuda.get_device_name("cuda:0")


@pytest.mark.parametrize("seed", [tg.cuda.manual_seed, tg.cuda.manual_seed_all])
def test_a_seed_is_that_of_every_device(seed: Any) -> None:
    tg.manual_seed(3)
    expected = tg.rand(4).tolist()
    seed(3)
    assert tg.rand(4).tolist() == expected
    assert tg.random.initial_seed() == 3
    with pytest.raises(tg.DTypeError, match="the seed must be an integer"):
        seed("3")

"""The replayed step of tests/test_replay.py on the CUDA device: the bits of the eager step, and no memory taken."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import tensorgrad as tg
from tests.test_replay import OPTIMIZERS, Training, check_replay, record, replayed


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replayed_step_is_the_eager_step_bit_for_bit(optimizer: str, cuda_device: tg.Device) -> None:
    """Without duplicates in the index: in which order the device adds those is left open."""
    check_replay(cuda_device, optimizer, duplicates=False)


def allocations(run: Callable[[], object]) -> int:
    """How often CuPy is asked for memory meanwhile."""
    cuda = importlib.import_module("cupy").cuda
    malloc, asked = cuda.get_allocator(), []

    def counting(size: int) -> Any:
        asked.append(size)
        return malloc(size)

    cuda.set_allocator(counting)
    try:
        run()
    finally:
        cuda.set_allocator(malloc)
    return len(asked)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replay_takes_no_memory(optimizer: str, cuda_device: tg.Device) -> None:
    training = Training(cuda_device, optimizer)
    _, replay, _ = record(training)
    replayed(training, replay, None)
    assert allocations(training.step) > 50
    assert {call.row.name for call in replay.calls if allocations(partial(replay._run, call))} == set()


def test_the_tables_of_a_replay_outlive_those_of_eager_steps(cuda_device: tg.Device) -> None:
    """A graph would read the pointers of its recording: eager steps on other parameters must not push them out."""
    training = Training(cuda_device, "adam")
    _, replay, _ = record(training)
    replayed(training, replay, None)
    kept = dict(replay.backend._clip._tables._pointers)
    assert kept
    for _ in range(70):
        w = tg.ones(3, device=cuda_device, requires_grad=True)
        w.grad = tg.ones(3, device=cuda_device)
        tg.nn.utils.clip_grad_norm_([w], 0.5)
    replayed(training, replay, None)
    assert all(replay.backend._clip._tables._pointers[key] is table for key, table in kept.items())


def test_a_label_that_is_wrong_in_a_replay_is_told_as_in_the_recording(cuda_device: tg.Device) -> None:
    training = Training(cuda_device, "sgd")
    _, replay, _ = record(training)
    before = training.everything()
    for _ in range(2):
        labels = [0] * 5 + [9] + [0] * (len(training.labels) - 6)
        cuda_device.backend.feed(training.labels.array, labels)
        replayed(training, replay, None)
        with pytest.raises(tg.BoundsError, match=r"cross_entropy: labels must be in \[0, 4\), got 9 at position 5"):
            training.net.state_dict()["table"].cpu()
    after = training.everything()
    assert all((after[name] == values).all() for name, values in before.items()), "a step after a failed check"

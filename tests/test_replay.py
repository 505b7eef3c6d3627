"""A training step is recorded once and replayed on other batches: the bits of the eager step, and no memory taken.

What the table says of the primitives is all that the recorder knows (tests/recorder.py): this fails where a primitive
reads, writes or aliases what its row does not say, where something passes beside the backend, where a value of the
recording is frozen into a call, and where a call takes memory for itself.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, optim
from tests.recorder import Recorder, Replay, recording

Array = Any
ROWS, WORDS, WIDTH = 256, 300, 256
LIMIT = 0.02

OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "adam": lambda p: optim.Adam(p, lr=0.02, weight_decay=1e-3),
    "adamw": lambda p: optim.AdamW(p, lr=0.02, amsgrad=True),
    "sgd": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01, centered=True, momentum=0.5),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.05, lr_decay=0.1),
}


class Net(nn.Module):
    """Rows of a table chosen by an index, negative ones too; every activation with a kernel; dropout twice."""

    def __init__(self, device: Any) -> None:
        super().__init__()
        self.table = nn.Parameter(tg.randn(WORDS, WIDTH, device=device) * 0.5)
        self.body = nn.Sequential(
            nn.Linear(WIDTH, WIDTH, device=device), nn.GELU(), nn.Dropout(0.25),
            nn.Linear(WIDTH, WIDTH, device=device), nn.ReLU(), nn.Linear(WIDTH, WIDTH, device=device), nn.Tanh(),
            nn.Linear(WIDTH, WIDTH, device=device), nn.SiLU(), nn.Dropout(0.1), nn.Linear(WIDTH, 4, device=device),
        )  # fmt: skip

    def forward(self, words: tg.Tensor, x: tg.Tensor) -> tg.Tensor:
        scores: tg.Tensor = self.body(self.table[words] * x)
        return scores


class Training:
    """One net, its optimizer, and the memory in which each batch is put."""

    def __init__(self, device: tg.Device, optimizer: str, duplicates: bool = True) -> None:
        tg.manual_seed(5)
        self.device, self.duplicates = device, duplicates
        self.net = Net(device)
        self.optimizer = OPTIMIZERS[optimizer](self.net.parameters())
        self.words = tg.zeros(ROWS, dtype=tg.int64, device=device)
        self.x = tg.zeros(ROWS, WIDTH, device=device)
        self.labels = tg.zeros(ROWS, dtype=tg.int64, device=device)

    def put(self, batch: int) -> None:
        """Batch 0 has no negative index; later ones have, another size of numbers (so another clipping), another lr."""
        rng = np.random.default_rng(batch)
        words = rng.choice(WORDS, ROWS, replace=self.duplicates)
        if batch:
            words = np.where(rng.integers(0, 2, ROWS), words, words - WORDS)
        x = (rng.standard_normal((ROWS, WIDTH)) * (1 + 3 * batch)).astype(np.float32)
        for slot, values in ((self.words, words), (self.x, x), (self.labels, rng.integers(0, 4, ROWS))):
            self.device.backend.feed(slot.array, values)
        self.optimizer.param_groups[0]["lr"] = 0.02 / (1 + batch)

    def step(self) -> tuple[tg.Tensor, tg.Tensor]:
        """The loss, and the norm that the gradients had before they were clipped."""
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.net(self.words, self.x), self.labels)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.net.parameters(), LIMIT)
        self.optimizer.step()
        return loss.detach(), norm.detach()

    def everything(self) -> dict[str, Any]:
        """All that a step changes."""
        state = {f"state {i} {n}": t for i, s in enumerate(self.optimizer.state.values()) for n, t in s.items()}
        return {n: t.numpy(force=True).copy() for n, t in {**self.net.state_dict(), **state}.items()}


def spoil_on(device: tg.Device) -> Callable[[Array], None]:
    """Fills memory that nobody is to read any more with what would be noticed."""
    fill = device.backend.full

    def spoil(array: Array) -> None:
        value = -123.0 if array.dtype.kind == "f" else 1
        fill(array.shape, value, array.dtype, out=array)

    return spoil


def record(training: Training) -> tuple[Recorder, Replay, tuple[tg.Tensor, tg.Tensor]]:
    training.put(0)
    for _ in range(2):
        training.step()
    with recording(training.device) as recorder:
        results = training.step()
    replay = Replay(recorder, training.device.backend, [t.array for t in results])
    return recorder, replay, results


def replayed(training: Training, replay: Replay, spoil: Callable[[Array], None] | None) -> None:
    """What whoever replays a step does besides: slots are fed, and the draws counted."""
    generator: Any = tg.random.default_generator(training.device)
    training.optimizer.mirror_rates()
    generator.catch_up()
    replay.run(spoil)
    generator.advance(replay.blocks)


def check_replay(device: tg.Device, optimizer: str, duplicates: bool = True) -> None:
    """Replays of one recorded step against eager steps, on batches unlike the recorded one."""
    eager, training = (Training(device, optimizer, duplicates) for _ in range(2))
    tg.manual_seed(6)
    for _ in range(3):
        eager.put(0)
        eager.step()
    tg.manual_seed(6)
    _, replay, results = record(training)
    spoil = spoil_on(device)
    for array in replay.made:
        spoil(array)
    clipped = []
    for batch in (1, 2, 0, 3):
        start = tg.get_rng_state()
        eager.put(batch)
        expected = [t.item() for t in eager.step()]
        end = tg.get_rng_state()
        tg.set_rng_state(start)
        training.put(batch)
        replayed(training, replay, spoil)
        assert tg.get_rng_state().tolist() == end.tolist()
        assert [t.item() for t in results] == expected
        for (name, mine), theirs in zip(training.everything().items(), eager.everything().values(), strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
        clipped.append(expected[1] > LIMIT)
    assert any(clipped)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replayed_step_is_the_eager_step_bit_for_bit(optimizer: str) -> None:
    check_replay(tg.device("cpu"), optimizer)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_replay_takes_no_memory(optimizer: str) -> None:
    training = Training(tg.device("cpu"), optimizer)
    _, replay, _ = record(training)
    replayed(training, replay, None)
    tracemalloc.start()
    try:
        replayed(training, replay, None)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        replayed(training, replay, None)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert training.x.array.nbytes == 256 * 1024
    assert peak - before < 128 * 1024, "more than what NumPy and erf go through at a time, however large the arrays"
    assert after - before < 4 * 1024


def test_a_recording_sees_how_far_draws_go_and_no_host_number() -> None:
    training = Training(tg.device("cpu"), "adam")
    recorder, replay, _ = record(training)
    names = [call.row.name for call in recorder.calls]
    assert names.count("next_key") == 2
    assert replay.blocks == -(-ROWS * WIDTH // 4) * 2
    assert not {"asarray", "to_numpy", "feed", "reshaped", "unbroadcast"} & set(names)


def test_memory_that_is_read_after_its_end_is_noticed() -> None:
    """The test above can fail: a row that does not say what is read frees too early."""
    training = Training(tg.device("cpu"), "sgd")
    _, replay, results = record(training)
    spoil = spoil_on(training.device)
    early = next(c for c in replay.calls if c.row.name == "gelu_backward")
    mask = next(c for c in replay.calls if c.row.name == "linear")
    mask.last_for.extend(a for a in early.last_for)
    mask.last_for.append(mask.results[0])
    training.put(1)
    replayed(training, replay, None)
    honest = results[0].item()
    training.put(1)
    replayed(training, replay, spoil)
    assert results[0].item() != honest

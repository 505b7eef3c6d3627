"""Optimizer steps after a check on the device has failed: nothing changes until the error is raised.

The oracle is the CPU, where the error comes at once and no step is reached.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn
from tensorgrad.functional import loss as F
from tensorgrad.nn import utils
from tests.cuda.test_deferred_errors import no_wait

Array = Any
Batch = tuple[Array, Array]
Make = Callable[[Iterable[tg.Tensor]], tg.optim.Optimizer]

OPTIMIZERS: dict[str, Make] = {
    "SGD": lambda p: tg.optim.SGD(p, 0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "Adam": lambda p: tg.optim.Adam(p, 0.05, weight_decay=0.01),
    "AdamW amsgrad": lambda p: tg.optim.AdamW(p, 0.05, amsgrad=True),
    "RMSprop": lambda p: tg.optim.RMSprop(p, 0.01, centered=True, momentum=0.9),
    "Adagrad": lambda p: tg.optim.Adagrad(p, 0.1, lr_decay=0.1),
}
# Each has what follows only from the number of steps: a step too many would be seen.
RNG = np.random.default_rng(3)
GOOD: list[Batch] = [
    (RNG.standard_normal((8, 4)).astype(np.float32), RNG.integers(0, 3, 8).astype(np.int64)) for _ in range(4)
]
X, LABELS = GOOD[0]
BAD: dict[str, tuple[Batch, type[Exception]]] = {
    "label": ((X, np.where(np.arange(8) == 5, 3, LABELS)), IndexError),
    "nan": ((np.where(np.arange(4) == 2, np.float32(math.nan), X), LABELS), RuntimeError),
}


class Training:
    """A model and its optimizer on a device, from the same weights everywhere."""

    def __init__(self, place: tg.Device | str, make: Make, groups: int = 1) -> None:
        tg.manual_seed(0)
        self.place = place
        self.model = nn.MLP([4, 6, 3], device="cpu").to(place)
        parameters = list(self.model.parameters())
        self.optimizer = make(parameters if groups == 1 else parameters[:2])
        if groups == 2:
            self.optimizer.add_param_group({"params": parameters[2:], "lr": 0.02})

    def step(self, batch: Batch) -> tg.Tensor:
        x, labels = (tg.tensor(array, device=self.place) for array in batch)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), labels)
        loss.backward()
        utils.clip_grad_norm_(self.model.parameters(), 1.0, error_if_nonfinite=True)
        self.optimizer.step()
        return loss

    def values(self) -> list[Array]:
        """Of parameters, state and step counts."""
        state = [t for p in self.model.parameters() for t in self.optimizer.state[p].values()]
        return [t.detach().cpu().numpy().copy() for t in [*self.model.parameters(), *state]]


def assert_same(found: list[Array], wanted: list[Array]) -> None:
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_changes_until_the_error_is_raised(cuda: tg.Device, name: str, groups: int, kind: str) -> None:
    training = Training(cuda, OPTIMIZERS[name], groups)
    bad, error = BAD[kind]
    training.step(GOOD[0])
    before = training.values()
    with no_wait(cuda):
        for batch in (bad, GOOD[1], bad, GOOD[2]):
            training.step(batch)
    with pytest.raises(error):
        tg.cuda.synchronize()
    assert_same(training.values(), before)
    training.step(GOOD[1])
    assert all(a.tobytes() != b.tobytes() for a, b in zip(training.values(), before, strict=True))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_not_even_the_first_step_is_made(cuda: tg.Device, name: str) -> None:
    """State that is made in a skipped step is that of an optimizer which has made none."""
    training = Training(cuda, OPTIMIZERS[name])
    training.step(BAD["label"][0])
    with pytest.raises(tg.BoundsError):
        tg.cuda.synchronize()
    fresh = Training(cuda, OPTIMIZERS[name])
    for t in (training, fresh):
        t.step(GOOD[0])
    assert_same(training.values(), fresh.values())


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_loop_that_passes_over_bad_batches_does_what_it_does_on_the_cpu(
    cuda: tg.Device, name: str, kind: str
) -> None:
    bad, error = BAD[kind]

    def train(place: tg.Device | str, batches: list[Batch]) -> tuple[list[Array], int]:
        training, passed_over = Training(place, OPTIMIZERS[name]), 0
        for batch in batches:
            try:
                training.step(batch).item()
            except error:
                passed_over += 1
        return training.values(), passed_over

    never_seen, none = train("cpu", GOOD)
    batches = [GOOD[0], bad, *GOOD[1:3], bad, bad, GOOD[3]]
    here, passed_over = train("cpu", batches)
    assert (none, passed_over) == (0, 3)
    assert_same(here, never_seen)
    there, passed_over = train(cuda, batches)
    assert passed_over == 3
    assert len(there) == len(here)
    for a, b in zip(there, here, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_an_error_of_before_the_gradients_skips_the_step_too(cuda: tg.Device) -> None:
    """An index, and a probability."""
    training = Training(cuda, OPTIMIZERS["Adam"])
    training.step(GOOD[0])
    before = training.values()
    failures: list[tuple[type[Exception], Callable[[], object]]] = [
        (tg.BoundsError, lambda: tg.zeros(3, device=cuda)[tg.tensor([0, 3], device=cuda)]),
        (tg.errors.ArgumentError, lambda: F.binary_cross_entropy(tg.tensor([1.5]), tg.tensor([0.5]))),
    ]
    for error, fail in failures:
        fail()
        training.step(GOOD[1])
        with pytest.raises(error):
            tg.cuda.synchronize()
        assert_same(training.values(), before)


# ---------------------------------------------------------------------- arrays without a kernel
def strided_parameter(place: tg.Device | str) -> tg.Tensor:
    p = tg.ones(3, 2, device=place).T
    p.requires_grad_()
    assert not p.is_contiguous()
    p.grad = tg.full((2, 3), 0.5, device=place)
    return p


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_composition_raises_before_it_writes(cuda: tg.Device, name: str) -> None:
    p = strided_parameter(cuda)
    optimizer = OPTIMIZERS[name]([p])
    optimizer.step()
    before = [t.cpu().numpy().copy() for t in (p.detach(), *optimizer.state[p].values())]
    _ = tg.zeros(3, device=cuda)[tg.tensor([4], device=cuda)]
    with pytest.raises(tg.BoundsError):
        optimizer.step()
    after = [t.cpu().numpy() for t in (p.detach(), *optimizer.state[p].values())]
    assert_same(after, before)
    optimizer.step()
    here = strided_parameter("cpu")
    oracle = OPTIMIZERS[name]([here])
    for _ in range(2):
        oracle.step()
    np.testing.assert_allclose(p.tolist(), here.tolist(), rtol=1e-5)


# ---------------------------------------------------------------------- the training loop
def test_fit_raises_before_the_bad_batch_is_learned(cuda: tg.Device) -> None:
    x, labels = (np.concatenate(parts) for parts in zip(*GOOD, strict=True))
    labels[17] = 3  # in the third batch
    found = []
    for place in ("cpu", cuda):
        training = Training(place, OPTIMIZERS["Adam"])
        batches = [tuple(tg.tensor(part[i : i + 8], device=place) for part in (x, labels)) for i in range(0, 32, 8)]
        with pytest.raises(tg.BoundsError, match="got 3 at position 1"):
            tg.train.fit(training.model, batches, F.cross_entropy, training.optimizer, epochs=2, progress=False)
        found.append(training.values())
        assert {float(s["step"].item()) for s in training.optimizer.state.values()} == {2.0}
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def test_fit_stops_at_a_gradient_that_is_not_finite(cuda: tg.Device) -> None:
    """It looks by itself, and nothing is left for a later wait to raise."""
    training = Training(cuda, OPTIMIZERS["Adam"])
    before = training.values()
    batches = [tuple(tg.tensor(part, device=cuda) for part in batch) for batch in (GOOD[0], BAD["nan"][0])]
    history = tg.train.fit(
        training.model, batches, F.cross_entropy, training.optimizer, epochs=2, progress=False, clip_norm=1.0
    )
    assert history.stop_reason == "non-finite loss"
    tg.cuda.synchronize()
    assert_same([p.detach().cpu().numpy() for p in training.model.parameters()], before)


def test_the_wait_after_a_step_looks_for_what_another_stream_has_found(cuda: tg.Device) -> None:
    backend: Any = cuda.backend
    _ = tg.zeros(2)[tg.tensor([9])]
    backend.errors._unread = False  # as after a wait that came too early for the check
    w = tg.ones(2, requires_grad=True)
    w.grad = tg.ones(2)
    tg.optim.SGD([w], lr=0.5).step()
    with pytest.raises(tg.BoundsError, match="got 9"):
        w.sum().item()
    assert w.tolist() == [1.0, 1.0]

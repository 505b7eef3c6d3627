"""Hooks of `fit`: when they are called, what they see, and that what they change is what is trained with. The oracle is
the loop written by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import DataLoader, TensorDataset
from tensorgrad.train import Epoch, FitState, History, Hook, fit
from tests.train.tools import linear, mse, regression

BATCH = 16
BATCHES = 4  # of the 50 samples


def make_optimizer(model: tg.nn.Module) -> tg.optim.Optimizer:
    return tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def fitted(hooks: Any, epochs: int = 3, **options: Any) -> tuple[tg.nn.Linear, History]:
    model = linear()
    data = regression()
    history = fit(
        model,
        data,
        mse,
        make_optimizer(model),
        epochs=epochs,
        batch_size=BATCH,
        validation=[data],  # one batch
        progress=False,
        hooks=hooks,
        **options,
    )
    return model, history


def by_hand(
    before: Callable[[tg.nn.Linear], None], after: Callable[[tg.optim.Optimizer, int], None], epochs: int = 3
) -> list[Any]:
    """The weights after each epoch of a loop in which `before` may change gradients and `after`, told how many steps
    there were, the learning rate.
    """
    model, steps, weights = linear(), 0, []
    optimizer = make_optimizer(model)
    loader = DataLoader(TensorDataset(*regression()), BATCH, shuffle=True, generator=tg.Generator("cpu").manual_seed(0))
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            mse(model(x), y).backward()
            before(model)
            optimizer.step()
            steps += 1
            after(optimizer, steps)
        weights.append(values(model))
    return weights


def values(model: tg.nn.Linear) -> list[Any]:
    return [p.tolist() for p in model.parameters()]


def nothing(*_: object) -> None:
    pass


class Halved(Hook):
    """Gradients of half the size: changed in place, or new tensors."""

    def __init__(self, in_place: bool) -> None:
        self.in_place = in_place

    def before_step(self, state: FitState) -> None:
        for p in state.model.parameters():
            assert p.grad is not None
            if self.in_place:
                p.grad.mul_(0.5)
            else:
                p.grad = p.grad * 0.5


@pytest.mark.parametrize("in_place", [True, False])
def test_gradients_that_a_hook_changes_are_those_of_the_step(in_place: bool) -> None:
    def halve(model: tg.nn.Linear) -> None:
        for p in model.parameters():
            assert p.grad is not None
            p.grad.mul_(0.5)

    model, history = fitted(Halved(in_place))
    assert history.best_epoch is not None
    assert values(model) == by_hand(halve, nothing)[history.best_epoch]
    assert values(model) != by_hand(nothing, nothing)[history.best_epoch]


def test_a_schedule_for_every_step_is_that_of_a_loop() -> None:
    def rate(steps: int) -> float:
        return 0.05 * 0.9**steps

    class Decay(Hook):
        def after_step(self, state: FitState) -> None:
            state.optimizer.param_groups[0]["lr"] = rate(state.steps_done)

    def after(optimizer: tg.optim.Optimizer, steps: int) -> None:
        optimizer.param_groups[0]["lr"] = rate(steps)

    model, history = fitted([Decay()])
    assert history.best_epoch is not None
    assert values(model) == by_hand(nothing, after)[history.best_epoch]
    assert values(model) != by_hand(nothing, nothing)[history.best_epoch]


def test_a_schedule_for_every_epoch_is_that_of_a_loop() -> None:
    class Halving(Hook):
        def after_epoch(self, state: FitState, epoch: Epoch) -> None:
            state.optimizer.param_groups[0]["lr"] /= 2

    def after(optimizer: tg.optim.Optimizer, steps: int) -> None:
        if steps % BATCHES == 0:
            optimizer.param_groups[0]["lr"] /= 2

    model, history = fitted([Halving()])
    assert history.best_epoch is not None
    assert values(model) == by_hand(nothing, after)[history.best_epoch]


class Diary(Hook):
    """What was called when, and what was seen."""

    def __init__(self, name: str = "", events: list[Any] | None = None) -> None:
        self.name, self.events = name, [] if events is None else events
        self.seen: list[FitState] = []

    def before_step(self, state: FitState) -> None:
        self.note("before", state)

    def after_step(self, state: FitState) -> None:
        self.note("after", state)

    def after_epoch(self, state: FitState, epoch: Epoch) -> None:
        self.note("epoch", state)
        assert epoch.val_loss == epoch.score

    def note(self, what: str, state: FitState) -> None:
        assert state.model.training
        assert not tg.is_grad_enabled()
        self.seen.append(state)
        self.events.append((f"{what}{self.name}", state.epoch, state.batch, state.steps_done))


def test_calls_come_in_their_order_and_count_from_the_beginning() -> None:
    events: list[Any] = []
    hooks = [Diary("1", events), Diary("2", events)]

    def measured(output: tg.Tensor, target: tg.Tensor) -> float:
        events.append("measured")
        return 0.0

    model, _ = fitted(hooks, epochs=2, metrics={"m": measured}, on_epoch=lambda _: events.append("on_epoch"))
    expected: list[Any] = []
    for epoch in (1, 2):
        for batch in range(1, BATCHES + 1):
            steps = (epoch - 1) * BATCHES + batch
            expected += [(f"before{i}", epoch, batch, steps - 1) for i in (1, 2)]
            expected += [(f"after{i}", epoch, batch, steps) for i in (1, 2)]
        expected += ["measured"]
        expected += [(f"epoch{i}", epoch, BATCHES, epoch * BATCHES) for i in (1, 2)]
        expected += ["on_epoch"]
    assert events == expected
    assert {id(state) for hook in hooks for state in hook.seen} == {id(hooks[0].seen[0])}
    assert hooks[0].seen[0].model is model


def test_loss_and_norm_are_those_of_the_step() -> None:
    found: list[tuple[float, float]] = []
    expected: list[tuple[float, float]] = []

    class Looks(Hook):
        def before_step(self, state: FitState) -> None:
            assert math.isnan(state.loss_value)
            assert math.isnan(state.gradient_norm)
            assert state.loss.is_leaf
            assert not state.loss.requires_grad
            squares = [(p.grad.double() ** 2).sum().item() for p in state.model.parameters() if p.grad is not None]
            expected.append((state.loss.item(), math.sqrt(sum(squares))))

        def after_step(self, state: FitState) -> None:
            assert type(state.loss_value) is type(state.gradient_norm) is float
            found.append((state.loss_value, state.gradient_norm))

    _, history = fitted([Looks()], epochs=1, clip_norm=1e-3)  # the norm is that before clipping
    assert len(found) == BATCHES
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    weights = np.array([BATCH, BATCH, BATCH, 50 - 3 * BATCH])
    mean = float(np.array([loss for loss, _ in found]) @ weights / 50)
    assert history.train_loss == pytest.approx([mean], rel=1e-12)


def test_clipping_sees_what_a_hook_made() -> None:
    class Larger(Hook):
        norms: tuple[float, ...] = ()

        def before_step(self, state: FitState) -> None:
            for p in state.model.parameters():
                assert p.grad is not None
                p.grad.mul_(1000.0)

        def after_step(self, state: FitState) -> None:
            self.norms += (state.gradient_norm,)

    hook, model = Larger(), linear()
    before = np.concatenate([p.detach().numpy().ravel().copy() for p in model.parameters()])
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    fit(model, regression(), mse, optimizer, epochs=1, batch_size=50, clip_norm=0.01, progress=False, hooks=hook)
    after = np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])
    assert np.linalg.norm(after - before) == pytest.approx(0.01, rel=1e-3)
    assert hook.norms[0] > 1000


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_what_is_not_finite_is_found_before_the_optimizer_writes(bad: float, clip_norm: float | None) -> None:
    class Breaks(Diary):
        def before_step(self, state: FitState) -> None:
            super().before_step(state)
            if state.batch == 3:
                for p in state.model.parameters():
                    p.grad = tg.full(p.shape, bad)

    hook = Breaks()
    model, history = fitted(hook, epochs=2, clip_norm=clip_norm)
    assert history.stop_reason == "non-finite loss"
    assert "gradient norm in epoch 1, batch 3 is" in history.detail
    assert hook.events[-2:] == [("after", 1, 2, 2), ("before", 1, 3, 2)]
    assert values(model) == values(linear())


class Raises(Hook):
    """Raises `error` at one of the three moments of the second epoch."""

    def __init__(self, moment: str, error: BaseException) -> None:
        self.moment, self.error = moment, error
        self.weights: list[Any] = []  # after each epoch
        self.scores: list[float] = []

    def before_step(self, state: FitState) -> None:
        self._at("before_step", state)

    def after_step(self, state: FitState) -> None:
        self._at("after_step", state)

    def after_epoch(self, state: FitState, epoch: Epoch) -> None:
        self.weights.append([p.tolist() for p in state.model.parameters()])
        self.scores.append(epoch.score)
        self._at("after_epoch", state)

    def _at(self, moment: str, state: FitState) -> None:
        if moment == self.moment and state.epoch == 2 and state.batch in (2, BATCHES):
            raise self.error


@pytest.mark.parametrize("moment", ["before_step", "after_step", "after_epoch"])
def test_errors_and_interrupts_leave_the_best_weights(moment: str) -> None:
    for error in (RuntimeError("broken"), tg.NonFiniteError("its own")):
        hook, model = Raises(moment, error), linear()
        with pytest.raises(type(error), match=str(error)):
            fit(model, regression(), mse, make_optimizer(model), epochs=3, progress=False, batch_size=BATCH, hooks=hook)
        assert values(model) == hook.weights[int(np.argmin(hook.scores))]
    hook = Raises(moment, KeyboardInterrupt())
    model, history = fitted(hook)
    assert history.stop_reason == "interrupted"
    assert len(history.epochs) == len(hook.weights) == (2 if moment == "after_epoch" else 1)
    assert values(model) == hook.weights[int(np.argmin(hook.scores))]


def test_hooks_that_do_nothing_change_nothing() -> None:
    assert values(fitted([Hook(), Hook()])[0]) == values(fitted(())[0]) == values(fitted([])[0])


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        (Hook, r"hooks must be Hooks, got the class Hook; call it: Hook\(\)"),
        ([Hook(), Diary], r"got the class Diary; call it: Diary\(\)"),
        (print, r"got builtin_function_or_method; make a subclass of train\.Hook"),
        ([len], "got builtin_function_or_method; make"),
        (None, "got NoneType; make"),
        ("log", "got str; make"),
        (iter([Hook()]), "got list_iterator; make"),
    ],
)
def test_refuses_what_is_no_hook(hooks: object, message: str) -> None:
    with pytest.raises(tg.DTypeError, match=f"fit: .*{message}"):
        fitted(hooks)


def test_what_others_call_hooks_is_told() -> None:
    with pytest.raises(TypeError, match=r"no argument 'callbacks'; did you mean hooks\?"):
        fitted((), callbacks=[])

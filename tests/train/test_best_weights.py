"""Which weights training ends with. The oracle is a copy of them after every epoch, made outside the
loop.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.train import History, fit

ONE = (tg.zeros(1, 1), tg.zeros(1, 1))


class Counter(tg.nn.Module):
    """Its only weight counts the steps: the loss below has the gradient -1, and SGD with lr 1 adds 1."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = tg.nn.Parameter(tg.zeros(()))

    def forward(self, x: tg.Tensor) -> tg.Tensor:
        return x + self.steps


class Script:
    """A loss that follows a script: after n steps the validation loss is `values[n - 1]`.

    While training it is minus the number of steps, or what `events` says for the step about to be made.
    """

    def __init__(self, model: Counter, values: list[float], events: dict[int, object] | None = None) -> None:
        self.model, self.values, self.events = model, values, events or {}

    def __call__(self, output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
        steps = round(self.model.steps.item())
        if not self.model.training:
            return tg.tensor(self.values[steps - 1])
        event = self.events.get(steps, 1.0)
        if isinstance(event, BaseException):
            raise event
        assert isinstance(event, float)
        mean = output.mean()
        return -(mean + (event - 1.0) * mean.detach())


def run(
    values: list[float], events: dict[int, object] | None = None, validate: bool = True, **options: object
) -> tuple[Counter, History, list[float]]:
    """Train a Counter by the script, one step an epoch; also the weight as it was after each epoch."""
    model, after = Counter(), []
    arguments = {"epochs": len(values), "progress": False, "validation": ONE if validate else None, **options}
    history = fit(
        model,
        ONE,
        Script(model, values, events),
        tg.optim.SGD(model.parameters(), lr=1.0),
        on_epoch=lambda _: after.append(model.steps.item()),
        **arguments,  # type: ignore[arg-type]
    )
    return model, history, after


SEQUENCES = [
    [5.0, 4.0, 3.0],
    [3.0, 4.0, 5.0],
    [5.0, 1.0, 4.0, 2.0, 3.0],
    [2.0, 1.0, 1.0, 1.0],
    [7.0],
    [9.0, 8.0, 8.5, 8.5, 7.75, 9.0],
]


@pytest.mark.parametrize("values", SEQUENCES)
def test_weights_are_those_of_the_least_validation_loss(values: list[float]) -> None:
    model, history, after = run(values)
    best = int(np.argmin(values))
    assert history.best_epoch == best
    assert model.steps.item() == after[best] == best + 1
    assert history.val_loss == values
    assert history.stop_reason == "epochs"


@pytest.mark.parametrize("values", SEQUENCES)
@pytest.mark.parametrize("patience", [1, 2])
def test_patience(values: list[float], patience: int) -> None:
    model, history, after = run(values, patience=patience)
    expected = next(
        (n for n in range(1, len(values) + 1) if n - 1 - int(np.argmin(values[:n])) >= patience), len(values)
    )
    waited = expected - 1 - int(np.argmin(values[:expected])) >= patience
    assert len(history.epochs) == expected
    assert history.stop_reason == ("patience" if waited else "epochs")
    assert model.steps.item() == after[int(np.argmin(values[:expected]))]


def test_without_validation_the_training_loss_at_the_end_of_the_epoch_decides() -> None:
    # The script multiplies the training loss -steps: before steps 0, 1, 2, 3 are made it is 0, -1, -10, -3.
    model, history, after = run([4.0, 2.0, 5.0, 3.0], events={2: 5.0}, validate=False)
    assert history.train_loss == [0.0, -1.0, -10.0, -3.0]
    assert [epoch.score for epoch in history.epochs] == [4.0, 2.0, 5.0, 3.0]
    assert history.val_loss == []
    assert history.best_epoch == 1
    assert model.steps.item() == after[1]


def test_the_score_belongs_to_the_weights_that_are_kept() -> None:
    """A step that is too long: the loss before it is small, after it large."""
    rng = np.random.default_rng(0)
    x = tg.tensor(rng.standard_normal((40, 1)))
    data = (x, 2 * x)
    model = tg.nn.Linear(1, 1, dtype=tg.float64)

    def loss(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
        return (output - target).square().mean()

    for rate, epochs in ((1.4, 1), (0.9, 6)):
        optimizer = tg.optim.SGD(model.parameters(), lr=rate)
        history = fit(model, data, loss, optimizer, epochs=epochs, batch_size=40, progress=False)
        scores = [epoch.score for epoch in history.epochs]
        assert history.best_epoch == int(np.argmin(scores))
        assert min(scores) == pytest.approx(loss(model(x), 2 * x).item(), rel=1e-12)


def test_the_training_loss_after_the_last_step_is_looked_at() -> None:
    model, history, after = run([2.0, math.nan], validate=False)
    assert history.stop_reason == "non-finite loss"
    assert "training loss after epoch 2 is nan" in history.detail
    assert model.steps.item() == after[0]


def test_interrupt_in_the_middle_of_an_epoch() -> None:
    model, history, after = run([5.0, 3.0, 4.0, 1.0], events={3: KeyboardInterrupt()})
    assert history.stop_reason == "interrupted"
    assert len(history.epochs) == len(after) == 3
    assert model.steps.item() == after[1] == 2.0


def test_interrupt_before_the_first_epoch_is_complete_keeps_what_was_learned() -> None:
    model, data = Counter(), (tg.zeros(3, 1), tg.zeros(3, 1))
    script = Script(model, [1.0], events={2: KeyboardInterrupt()})
    history = fit(model, data, script, tg.optim.SGD(model.parameters(), lr=1.0), epochs=1, batch_size=1, progress=False)
    assert (history.stop_reason, history.best_epoch, history.epochs) == ("interrupted", None, [])
    assert model.steps.item() == 2.0


@pytest.mark.parametrize("where", ["validation", "callback"])
def test_interrupt_elsewhere(where: str) -> None:
    model, calls = Counter(), []

    def interrupt_third(*_: object) -> float:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    history = fit(
        model,
        ONE,
        Script(model, [5.0, 3.0, 1.0, 0.0]),
        tg.optim.SGD(model.parameters(), lr=1.0),
        epochs=4,
        validation=ONE,
        progress=False,
        on_epoch=interrupt_third if where == "callback" else None,  # type: ignore[arg-type]
        metrics={"m": interrupt_third} if where == "validation" else None,
    )
    assert history.stop_reason == "interrupted"
    assert history.best_epoch == len(history.epochs) - 1
    assert model.steps.item() == len(history.epochs)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_never_reaches_the_optimizer(bad: float) -> None:
    model = Counter()
    optimizer = tg.optim.SGD(model.parameters(), lr=1.0)
    written: list[float] = []
    step = optimizer.step

    def recording_step() -> None:
        step()
        written.append(model.steps.item())

    optimizer.step = recording_step  # type: ignore[method-assign, assignment]
    script = Script(model, [5.0, 3.0, 4.0, 1.0], events={3: bad})
    history = fit(model, ONE, script, optimizer, epochs=4, validation=ONE, progress=False)
    assert history.stop_reason == "non-finite loss"
    assert "training loss in epoch 4, batch 1" in history.detail
    assert written == [1.0, 2.0, 3.0]
    assert model.steps.item() == 2.0


def test_a_first_loss_that_is_not_finite_puts_the_start_back() -> None:
    model = Counter()
    script = Script(model, [1.0], events={2: math.nan})
    data = (tg.zeros(4, 1), tg.zeros(4, 1))
    history = fit(model, data, script, tg.optim.SGD(model.parameters(), lr=1.0), epochs=1, batch_size=1, progress=False)
    assert (history.stop_reason, history.best_epoch) == ("non-finite loss", None)
    assert model.steps.item() == 0.0


def test_a_validation_loss_that_is_not_finite() -> None:
    model, history, after = run([2.0, 3.0, math.nan, 1.0])
    assert history.stop_reason == "non-finite loss"
    assert "validation loss after epoch 3 is nan" in history.detail
    assert model.steps.item() == after[0]


@pytest.mark.parametrize("clip", [{}, {"clip_norm": 1.0}])
def test_gradients_that_are_not_finite_never_reach_the_optimizer(clip: dict[str, float]) -> None:
    model = tg.nn.Linear(2, 1)
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    data = (tg.ones(4, 2), tg.zeros(4, 1))

    def loss(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
        return (output * 0.0).sqrt().mean()  # 0, with the gradient 0 * inf

    history = fit(model, data, loss, tg.optim.SGD(model.parameters(), lr=0.1), epochs=1, progress=False, **clip)  # type: ignore[arg-type]
    assert history.stop_reason == "non-finite loss"
    assert "gradient norm in epoch 1, batch 1" in history.detail
    assert all(np.array_equal(value.numpy(), before[name]) for name, value in model.state_dict().items())


def test_errors_pass_through_and_still_leave_the_best_weights() -> None:
    model = Counter()
    with pytest.raises(RuntimeError, match="broken"):
        fit(
            model,
            ONE,
            Script(model, [5.0, 3.0, 4.0, 1.0], events={3: RuntimeError("broken")}),
            tg.optim.SGD(model.parameters(), lr=1.0),
            epochs=4,
            validation=ONE,
            progress=False,
        )
    assert model.steps.item() == 2.0

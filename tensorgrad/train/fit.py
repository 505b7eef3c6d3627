"""The training loop: validation, early stopping, the best weights on every way out, and a history of it
all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal

from tensorgrad.autograd.modes import no_grad
from tensorgrad.cuda import synchronize
from tensorgrad.data import DataLoader, Dataset, Table
from tensorgrad.data.table import Array
from tensorgrad.errors import ArgumentError, NonFiniteError, ShapeError
from tensorgrad.functional.joining import cat, stack
from tensorgrad.nn import Module
from tensorgrad.nn.utils import measure_gradients
from tensorgrad.optim import Optimizer
from tensorgrad.optim.options import names_checked
from tensorgrad.tensor import Tensor
from tensorgrad.train.arguments import check_arguments, check_optimizer, check_parts
from tensorgrad.train.batches import as_batches, as_field, as_samples, beside, inputs_and_target
from tensorgrad.train.means import Means
from tensorgrad.train.progress import Reporter, make_reporter

__all__ = ["Epoch", "History", "StopReason", "accuracy", "evaluate", "fit", "predict"]

StopReason = Literal["epochs", "patience", "interrupted", "non-finite loss"]
Data = Dataset | Table | tuple[Tensor | Array, ...] | Iterable[tuple[Tensor, ...]]
Loss = Callable[[Any, Tensor], Tensor]
Metrics = Mapping[str, Callable[[Any, Tensor], Tensor | float]]
Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data came to.

    `train_loss` is the mean while the weights were changing. `score`, which the best epoch has least of, belongs to
    the weights at the end of the epoch: it is the validation loss or, where nothing validates, the loss on the
    training data, measured again. `seconds` includes the measuring.
    """

    train_loss: float
    val_loss: float | None
    metrics: dict[str, float]
    seconds: float
    score: float

    def __str__(self) -> str:
        values = {"train loss": self.train_loss, "val loss": self.val_loss, **self.metrics}
        return "  ".join(f"{name} {_shown(value)}" for name, value in values.items() if value is not None)


@dataclass
class History:
    """What `fit` did.

    `epochs`: the completed ones. `best_epoch`: the index among them of the weights the model now has, None if
    no epoch was completed; `history.epochs[history.best_epoch].score` is the least of all. `stop_reason`:
    "epochs" (all were run), "patience", "interrupted" or "non-finite loss"; `detail` says where a loss, or the norm
    of the gradients, was not finite.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    stop_reason: StopReason = "epochs"
    detail: str = ""

    @property
    def train_loss(self) -> list[float]:
        """Mean over the samples of each epoch, measured while the weights were changing."""
        return [epoch.train_loss for epoch in self.epochs]

    @property
    def val_loss(self) -> list[float]:
        """Measured at the end of each epoch; empty where nothing validates."""
        return [epoch.val_loss for epoch in self.epochs if epoch.val_loss is not None]

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Each metric over the epochs, measured at the end of each."""
        names = self.epochs[0].metrics if self.epochs else {}
        return {name: [epoch.metrics[name] for epoch in self.epochs] for name in names}

    @property
    def time(self) -> list[float]:
        """Seconds each epoch took."""
        return [epoch.seconds for epoch in self.epochs]


@names_checked
def fit(
    model: Module,
    data: Data,
    loss: Loss,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int = 32,
    validation: Data | None = None,
    patience: int | None = None,
    metrics: Metrics | None = None,
    clip_norm: float | None = None,
    seed: int | None = 0,
    progress: bool = True,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:
    """Train `model` in place to make `loss(model(*inputs), target)` small; return the history.

    `data`, `validation`: a data set, a tuple of tensors or NumPy arrays (the last is the target; floats of arrays
    become the model's dtype), or an iterable of batches such as a DataLoader, which is used as it is; otherwise
    batches of `batch_size` are drawn in an order that depends on `seed` alone (None: on the default generator).
    Batches that are on another device than the model are moved there one by one; data that fit into its memory are
    faster there from the start (`data.to(device)`).
    `loss` returns the mean over a batch; means over an epoch weigh every sample alike. `metrics`: name ->
    function(output, target), also a mean over a batch.
    `clip_norm` limits the norm of all gradients together. `patience` ends training after so many epochs in a row
    without a new least score. `on_epoch` is called after each.

    At the end of each epoch its score, which is a loss, and the metrics are measured in eval mode: on the validation
    data or, where there is none, on the training data, gone through once more, since the losses seen during an epoch
    belong to weights that are gone by its end. That takes about a third of the time. Training data that can be gone
    through only once (an iterator, for one epoch) are not measured again: the loss during training is the score then.

    However training ends, the model has the weights of the epoch with the least score: after all epochs, out of
    patience, on Ctrl-C (which does not raise, but ends the training), on an error, and at a loss or a norm of the
    optimizer's gradients that is not finite; in every step both are looked at before the optimizer writes. Before the
    first epoch is complete there are no such weights: Ctrl-C and errors then leave the model as it is, a loss or norm
    that is not finite puts back the weights it had at the start. `model.training` is left as it was.

    Raises: DTypeError for arguments of the wrong kind; ArgumentError for arguments out of range, an optimizer of other
    parameters, data without batches or targets, an iterator where data are gone through more than once, a loss that is
    not one number.
    """
    check_parts("fit", model, loss)
    check_optimizer(optimizer, model)
    check_arguments(epochs, patience, clip_norm)
    data = _samples("fit: data", data, model)
    validation = None if validation is None else _samples("fit: validation", validation, model)
    judge = _judge(data, validation, epochs, metrics)
    run = _Run(model, as_batches(data, batch_size, seed, shuffle=True), loss, optimizer, clip_norm)
    if run.first is not None:
        synchronize(run.first.device)  # what was found wrong before is not ours
    run.judge = None if judge is None else as_batches(judge, batch_size)
    run.validates, run.metrics = validation is not None, metrics or {}
    with make_reporter(progress, epochs, run.batches_per_epoch) as reporter, _mode(model, training=True):
        try:
            for _ in range(epochs):
                latest = run.epoch(reporter)
                reporter.epoch(len(run.trail), str(latest))
                if on_epoch is not None:
                    on_epoch(latest)
                if patience is not None and run.epochs_since_best() >= patience:
                    run.history.stop_reason = "patience"
                    break
        except KeyboardInterrupt:
            run.history.stop_reason = "interrupted"
        except _NotFiniteError as where:
            run.history.stop_reason, run.history.detail = "non-finite loss", str(where)
        finally:
            run.restore_best()
    if run.history.stop_reason == "interrupted":
        reporter.close(f"stopped by Ctrl-C {run.state()}")
    return run.history


def evaluate(
    model: Module, data: Data, loss: Loss, *, batch_size: int = 1024, metrics: Metrics | None = None
) -> dict[str, float]:
    """`{"loss": ..., metric: ...}`: means over the samples of `data`, in eval mode, without recording.

    Sums stay on the device until the end, in float64; `data`, `loss` and `metrics` are as for `fit`.
    """
    check_parts("evaluate", model, loss)
    means, data = Means(), _samples("evaluate: data", data, model)
    with _mode(model, training=False), no_grad():
        for inputs, target in inputs_and_target(as_batches(data, batch_size), next(model.parameters(), None)):
            output = model(*inputs)
            values = {"loss": _checked_loss(loss(output, target))}
            means.add(values | {name: metric(output, target) for name, metric in (metrics or {}).items()}, len(target))
    return means.read()


def predict(model: Module, inputs: Tensor | Array, batch_size: int = 1024) -> Tensor:
    """`model(inputs)` in eval mode and without recording, `batch_size` samples at a time.

    Tensors may be on another device than the model, and the result is where they are; of arrays it is with the model.
    """
    check_parts("predict", model)
    like = next(model.parameters(), None)
    inputs = as_field("predict: inputs", inputs, like)
    with _mode(model, training=False), no_grad():
        starts = range(0, max(1, len(inputs)), batch_size)
        return cat([beside(model(beside(inputs[i : i + batch_size], like)), inputs) for i in starts])


def accuracy(output: Tensor, target: Tensor) -> Tensor:
    """The share of samples whose largest output is the target: output (n, classes), target int64 (n,); 0-d
    float32.
    """
    if output.ndim != 2 or target.shape != output.shape[:1]:
        raise ShapeError(
            "accuracy: needs outputs of shape (n, classes) and labels of shape (n,), "
            f"got {output.shape} and {target.shape}"
        )
    return (output.argmax(1) == target).float().mean()


class _NotFiniteError(Exception):
    """Raised at a loss or norm that is nan or infinite; never leaves `fit`."""


@contextmanager
def _nan_refused() -> Iterator[None]:
    """A loss that refuses nan (on CUDA when the host waits) is one that is not finite."""
    try:
        yield
    except NonFiniteError as error:
        raise _NotFiniteError(str(error)) from error


class _Run:
    """One call of `fit`: what it works on, and the epochs behind it.

    `trail` pairs every completed epoch with its weights if it was the best so far. One `append` makes both
    known at once, so Ctrl-C at any moment finds history and weights in agreement.
    """

    def __init__(
        self,
        model: Module,
        batches: Iterable[tuple[Tensor, ...]],
        loss: Loss,
        optimizer: Optimizer,
        clip_norm: float | None,
    ) -> None:
        self.model, self.loss, self.optimizer, self.clip_norm = model, loss, optimizer, clip_norm
        self.batches, self.first = batches, next(model.parameters(), None)
        self.judge: Iterable[tuple[Tensor, ...]] | None = None  # what the score is measured on
        self.validates = False
        self.metrics: Metrics = {}
        self.batches_per_epoch = len(batches) if isinstance(batches, Sized) else None
        self.batches_done = 0
        self.history = History()
        self.trail: list[tuple[Epoch, Weights | None]] = []
        self.first_weights = _copy_of_weights(model)

    def epoch(self, reporter: Reporter) -> Epoch:
        started = perf_counter()
        train_loss = self._train(reporter)
        measured = {"loss": train_loss}
        if self.judge is not None:
            measured = evaluate(self.model, self.judge, self._refusing_loss, metrics=self.metrics)
        what = "validation loss" if self.validates else "training loss"
        score = _finite(measured.pop("loss"), f"{what} after epoch {len(self.trail) + 1}")
        latest = Epoch(train_loss, score if self.validates else None, measured, perf_counter() - started, score)
        best = self.best_epoch()
        improved = best is None or latest.score < self.trail[best][0].score
        self.trail.append((latest, _copy_of_weights(self.model) if improved else None))
        if improved and best is not None:
            self.trail[best] = (self.trail[best][0], None)
        return latest

    def best_epoch(self) -> int | None:
        kept = [index for index, (_, weights) in enumerate(self.trail) if weights is not None]
        return kept[-1] if kept else None

    def epochs_since_best(self) -> int:
        return len(self.trail) - 1 - (self.best_epoch() or 0)

    def restore_best(self) -> None:
        best = self.best_epoch()
        self.history.epochs = [epoch for epoch, _ in self.trail]
        self.history.best_epoch = best
        if best is not None:
            self.model.load_state_dict(self.trail[best][1] or {})
        elif self.history.stop_reason == "non-finite loss":
            self.model.load_state_dict(self.first_weights)

    def state(self) -> str:
        """How far it came, and whose weights the model has."""
        count, best = len(self.trail), self.best_epoch()
        if best is None:
            return "before the end of the first epoch; the model has the weights of that moment"
        return f"after {count} epoch{'s' if count > 1 else ''}; the model has the weights of epoch {best + 1}"

    def _train(self, reporter: Reporter) -> float:
        means = Means()
        for number, (inputs, target) in enumerate(inputs_and_target(self.batches, self.first), start=1):
            means.add({"loss": self._step(inputs, target, f"epoch {len(self.trail) + 1}, batch {number}")}, len(target))
            self.batches_done += 1
            reporter.batch(self.batches_done)
        return means.read()["loss"]

    def _refusing_loss(self, output: Any, target: Tensor) -> Tensor:
        with _nan_refused():
            return self.loss(output, target)

    def _step(self, inputs: tuple[Tensor, ...], target: Tensor, where: str) -> float:
        loss = _checked_loss(self._refusing_loss(self.model(*inputs), target))
        self.optimizer.zero_grad()
        loss.backward()
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = measure_gradients(parameters, self.clip_norm)
        # The one place where a step waits for the device: the price of never letting nan into the weights.
        with no_grad(), _nan_refused():
            value, size = stack([loss.to(device=norm.device, dtype=norm.dtype), norm]).tolist()
        _finite(value, f"training loss in {where}")
        _finite(size, f"gradient norm in {where}")
        self.optimizer.step()
        return float(value)


def _checked_loss(loss: Tensor) -> Tensor:
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        got = f"shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ArgumentError(f"train: the loss must be one number for a batch, got {got}; use reduction='mean'")
    return loss


def _shown(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 1e-4 <= abs(value) < 1e5 else f"{value:.4g}"


def _finite(value: float, what: str) -> float:
    if not math.isfinite(value):
        raise _NotFiniteError(f"{what} is {value}")
    return value


def _judge(data: Data, validation: Data | None, epochs: int, metrics: Metrics | None) -> Data | None:
    """What the score of an epoch is measured on; None where that is the loss during training."""
    for name, given in (("data", data), ("validation", validation)):
        if epochs > 1 and isinstance(given, Iterator):
            raise ArgumentError(
                f"fit: {name} is an iterator ({type(given).__name__}), which is used up after the first of {epochs} "
                "epochs; pass a DataLoader, a list of batches, or an object with __iter__"
            )
    if validation is not None:
        return validation
    if isinstance(data, DataLoader):  # in order: a shuffle would draw numbers that training draws without it
        return DataLoader(data.dataset, data.batch_size)
    if not isinstance(data, Iterator):
        return data
    if metrics:
        raise ArgumentError("fit: metrics are measured after each epoch, but data is an iterator; pass validation data")
    return None


def _samples(what: str, data: Data, model: Module) -> Data:
    samples: Data = as_samples(what, data, next(model.parameters(), None))
    return samples


def _copy_of_weights(model: Module) -> Weights:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@contextmanager
def _mode(model: Module, training: bool) -> Iterator[None]:
    """Train or eval mode inside, and every module's own mode again afterwards."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training

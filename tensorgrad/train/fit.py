"""`fit`: epochs of steps, the measuring after each, and the best weights on every way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from time import perf_counter

from tensorgrad.autograd.modes import no_grad
from tensorgrad.data import DataLoader
from tensorgrad.errors import ArgumentError
from tensorgrad.nn import Module
from tensorgrad.optim import Optimizer
from tensorgrad.tensor import Tensor
from tensorgrad.train.arguments import check_arguments, check_optimizer, check_parts, checked_hooks, names_checked
from tensorgrad.train.batches import Data, as_batches, as_samples, inputs_and_target
from tensorgrad.train.evaluate import Metric, Metrics, evaluate, mode, named_metrics
from tensorgrad.train.history import Epoch, History
from tensorgrad.train.hooks import FitState, Hook
from tensorgrad.train.means import Means
from tensorgrad.train.progress import Reporter, make_reporter
from tensorgrad.train.step import Loss, NotFiniteError, TrainingStep, finite, refusing

__all__ = ["fit"]

Weights = dict[str, Tensor]


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
    hooks: Hook | Sequence[Hook] = (),
) -> History:
    """Train `model` in place to make `loss(model(*inputs), target)` small; return the history.

    `data`, `validation`: a data set, a tuple of tensors or NumPy arrays (the last is the target; floats of arrays
    become the model's dtype), or an iterable of batches such as a DataLoader, which is used as it is; otherwise
    batches of `batch_size` are drawn in an order that depends on `seed` alone (None: on the default generator).
    Batches that are on another device than the model are moved there one by one; data that fit into its memory are
    faster there from the start (`data.to(device)`).
    `loss` returns the mean over a batch; means over an epoch weigh every sample alike. `metrics`: name ->
    function(output, target), also a mean over a batch; or a list of functions and of "accuracy".
    `clip_norm` limits the norm of all gradients together. `patience` ends training after so many epochs in a row
    without a new least score. `on_epoch` is called after each. `hooks` (see `Hook`) are called within every step too:
    they may change gradients, follow the loss, set the learning rate.

    At the end of each epoch its score, which is a loss, and the metrics are measured in eval mode: on the validation
    data or, where there is none, on the training data, gone through once more, since the losses seen during an epoch
    belong to weights that are gone by its end. That takes about a third of the time. Training data that can be gone
    through only once (an iterator, for one epoch) are not measured again: the loss during training is the score then.

    However training ends, the model has the weights of the epoch with the least score: after all epochs, out of
    patience, on Ctrl-C (which does not raise, but ends the training), on an error, and at a loss or a norm of the
    optimizer's gradients (as the hooks leave them) that is not finite; in every step both are looked at before the
    optimizer writes. Before the first epoch is complete there are no such weights: Ctrl-C and errors then leave the
    model as it is, a loss or norm that is not finite puts back the weights it had at the start. `model.training` is
    left as it was.

    Raises: DTypeError for arguments of the wrong kind; ArgumentError for arguments out of range, an optimizer of other
    parameters, data without batches or targets, an iterator where data are gone through more than once, a loss that is
    not one number.
    """
    check_parts("fit", model, loss)
    check_optimizer(optimizer, model)
    check_arguments(epochs, patience, clip_norm)
    measures = named_metrics("fit", metrics)
    like = next(model.parameters(), None)
    data = as_samples("fit: data", data, like)
    validation = None if validation is None else as_samples("fit: validation", validation, like)
    judge = _judge(data, validation, epochs, measures)
    step = TrainingStep(FitState(model, optimizer), refusing(loss), clip_norm, checked_hooks(hooks))
    run = _Run(as_batches(data, batch_size, seed, shuffle=True), step)
    if like is not None:
        like.device.backend.synchronize()  # what was found wrong before is not ours
    run.judge = None if judge is None else as_batches(judge, batch_size)
    run.validates, run.metrics = validation is not None, measures
    with make_reporter(progress, epochs, run.batches_per_epoch) as reporter, mode(model, training=True):
        try:
            for _ in range(epochs):
                latest = run.epoch(reporter)
                reporter.epoch(len(run.trail), str(latest))
                with no_grad():
                    for hook in step.hooks:
                        hook.after_epoch(step.state, latest)
                if on_epoch is not None:
                    on_epoch(latest)
                if patience is not None and run.epochs_since_best() >= patience:
                    run.history.stop_reason = "patience"
                    break
        except KeyboardInterrupt:
            run.history.stop_reason = "interrupted"
        except NotFiniteError as where:
            run.history.stop_reason, run.history.detail = "non-finite loss", str(where)
        finally:
            run.restore_best()
    if run.history.stop_reason != "epochs":
        reporter.close(str(run.history))
    return run.history


class _Run:
    """One call of `fit`: what it works on, and the epochs behind it.

    `trail` pairs every completed epoch with its weights if it was the best so far. One `append` makes both
    known at once, so Ctrl-C at any moment finds history and weights in agreement.
    """

    def __init__(self, batches: Iterable[tuple[Tensor, ...]], step: TrainingStep) -> None:
        self.batches, self.step, self.model = batches, step, step.state.model
        self.judge: Iterable[tuple[Tensor, ...]] | None = None  # what the score is measured on
        self.validates = False
        self.metrics: dict[str, Metric] = {}
        self.batches_per_epoch = len(batches) if isinstance(batches, Sized) else None
        self.history = History()
        self.trail: list[tuple[Epoch, Weights | None]] = []
        self.first_weights = _copy_of_weights(self.model)

    def epoch(self, reporter: Reporter) -> Epoch:
        started = perf_counter()
        train_loss = self._train(reporter)
        measured = {"loss": train_loss}
        if self.judge is not None:
            measured = evaluate(self.model, self.judge, self.step.loss, metrics=self.metrics)
        what = "validation loss" if self.validates else "training loss"
        score = finite(measured.pop("loss"), f"{what} after epoch {len(self.trail) + 1}")
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

    def _train(self, reporter: Reporter) -> float:
        means, like, state = Means(), next(self.model.parameters(), None), self.step.state
        state.epoch = len(self.trail) + 1
        for number, (inputs, target) in enumerate(inputs_and_target(self.batches, like), start=1):
            state.batch = number
            means.add({"loss": self.step(inputs, target)}, len(target))
            reporter.batch(state.steps_done)
        return means.read()["loss"]


def _judge(data: Data, validation: Data | None, epochs: int, metrics: dict[str, Metric]) -> Data | None:
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


def _copy_of_weights(model: Module) -> Weights:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}

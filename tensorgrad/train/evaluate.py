"""A model measured and used, in eval mode and without recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from tensorgrad.arguments import hinted
from tensorgrad.autograd.modes import no_grad
from tensorgrad.data.table import Array
from tensorgrad.dtypes import type_name
from tensorgrad.errors import ArgumentError, DTypeError, ShapeError
from tensorgrad.functional.joining import cat
from tensorgrad.nn import Module
from tensorgrad.tensor import Tensor
from tensorgrad.train.arguments import check_parts
from tensorgrad.train.batches import Data, as_batches, as_field, as_samples, beside, inputs_and_target
from tensorgrad.train.means import Means
from tensorgrad.train.step import Loss, checked_loss

__all__ = ["Metric", "Metrics", "accuracy", "evaluate", "mode", "named_metrics", "predict"]

Metric: TypeAlias = Callable[[Any, Tensor], Tensor | float]
Metrics: TypeAlias = Mapping[str, Metric] | Sequence[str | Metric]


@hinted
def evaluate(
    model: Module, data: Data, loss: Loss, *, batch_size: int = 1024, metrics: Metrics | None = None
) -> dict[str, float]:
    """`{"loss": ..., metric: ...}`: means over the samples of `data`, in eval mode, without recording.

    Sums stay on the device until the end, in float64; `data`, `loss` and `metrics` are as for `fit`.
    """
    check_parts("evaluate", model, loss)
    measures = named_metrics("evaluate", metrics)
    like = next(model.parameters(), None)
    means, data = Means(), as_samples("evaluate: data", data, like)
    with mode(model, training=False), no_grad():
        for inputs, target in inputs_and_target(as_batches(data, batch_size), like):
            output = model(*inputs)
            values = {"loss": checked_loss(loss(output, target))}
            means.add(values | {name: metric(output, target) for name, metric in measures.items()}, len(target))
    return means.read()


@hinted
def predict(model: Module, inputs: Tensor | Array, batch_size: int = 1024) -> Tensor:
    """`model(inputs)` in eval mode and without recording, `batch_size` samples at a time.

    Tensors may be on another device than the model, and the result is where they are; of arrays it is with the model.
    """
    check_parts("predict", model)
    like = next(model.parameters(), None)
    inputs = as_field("predict: inputs", inputs, like)
    with mode(model, training=False), no_grad():
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


_NAMED: dict[str, Metric] = {"accuracy": accuracy}


def named_metrics(owner: str, metrics: Metrics | None) -> dict[str, Metric]:
    """Metrics by name: of a mapping its own, of a function in a sequence the function's, and "accuracy" is `accuracy`.

    Raises DTypeError for what is neither, ArgumentError for another word.
    """
    if metrics is None:
        return {}
    if isinstance(metrics, Mapping):
        pairs = list(metrics.items())
    elif isinstance(metrics, (list, tuple)):
        pairs = [(m if isinstance(m, str) else getattr(m, "__name__", type_name(m)), m) for m in metrics]
    else:
        raise DTypeError(
            f"{owner}: metrics must be functions by name, such as {{'accuracy': tg.train.accuracy}}, or a list such as "
            f"['accuracy'], got {type_name(metrics)}"
        )
    return {name: _metric(owner, metric) for name, metric in pairs}


def _metric(owner: str, metric: str | Metric) -> Metric:
    if isinstance(metric, str):
        if metric not in _NAMED:
            raise ArgumentError(
                f"{owner}: the metrics known by a word are {', '.join(map(repr, _NAMED))}, got {metric!r}; pass a "
                "function of output and target"
            )
        return _NAMED[metric]
    if not callable(metric):
        raise DTypeError(f"{owner}: a metric must be a function of output and target, got {type_name(metric)}")
    return metric


@contextmanager
def mode(model: Module, training: bool) -> Iterator[None]:
    """Train or eval mode inside, and every module's own mode again afterwards."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training

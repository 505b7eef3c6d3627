"""A model measured and used, in eval mode and without recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tensorgrad.autograd.modes import no_grad
from tensorgrad.data.table import Array
from tensorgrad.errors import ShapeError
from tensorgrad.functional.joining import cat
from tensorgrad.nn import Module
from tensorgrad.tensor import Tensor
from tensorgrad.train.arguments import check_parts
from tensorgrad.train.batches import Data, as_batches, as_field, as_samples, beside, inputs_and_target
from tensorgrad.train.means import Means
from tensorgrad.train.step import Loss, checked_loss

__all__ = ["Metrics", "accuracy", "evaluate", "mode", "predict"]

Metrics = Mapping[str, Callable[[Any, Tensor], Tensor | float]]


def evaluate(
    model: Module, data: Data, loss: Loss, *, batch_size: int = 1024, metrics: Metrics | None = None
) -> dict[str, float]:
    """`{"loss": ..., metric: ...}`: means over the samples of `data`, in eval mode, without recording.

    Sums stay on the device until the end, in float64; `data`, `loss` and `metrics` are as for `fit`.
    """
    check_parts("evaluate", model, loss)
    like = next(model.parameters(), None)
    means, data = Means(), as_samples("evaluate: data", data, like)
    with mode(model, training=False), no_grad():
        for inputs, target in inputs_and_target(as_batches(data, batch_size), like):
            output = model(*inputs)
            values = {"loss": checked_loss(loss(output, target))}
            means.add(values | {name: metric(output, target) for name, metric in (metrics or {}).items()}, len(target))
    return means.read()


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

"""The optimizers the command line offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from tensorgrad import optim
from tensorgrad.optim import Optimizer
from tensorgrad.tensor import Tensor

__all__ = ["OPTIMIZERS", "make_optimizer"]

# Name -> what makes it, and a learning rate that usually works for small perceptrons.
OPTIMIZERS: dict[str, tuple[Callable[..., Optimizer], float]] = {
    "adamw": (optim.AdamW, 0.002),
    "adam": (optim.Adam, 0.001),
    "sgd": (partial(optim.SGD, momentum=0.9), 0.02),
    "rmsprop": (optim.RMSprop, 0.001),
    "adagrad": (optim.Adagrad, 0.01),
}


def make_optimizer(name: str, parameters: Iterable[Tensor], lr: float | None, weight_decay: float | None) -> Optimizer:
    """The optimizer `name`; None takes its own learning rate, and the weight decay of 0.01 for adamw, 0 for
    others.

    Only adamw decays weights apart from the gradient, so the same number means little elsewhere.
    """
    make, usual_rate = OPTIMIZERS[name]
    usual_decay = 0.01 if name == "adamw" else 0.0
    return make(
        parameters,
        lr=usual_rate if lr is None else lr,
        weight_decay=usual_decay if weight_decay is None else weight_decay,
    )

"""What `fit`, `evaluate` and `predict` are called with, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

from tensorgrad.arguments import check_options
from tensorgrad.errors import ArgumentError, DTypeError
from tensorgrad.nn import Module
from tensorgrad.optim import Optimizer
from tensorgrad.train.hooks import Hook

__all__ = ["check_arguments", "check_optimizer", "check_parts", "checked_hooks", "names_checked"]

P = ParamSpec("P")
R = TypeVar("R")

# What other libraries call the same arguments.
_SYNONYMS = {
    "batch": "batch_size",
    "callbacks": "hooks",
    "clipnorm": "clip_norm",
    "criterion": "loss",
    "early_stopping": "patience",
    "grad_clip": "clip_norm",
    "loss_fn": "loss",
    "max_epochs": "epochs",
    "max_norm": "clip_norm",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "random_state": "seed",
    "val": "validation",
    "val_data": "validation",
    "verbose": "progress",
}


def names_checked(function: Callable[P, R]) -> Callable[P, R]:
    """`function`, with `check_options` before each call."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        check_options(function.__name__, function, kwargs, _SYNONYMS)
        return function(*args, **kwargs)

    return checked


def check_arguments(epochs: int, patience: int | None, clip_norm: float | None) -> None:
    if epochs < 1:
        raise ArgumentError(f"fit: epochs must be at least 1, got {epochs}")
    if patience is not None and patience < 1:
        raise ArgumentError(f"fit: patience must be at least 1 epoch, got {patience}; None waits for ever")
    if clip_norm is not None and not clip_norm > 0:
        raise ArgumentError(f"fit: clip_norm must be positive, got {clip_norm}")


def check_parts(owner: str, model: object, loss: object = abs) -> None:
    if not isinstance(model, Module):
        raise DTypeError(f"{owner}: model must be a Module, got {_described(model)}")
    if isinstance(loss, type):
        nn = "nn." if loss.__module__.startswith("tensorgrad.nn") else ""
        raise DTypeError(f"{owner}: loss is the class {loss.__name__}; call it: {nn}{loss.__name__}()")
    if not callable(loss):
        raise DTypeError(
            f"{owner}: loss must be a function of output and target, such as nn.CrossEntropyLoss(), got "
            f"{_described(loss)}; it comes third: {owner}(model, data, loss, ...)"
        )


def check_optimizer(optimizer: Optimizer, model: Module) -> None:
    remedy = "make one: optim.Adam(model.parameters())"
    if not isinstance(optimizer, Optimizer):
        raise DTypeError(f"fit: optimizer must be an Optimizer, got {_described(optimizer)}; {remedy}")
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if held.isdisjoint(id(p) for p in model.parameters()):
        raise ArgumentError(f"fit: the optimizer has none of the model's parameters and would train nothing; {remedy}")


def checked_hooks(hooks: Hook | Sequence[Hook]) -> tuple[Hook, ...]:
    """All of them, or the only one. Raises DTypeError for what is no Hook."""
    given = tuple(hooks) if isinstance(hooks, Sequence) else (hooks,)
    for hook in given:
        if not isinstance(hook, Hook):
            remedy = f"call it: {hook.__name__}()" if isinstance(hook, type) else "make a subclass of train.Hook"
            raise DTypeError(f"fit: hooks must be Hooks, got {_described(hook)}; {remedy}")
    return given


def _described(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__

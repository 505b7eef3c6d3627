"""Which neighbours in a chain of modules run as one operation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tensorgrad.nn.activation import ReLU, Sigmoid, Tanh
from tensorgrad.nn.linear import Linear
from tensorgrad.nn.module import Module
from tensorgrad.tensor import Tensor

__all__ = ["fused"]

# Those that keep their result for backward by themselves too, so that a write into it is the same error either way.
_NAMES: dict[type[Module], str] = {ReLU: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}


def fused(layer: Module, following: Module | None) -> Callable[[Tensor], Tensor] | None:
    """What does the work of a Linear and of the activation after it; None where that cannot be one operation.

    It cannot where somebody would notice: subclasses, hooks, and a forward that was replaced see what lies between the
    two.
    """
    name = None if following is None else _NAMES.get(type(following))
    if name is None or type(layer) is not Linear or _is_changed(layer) or _is_changed(following):
        return None
    return partial(layer.with_activation, activation=name)


_FORWARDS = {kind: kind.forward for kind in {Linear} | _NAMES.keys()}
_CALL = Module.__call__


def _is_changed(module: Module | None) -> bool:
    if module is None or module._hooks or "forward" in module.__dict__:
        return True
    kind = type(module)
    return kind.forward is not _FORWARDS[kind] or kind.__call__ is not _CALL

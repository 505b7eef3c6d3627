"""Hooks: what a program adds to the steps and epochs of `fit`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from tensorgrad.nn import Module
from tensorgrad.optim import Optimizer
from tensorgrad.tensor import Tensor
from tensorgrad.train.history import Epoch

__all__ = ["FitState", "Hook"]


@dataclass(eq=False)
class FitState:
    """Where `fit` is: one object for all of a training, brought up to date before hooks are called.

    `epoch`, and `batch` within it, count from 1. `steps_done` are the optimizer's since `fit` began: 0 in the first
    `before_step`, 1 in the first `after_step`.
    `loss` is that of the latest batch, 0-d and without history, `loss_value` its value, `gradient_norm` the norm of all
    gradients together before they are clipped. The last two are nan in `before_step`: the host does not know them yet.
    """

    model: Module
    optimizer: Optimizer
    epoch: int = 0
    batch: int = 0
    steps_done: int = 0
    loss: Tensor = field(init=False, repr=False)
    loss_value: float = math.nan
    gradient_norm: float = math.nan


class Hook:
    """Base class of what `fit(hooks=...)` calls; a subclass overrides what it needs, the others do nothing.

    All hooks are called in their order, with the model in train mode and without recording (`no_grad`). What one raises
    leaves `fit` as any error does, with the best weights so far restored; Ctrl-C ends the training. On CUDA a hook that
    waits for the device in `before_step` may be the one to raise what forward or backward found.
    """

    def before_step(self, state: FitState) -> None:
        """After backward. The gradients may be changed or replaced: as they are left here they are measured, checked
        for being finite, clipped and stepped with. Until then loss and gradients may be nan.
        """

    def after_step(self, state: FitState) -> None:
        """After the optimizer wrote. An lr that is set here holds from the next step on. Not called for a step that was
        not made because the loss or the norm was not finite.
        """

    def after_epoch(self, state: FitState, epoch: Epoch) -> None:
        """After `epoch`, the latest, was measured and its weights kept if they are the best; before `on_epoch`."""

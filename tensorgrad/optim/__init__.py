"""Optimizers: PyTorch's names, defaults and rules; a step is one backend call for all that are stepped together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.names import listing
from tensorgrad.optim.adagrad import Adagrad
from tensorgrad.optim.adam import Adam, AdamW
from tensorgrad.optim.optimizer import Optimizer
from tensorgrad.optim.rmsprop import RMSprop
from tensorgrad.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop"]

if not TYPE_CHECKING:
    _SCHEDULES = "there are no schedules yet; set group['lr'] in optimizer.param_groups, as in a tg.train.Hook"
    __getattr__, __dir__ = listing(__name__, __all__, absent={"lr_scheduler": _SCHEDULES})

"""The training loop: validation, early stopping, the best weights on every way out, and a history of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorgrad.names import listing
from tensorgrad.train.evaluate import accuracy, evaluate, predict
from tensorgrad.train.fit import fit
from tensorgrad.train.history import Epoch, History, StopReason
from tensorgrad.train.hooks import FitState, Hook

__all__ = ["Epoch", "FitState", "History", "Hook", "StopReason", "accuracy", "evaluate", "fit", "predict"]

if not TYPE_CHECKING:
    __getattr__, __dir__ = listing(__name__, __all__)

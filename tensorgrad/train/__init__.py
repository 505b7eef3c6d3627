"""The training loop: validation, early stopping, the best weights on every way out, and a history of it all."""

from __future__ import annotations

from tensorgrad.train.fit import Epoch, History, StopReason, accuracy, evaluate, fit, predict

__all__ = ["Epoch", "History", "StopReason", "accuracy", "evaluate", "fit", "predict"]

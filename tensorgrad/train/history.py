"""What a training came to, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Epoch", "History", "StopReason"]

StopReason = Literal["epochs", "patience", "interrupted", "non-finite loss"]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training data came to.

    `train_loss` is the mean while the weights were changing. `score`, which the best epoch has least of, belongs to
    the weights at the end of the epoch: it is the validation loss or, where nothing validates, the loss on the
    training data, measured again. `seconds` includes the measuring.
    """

    train_loss: float
    val_loss: float | None
    metrics: dict[str, float]
    seconds: float
    score: float

    def __str__(self) -> str:
        values = {"train loss": self.train_loss, "val loss": self.val_loss, **self.metrics}
        return "  ".join(f"{name} {_shown(value)}" for name, value in values.items() if value is not None)


@dataclass(repr=False)
class History:
    """What `fit` did.

    `epochs`: the completed ones. `best_epoch`: the index among them of the weights the model now has, None if
    no epoch was completed; `history.epochs[history.best_epoch].score` is the least of all. `stop_reason`:
    "epochs" (all were run), "patience", "interrupted" or "non-finite loss"; `detail` says where a loss, or the norm
    of the gradients, was not finite. `str` is one line; `repr` says as much.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    stop_reason: StopReason = "epochs"
    detail: str = ""

    def __str__(self) -> str:
        """How far it came, why it ended if not all epochs were run, and which weights the model has."""
        count, best = len(self.epochs), self.best_epoch
        waited = count - 1 - (best or 0)
        why = {
            "epochs": "",
            "patience": f"stopped early, {_counted(waited)} without a better score, ",
            "interrupted": "stopped by Ctrl-C ",
            "non-finite loss": f"stopped, {self.detail}, ",
        }[self.stop_reason]
        if best is None:
            moment = "at the start" if self.stop_reason == "non-finite loss" else "of that moment"
            return f"{why}before the end of the first epoch; the model has the weights {moment}"
        kept = self.epochs[best]
        score = "" if kept.val_loss is not None else f"  score {_shown(kept.score)}"
        return f"{why}after {_counted(count)}; the model has the weights of epoch {best + 1}: {kept}{score}"

    def __repr__(self) -> str:
        return f"History({self})"

    @property
    def train_loss(self) -> list[float]:
        """Mean over the samples of each epoch, measured while the weights were changing."""
        return [epoch.train_loss for epoch in self.epochs]

    @property
    def val_loss(self) -> list[float]:
        """Measured at the end of each epoch; empty where nothing validates."""
        return [epoch.val_loss for epoch in self.epochs if epoch.val_loss is not None]

    @property
    def metrics(self) -> dict[str, list[float]]:
        """Each metric over the epochs, measured at the end of each."""
        names = self.epochs[0].metrics if self.epochs else {}
        return {name: [epoch.metrics[name] for epoch in self.epochs] for name in names}

    @property
    def time(self) -> list[float]:
        """Seconds each epoch took."""
        return [epoch.seconds for epoch in self.epochs]


def _counted(epochs: int) -> str:
    return f"{epochs} epoch{'' if epochs == 1 else 's'}"


def _shown(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 1e-4 <= abs(value) < 1e5 else f"{value:.4g}"

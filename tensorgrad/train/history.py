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


@dataclass
class History:
    """What `fit` did.

    `epochs`: the completed ones. `best_epoch`: the index among them of the weights the model now has, None if
    no epoch was completed; `history.epochs[history.best_epoch].score` is the least of all. `stop_reason`:
    "epochs" (all were run), "patience", "interrupted" or "non-finite loss"; `detail` says where a loss, or the norm
    of the gradients, was not finite.
    """

    epochs: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    stop_reason: StopReason = "epochs"
    detail: str = ""

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


def _shown(value: float) -> str:
    return f"{value:.4f}" if value == 0 or 1e-4 <= abs(value) < 1e5 else f"{value:.4g}"

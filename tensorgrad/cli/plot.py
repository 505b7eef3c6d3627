"""The curves of a training as a picture. matplotlib is loaded only here, and only when a picture is
wanted.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from tensorgrad.errors import ArgumentError
from tensorgrad.train import History

__all__ = ["check_plot", "plot_history"]

_FORMATS = (".png", ".pdf", ".svg", ".jpg", ".jpeg")


def check_plot(path: str) -> None:
    """Raise ArgumentError now rather than after the training if no picture could be drawn."""
    if find_spec("matplotlib") is None:
        raise ArgumentError("--plot needs matplotlib: pip install matplotlib")
    if os.path.splitext(path)[1].lower() not in _FORMATS:
        raise ArgumentError(f"--plot draws {', '.join(_FORMATS)} files, got {path}")


def plot_history(history: History, path: str, title: str) -> None:
    """Losses over epochs, the best epoch marked, and beside them the metrics, if there are any."""
    from matplotlib.figure import Figure

    panels = 2 if history.metrics else 1
    figure = Figure(figsize=(6 * panels, 4), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    figure.suptitle(title)
    epochs = range(1, len(history.epochs) + 1)
    axes[0].plot(epochs, history.train_loss, label="training")
    if history.val_loss:
        axes[0].plot(epochs, history.val_loss, label="validation")
    axes[0].set_ylabel("loss")
    for name, values in history.metrics.items():
        axes[1].plot(epochs, values, label=name)
    for panel in axes:
        panel.set_xlabel("epoch")
        if history.best_epoch is not None:
            panel.axvline(history.best_epoch + 1, color="grey", linestyle=":", label="best epoch")
        panel.legend()
    figure.savefig(path, dpi=120)

"""The curves of a training as a picture. matplotlib is loaded only here, and only when a picture is
wanted.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

from tensorgrad.errors import ArgumentError
from tensorgrad.train import History

__all__ = ["check_plot", "is_plot", "plot_history"]

# By what a file's name ends in: how such a file begins, and where matplotlib takes a note of who made it.
_FORMATS: dict[str, tuple[bytes, str | None]] = {
    ".png": (b"\x89PNG", "Software"),
    ".pdf": (b"%PDF", "Creator"),
    ".svg": (b"<?xml", "Creator"),
    ".jpg": (b"\xff\xd8\xff", None),
    ".jpeg": (b"\xff\xd8\xff", None),
}
_MADE_BY = "tensorgrad train"


def check_plot(path: str) -> None:
    """Raise ArgumentError now rather than after the training if no picture could be drawn."""
    if find_spec("matplotlib") is None:
        raise ArgumentError("--plot needs matplotlib: pip install matplotlib")
    if _ending(path) not in _FORMATS:
        raise ArgumentError(f"--plot draws {', '.join(_FORMATS)} files, got {path}")


def is_plot(path: str) -> bool:
    """Whether there is a picture that `plot_history` drew: of the kind that its name says, and with its mark."""
    first, _ = _FORMATS.get(_ending(path), (b"", None))
    with open(path, "rb") as file:
        content = file.read()
    return content.startswith(first) and _MADE_BY.encode() in content


def plot_history(history: History, path: str, title: str) -> None:
    """Losses over epochs, the best epoch marked, and beside them the metrics, if there are any."""
    from matplotlib.figure import Figure

    panels = 2 if history.metrics else 1
    figure = Figure(figsize=(6 * panels, 4), layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    figure.suptitle(title, parse_math=False)
    epochs = range(1, len(history.epochs) + 1)
    axes[0].plot(epochs, history.train_loss, label="training loss")
    if history.val_loss:
        axes[0].plot(epochs, history.val_loss, label="validation loss")
    axes[0].set_ylabel("loss")
    part = "validation" if history.val_loss else "training"
    for name, values in history.metrics.items():
        axes[1].plot(epochs, values, label=f"{part} {name}")
        axes[1].set_ylabel(f"{part} {name}" if len(history.metrics) == 1 else f"metrics of the {part} part")
    for panel in axes:
        panel.set_xlabel("epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.grid(visible=True, alpha=0.4)
        if history.best_epoch is not None:
            panel.axvline(history.best_epoch + 1, color="grey", linestyle=":", label="best epoch")
        panel.legend()
    _save(figure, path)


def _save(figure: Any, path: str) -> None:
    """The picture with our mark in it."""
    _, note = _FORMATS[_ending(path)]
    if note is not None:
        figure.savefig(path, dpi=120, metadata={note: _MADE_BY})
    else:
        figure.savefig(path, dpi=120, pil_kwargs={"comment": _MADE_BY})


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()

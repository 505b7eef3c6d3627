"""What training shows while it runs, and what is loaded for it."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import warnings
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

import tensorgrad as tg
from tensorgrad.train import fit
from tensorgrad.train.progress import _Bar
from tests.train.tools import linear, mse, regression


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (2, "stopped by Ctrl-C after 2 epochs; the model has the weights of epoch 2: train loss "),
        (1, "stopped by Ctrl-C after 1 epoch; the model has the weights of epoch 1: train loss "),
        (0, "stopped by Ctrl-C before the end of the first epoch; the model has the weights of that moment"),
    ],
)
def test_an_interrupt_is_told(capsys: pytest.CaptureFixture[str], epochs: int, message: str) -> None:
    for shown in (True, False):
        model, seen = linear(), 0

        def loss(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
            nonlocal seen
            seen += output.requires_grad
            if seen > epochs:
                raise KeyboardInterrupt
            return mse(output, target)

        optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
        fit(model, regression(), loss, optimizer, epochs=9, batch_size=50, progress=shown)
        told = capsys.readouterr().err.splitlines()[epochs:]
        assert len(told) == shown
        assert all(line.startswith(message) for line in told)


def test_plain_progress(capsys: pytest.CaptureFixture[str]) -> None:
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.0)
    history = fit(model, regression(), mse, optimizer, epochs=40)
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert len(lines) == 10
    assert lines[-1] == f"epoch 40/40  train loss {history.train_loss[-1]:.4f}"
    assert "\x1b" not in shown.err
    fit(model, regression(), mse, optimizer, epochs=2, progress=False)
    assert capsys.readouterr() == ("", "")


def test_early_stopping_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.0)
    history = fit(model, regression(), mse, optimizer, epochs=40, patience=3)
    *_, last = capsys.readouterr().err.splitlines()
    assert last == (
        "stopped early, 3 epochs without a better score, after 4 epochs; the model has the weights of epoch 1: "
        f"train loss {history.train_loss[0]:.4f}  score {history.epochs[0].score:.4f}"
    )
    assert repr(history) == f"History({last})"


def drawn(width: int, epochs: int = 3) -> str:
    """What a terminal of that many columns shows of a training, without its colours and movements."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, legacy_windows=False)
    bar = _Bar(console, epochs, 4)
    with bar:
        for i in range(epochs):
            bar.batch(4 * i + 2)
            bar.epoch(i + 1, "train loss 0.1234  val loss 0.2345  accuracy 0.9876")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [50, 60, 80, 100, 160])
def test_a_bar_is_legible_at_every_width(width: int) -> None:
    lines = drawn(width).replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= width
    for word in ("epoch 3/3", "train loss 0.1234", "val loss 0.2345", "accuracy 0.9876", "left", "taken"):
        assert any(word in line for line in lines)


class Handle:
    """What `display(..., display_id=True)` gives: it is told what to show instead."""

    def __init__(self, shown: list[Any]) -> None:
        self.shown = shown

    def update(self, line: Any) -> None:
        self.shown.append(line)


def test_a_notebook_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    displayed: list[Any] = []

    def display(line: Any, display_id: bool) -> Handle:
        displayed.append(line)
        return Handle(shown)

    library, part = ModuleType("IPython"), ModuleType("IPython.display")
    library.display, part.display = part, display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", library)
    monkeypatch.setitem(sys.modules, "IPython.display", part)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    model = linear()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.01)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(model, regression(), mse, optimizer, epochs=3, metrics={"<b>": mse})
    assert len(displayed) == 1
    assert repr(displayed[0]) == "epoch 0/3"
    assert repr(shown[-1]) == f"epoch 3/3  {history.epochs[-1]}"
    page = shown[-1]._repr_html_()
    assert '<progress value="3.000" max="3"></progress>' in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_rich_is_imported_for_bars_only() -> None:
    code = (
        "import sys, tensorgrad as tg\n"
        "m = tg.nn.Linear(1, 1)\n"
        "d = (tg.ones(2, 1), tg.ones(2, 1))\n"
        "o = tg.optim.SGD(m.parameters(), lr=.1)\n"
        "tg.train.fit(m, d, tg.nn.functional.mse_loss, o, epochs=1, progress=False)\n"
        "print(sorted({'rich', 'matplotlib', 'argparse', 'safetensors'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""What training shows while it runs, and what is loaded for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tensorgrad as tg
from tensorgrad.train import fit
from tests.train.tools import linear, mse, regression


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        (2, "stopped by Ctrl-C after 2 epochs; the model has the weights of epoch 2"),
        (1, "stopped by Ctrl-C after 1 epoch; the model has the weights of epoch 1"),
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
        assert capsys.readouterr().err.splitlines()[epochs:] == ([message] if shown else [])


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

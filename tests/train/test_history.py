"""The history of a training, as text."""

from __future__ import annotations

from tensorgrad.train import Epoch


def test_epochs_read_well() -> None:
    assert str(Epoch(0.5, None, {"accuracy": 0.98}, 1.0, 0.4)) == "train loss 0.5000  accuracy 0.9800"
    assert str(Epoch(7.17113289744804e28, 99999.0, {"a": 0.0}, 1.0, 0.4)) == (
        "train loss 7.171e+28  val loss 99999.0000  a 0.0000"
    )
    assert str(Epoch(1e5, 0.0001, {"a": 0.0000321987, "b": -2e6}, 1.0, 0.4)) == (
        "train loss 1e+05  val loss 0.0001  a 3.22e-05  b -2e+06"
    )

"""Evaluation and prediction: modes, several inputs, accuracy, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.train import accuracy, evaluate, predict
from tests.train.tools import linear, mse, regression


def test_dropout_is_off_in_evaluation() -> None:
    tg.manual_seed(0)
    model = tg.nn.MLP([3, 16, 1], dropout=0.9)
    x, _ = regression()
    assert np.array_equal(predict(model, x).numpy(), predict(model, x).numpy())


def test_several_inputs() -> None:
    class Sum(tg.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = tg.nn.Parameter(tg.ones(()))

        def forward(self, a: tg.Tensor, b: tg.Tensor) -> tg.Tensor:
            return (a + 10 * b) * self.scale

    model, a, b = Sum(), tg.ones(4, 1), 2 * tg.ones(4, 1)
    found = evaluate(model, (a, b, 21 * tg.ones(4, 1)), mse)
    assert found["loss"] == pytest.approx(0.0)


def test_accuracy() -> None:
    output = tg.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    assert accuracy(output, tg.tensor([0, 1, 1])).item() == pytest.approx(2 / 3)
    with pytest.raises(tg.errors.ShapeError, match=r"got \(3, 2\) and \(3, 1\)"):
        accuracy(output, tg.zeros(3, 1))


def test_evaluate_and_predict_say_so_too() -> None:
    model, data = linear(), regression()
    with pytest.raises(tg.errors.DTypeError, match=r"evaluate: loss is the class MSELoss; call it"):
        evaluate(model, data, tg.nn.MSELoss)  # type: ignore[arg-type]
    with pytest.raises(tg.errors.DTypeError, match=r"evaluate: data must be a tuple .* got numpy\.ndarray"):
        evaluate(model, data[0].numpy(), mse)
    with pytest.raises(tg.errors.DTypeError, match="predict: inputs must be a Tensor or a NumPy array, got list"):
        predict(model, [[1.0, 2.0, 3.0]])  # type: ignore[arg-type]
    with pytest.raises(tg.errors.DTypeError, match="predict: model must be a Module, got function"):
        predict(mse, data[0])  # type: ignore[arg-type]


def test_metrics_by_word_and_by_function() -> None:
    model, data = tg.nn.Linear(3, 2), (tg.randn(8, 3), tg.zeros(8, dtype=tg.int64))
    loss = tg.nn.CrossEntropyLoss()
    by_name = evaluate(model, data, loss, metrics={"accuracy": accuracy})
    assert evaluate(model, data, loss, metrics=["accuracy"]) == by_name
    assert evaluate(model, data, loss, metrics=(accuracy,)) == by_name
    with pytest.raises(tg.ArgumentError, match="evaluate: the metrics known by a word are 'accuracy', got 'acuracy'"):
        evaluate(model, data, loss, metrics=["acuracy"])
    with pytest.raises(tg.DTypeError, match="evaluate: a metric must be a function of output and target, got int"):
        evaluate(model, data, loss, metrics={"a": 3})  # type: ignore[dict-item]
    with pytest.raises(tg.DTypeError, match=r"evaluate: metrics must be functions by name, .* got str"):
        evaluate(model, data, loss, metrics="accuracy")

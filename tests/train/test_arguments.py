"""What `fit` says of arguments that are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.train import History, fit
from tests.train.tools import linear, mse, regression


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1 epoch, got 0"),
        ({"clip_norm": 0.0}, "clip_norm must be positive, got 0.0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"data": (tg.zeros(2, 3),)}, "must hold inputs and, last, the target; got 1 tensor"),
        ({"data": (tg.zeros(0, 3), tg.zeros(0, 1))}, "the data gave no batch"),
        (
            {"loss": lambda o, t: (o - t).square()},
            r"one number for a batch, got shape \(32, 1\); use reduction='mean'",
        ),
    ],
)
def test_refuses_bad_arguments(change: dict[str, object], message: str) -> None:
    model = linear()
    arguments: dict[str, object] = {
        "data": regression(),
        "loss": mse,
        "epochs": 1,
        "progress": False,
        **change,
    }
    call: Callable[..., History] = fit
    with pytest.raises(tg.errors.ArgumentError, match=message):
        call(model, optimizer=tg.optim.SGD(model.parameters(), lr=0.1), **arguments)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"optimizer": None}, tg.errors.DTypeError, "fit: optimizer must be an Optimizer, got NoneType; make one"),
        ({"optimizer": tg.optim.Adam}, tg.errors.DTypeError, "optimizer must be an Optimizer, got the class Adam"),
        ({"optimizer": mse, "loss": None}, tg.errors.DTypeError, r"fit: loss must be a function .*, got NoneType"),
        (
            {"optimizer": mse, "loss": tg.optim.SGD([tg.zeros(1)])},
            tg.errors.DTypeError,
            r"loss must be a function .*, got SGD; it comes third: fit\(model, data, loss, ...\)",
        ),
        ({"loss": "mse"}, tg.errors.DTypeError, r"such as nn\.CrossEntropyLoss\(\), got str"),
        ({"loss": tg.nn.MSELoss}, tg.errors.DTypeError, r"loss is the class MSELoss; call it: nn\.MSELoss\(\)"),
        ({"model": tg.nn.Linear}, tg.errors.DTypeError, "fit: model must be a Module, got the class Linear"),
        (
            {"optimizer": tg.optim.Adam(tg.nn.Linear(3, 1).parameters())},
            tg.errors.ArgumentError,
            "the optimizer has none of the model's parameters and would train nothing",
        ),
        ({"data": tg.zeros(4, 3)}, tg.errors.DTypeError, r"data must be a tuple \(inputs, targets\) .* got Tensor"),
        ({"data": np.zeros((4, 3))}, tg.errors.DTypeError, r"fit: data must be a tuple .* got numpy\.ndarray"),
        ({"data": 7}, tg.errors.DTypeError, "fit: data must be .* got int"),
        ({"data": "a.csv"}, tg.errors.DTypeError, "fit: data must be .* got str"),
        ({"data": ([[1.0]], [1.0])}, tg.errors.DTypeError, r"fit: data\[0\] must be a Tensor or .* array, got list"),
        (
            {"data": (np.zeros((2, 3)), np.array(["a", "b"]))},
            tg.errors.DTypeError,
            r"fit: data\[1\] must hold numbers, got dtype <U1",
        ),
        ({"data": list(regression())}, tg.errors.DTypeError, "a batch must be a tuple .* got Tensor; .* not a list"),
        ({"validation": 0.2}, tg.errors.DTypeError, "fit: validation must be .* got float"),
        ({"epoch": 3}, TypeError, "fit: there is no argument 'epoch'; did you mean epochs?"),
        ({"validation_data": 3}, TypeError, "no argument 'validation_data'; did you mean validation?"),
        ({"nonsense": 3}, TypeError, "no argument 'nonsense'; there are model, data, loss, optimizer, epochs"),
    ],
)
def test_says_what_is_wrong_with_an_argument(change: dict[str, Any], error: type[Exception], message: str) -> None:
    model = linear()
    arguments: dict[str, Any] = {
        "model": model,
        "data": regression(),
        "loss": mse,
        "optimizer": tg.optim.SGD(model.parameters(), lr=0.1),
        "epochs": 1,
        "progress": False,
        **change,
    }
    before = model.weight.detach().numpy().copy()
    with pytest.raises(error, match=message):
        fit(**arguments)
    assert np.array_equal(model.weight.detach().numpy(), before)

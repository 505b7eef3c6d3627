"""Labels that are floats are named as what is wrong, however they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F

X = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32)
Y = (np.arange(8) % 3).astype(np.float64)


def fit(**options: Any) -> object:
    model = tg.nn.MLP([2, 3])
    optimizer = tg.optim.SGD(model.parameters(), lr=0.1)
    return tg.train.fit(model, (X, Y), tg.nn.CrossEntropyLoss(), optimizer, epochs=1, progress=False, **options)


@pytest.mark.parametrize(
    "use",
    [
        lambda: F.cross_entropy(tg.randn(8, 3), tg.tensor(Y)),
        lambda: F.nll_loss(tg.randn(8, 3), tg.tensor(Y)),
        lambda: fit(),
        lambda: fit(metrics={"accuracy": tg.train.accuracy}),
        lambda: tg.train.evaluate(tg.nn.MLP([2, 3]), (X, Y), tg.nn.CrossEntropyLoss()),
    ],
    ids=["cross_entropy", "nll_loss", "fit", "fit with accuracy", "evaluate"],
)
def test_float_labels(use: Callable[[], object]) -> None:
    with pytest.raises(tg.DTypeError, match=r"labels must be integers, got float\d\d; convert them with \.long\(\)$"):
        use()

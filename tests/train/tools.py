"""What the tests of the training loop share."""

from __future__ import annotations

import numpy as np

import tensorgrad as tg

__all__ = ["linear", "mse", "regression"]


def regression(count: int = 50) -> tuple[tg.Tensor, tg.Tensor]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)).astype(np.float32)
    y = (x @ [[1.0], [-2.0], [0.5]] + 3.0).astype(np.float32)
    return tg.tensor(x), tg.tensor(y)


def linear(seed: int = 0) -> tg.nn.Linear:
    tg.manual_seed(seed)
    return tg.nn.Linear(3, 1)


def mse(output: tg.Tensor, target: tg.Tensor) -> tg.Tensor:
    return (output - target).square().mean()

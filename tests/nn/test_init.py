"""Initialization: the bounds and moments that the papers state, measured on many numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import init

FAN_OUT, FAN_IN = 200, 300
RELU, TANH = math.sqrt(2), 5 / 3
LEAKY = math.sqrt(2 / (1 + 0.2**2))

CASES: list[tuple[str, Callable[[Any], Any], float]] = [
    ("uniform", lambda t: init.xavier_uniform_(t), math.sqrt(2 / 500)),
    ("uniform", lambda t: init.xavier_uniform_(t, gain=TANH), TANH * math.sqrt(2 / 500)),
    ("normal", lambda t: init.xavier_normal_(t), math.sqrt(2 / 500)),
    ("uniform", lambda t: init.kaiming_uniform_(t), RELU / math.sqrt(300)),
    ("uniform", lambda t: init.kaiming_uniform_(t, a=0.2), LEAKY / math.sqrt(300)),
    ("normal", lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"), RELU / math.sqrt(200)),
    ("normal", lambda t: init.kaiming_normal_(t, nonlinearity="linear"), 1 / math.sqrt(300)),
    ("uniform", lambda t: init.lecun_uniform_(t), 1 / math.sqrt(300)),
    ("normal", lambda t: init.lecun_normal_(t, gain=0.75), 0.75 / math.sqrt(300)),
    ("normal", lambda t: init.normal_(t, 0.0, 0.3), 0.3),
    ("uniform", lambda t: init.uniform_(t, -1.0, 1.0), 1 / math.sqrt(3)),
]


@pytest.mark.parametrize(("kind", "fill", "std"), CASES, ids=range(len(CASES)))
def test_moments(kind: str, fill: Callable[[Any], Any], std: float) -> None:
    tg.manual_seed(0)
    t = tg.empty(FAN_OUT, FAN_IN, requires_grad=True)
    assert fill(t) is t
    values = t.detach().numpy()
    assert t.requires_grad
    assert t.is_leaf
    assert values.dtype == np.float32
    # 60,000 numbers: the mean is known to std / 245, the standard deviation to about 0.3%.
    assert abs(values.mean()) < 5 * std / 245
    assert values.std() == pytest.approx(std, rel=0.015)
    bound = math.sqrt(3) * std
    if kind == "uniform":
        assert np.abs(values).max() <= bound * (1 + 1e-6)
        assert np.abs(values).max() > 0.99 * bound
    else:
        assert np.mean(np.abs(values) < std) == pytest.approx(0.6827, abs=0.01)


def test_fans_of_more_dimensions() -> None:
    tg.manual_seed(0)
    t = tg.empty(20, 30, 4, 5)
    assert init.kaiming_normal_(t).detach().numpy().std() == pytest.approx(math.sqrt(2 / 600), rel=0.03)
    assert init.kaiming_normal_(t, mode="fan_out").detach().numpy().std() == pytest.approx(math.sqrt(2 / 400), rel=0.03)


def test_uniform_bounds_and_constants() -> None:
    t = tg.empty(1000)
    values = init.uniform_(t, 2.0, 3.0).detach().numpy()
    assert 2.0 <= values.min() < 2.05
    assert 2.95 < values.max() <= 3.0
    assert init.normal_(t, mean=10.0, std=0.1).detach().numpy().mean() == pytest.approx(10.0, abs=0.02)
    assert set(init.zeros_(t).tolist()) == {0.0}
    assert set(init.ones_(t).tolist()) == {1.0}
    assert set(init.constant_(t, 2.5).tolist()) == {2.5}


def test_a_generator_decides_alone() -> None:
    a, b = tg.empty(5, 6), tg.empty(5, 6)
    init.xavier_normal_(a, generator=tg.Generator().manual_seed(7))
    tg.rand(3)
    init.xavier_normal_(b, generator=tg.Generator().manual_seed(7))
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_gains() -> None:
    assert init.calculate_gain("linear") == init.calculate_gain("sigmoid") == 1.0
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert init.calculate_gain("leaky_relu", 0.2) == LEAKY
    assert init.calculate_gain("selu") == 0.75
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        assert init.calculate_gain(name) == 1.0
    with pytest.raises(tg.errors.ArgumentError, match="slope of leaky_relu must be a number, got True"):
        init.calculate_gain("leaky_relu", True)
    with pytest.raises(tg.errors.ArgumentError, match=r"calculate_gain: nonlinearity must be one of .* 'swish'"):
        init.calculate_gain("swish")


def test_arguments() -> None:
    for name in ("xavier_uniform_", "kaiming_normal_", "lecun_uniform_"):
        with pytest.raises(tg.errors.ShapeError, match=rf"{name}: expected a weight of at least two"):
            getattr(init, name)(tg.empty(3))
    with pytest.raises(tg.errors.ArgumentError, match="kaiming_uniform_: mode must be 'fan_in' or 'fan_out'"):
        init.kaiming_uniform_(tg.empty(2, 2), mode="fan")
    assert init.xavier_uniform_(tg.empty(0, 0)).shape == (0, 0)

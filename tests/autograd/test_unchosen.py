"""What was not chosen has no gradient, whatever comes in: selection is never a multiplication."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.nn import functional as F
from tests.autograd.tools import assert_values, leaf
from tests.autograd.unchosen import CASES, WRITES, Case, check

INF = math.inf


@pytest.mark.parametrize("case", [pytest.param(c, id=name) for name, c in CASES.items()])
def test_it_has_no_gradient(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("name", WRITES)
def test_an_infinite_gradient_of_what_was_written(name: str) -> None:
    x = leaf([4.0, 9.0])
    b = x * 1
    WRITES[name](b)
    b.backward(tg.tensor([INF, 1.0], dtype=tg.float64))
    assert_values(x.grad, [0, 0 if name == "all of it" else 1])


def test_what_was_kept_of_a_written_tensor_has_its_second_derivative() -> None:
    x = leaf([4.0, 9.0])
    b = x * 1
    b[0:1].zero_()
    (g,) = tg.autograd.grad(b.sqrt().sum(), x, create_graph=True)
    assert_values(tg.autograd.grad(g.sum(), x)[0], [0, -0.25 * 9**-1.5])


def test_dropped_elements() -> None:
    """A half of many, in any order: the gradient is infinite exactly where an element was dropped."""
    for size in (7, 5000):
        x = leaf(np.full(size, 4.0))
        y = F.dropout(x, 0.5)
        y.sqrt().sum().backward()
        kept = y.detach().numpy() != 0
        assert 0 < kept.sum() < size
        assert_values(x.grad, np.where(kept, 0.5 / math.sqrt(2.0 * 4.0) * 2.0, 0))
        assert set(F.dropout(tg.full((size,), INF), 0.5).tolist()) <= {0.0, INF}


def test_the_gradient_of_weights() -> None:
    """In what losses multiply by weights, the weights have a gradient, too."""
    x, w = leaf([0.25, 0.5]), leaf([0.0, 2.0])
    F.binary_cross_entropy(x, tg.ones(2, dtype=tg.float64), w, reduction="sum").backward()
    assert_values(w.grad, -np.log([0.25, 0.5]))
    assert_values(x.grad, [0, -4])


# ---------------------------------------------------------------------- nan
@pytest.mark.parametrize("op", [tg.maximum, tg.minimum])
@pytest.mark.parametrize(("x", "y"), [(math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan)])
def test_both_share_a_nan(op: object, x: float, y: float) -> None:
    a, b = leaf(x), leaf(y)
    op(a, b).backward()  # type: ignore[operator]
    assert_values(a.grad, 1)
    assert_values(b.grad, 1)


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
def test_an_extreme_that_is_nan_belongs_to_the_nans(name: str) -> None:
    x = leaf([0.0, math.nan, math.nan, 3.0])
    getattr(x, name)().backward()
    assert_values(x.grad, [0, 0.5, 0.5, 0])
    y = leaf([[0.0, math.nan], [1.0, 2.0]])
    values = getattr(y, name)(1)
    (values if isinstance(values, tg.Tensor) else values[0]).sum().backward()
    assert_values(y.grad, [[0, 1], [0, 1] if "max" in name else [1, 0]])


def test_the_extreme_of_one_element() -> None:
    for value in (2.0, math.nan):
        for name in ("max", "amin"):
            x = leaf(value)
            getattr(x, name)().backward(tg.tensor(3.0, dtype=tg.float64))
            assert_values(x.grad, 3)


def test_relu_of_nan_passes_the_gradient() -> None:
    for size in (3, 3000):
        x = leaf(np.resize([math.nan, -1.0, 0.0], size))
        x.relu().backward(tg.full((size,), 2.0, dtype=tg.float64))
        assert_values(x.grad, np.resize([2, 0, 0], size))


# ---------------------------------------------------------------------- powers
@pytest.mark.parametrize("exponent", [lambda x: x.relu(), lambda x: x.clamp(0, 1), lambda x: tg.where(x > 0, x, 0.0)])
@pytest.mark.parametrize("value", [-3.0, -0.9, 0.5, 2.0])
def test_a_power_whose_exponent_is_cut_off(exponent: object, value: float) -> None:
    """x ** 0 below 0: flat, to any order. Above, x ** x or x ** 1: against differences of the gradient."""
    x = leaf(value)
    (g,) = tg.autograd.grad(x ** exponent(x), x, create_graph=True)  # type: ignore[operator]
    (h,) = tg.autograd.grad(g, x)
    if value < 0:
        assert_values(g, 0)
        assert_values(h, 0)
        return
    step = 1e-6
    ends = [leaf(value + s) for s in (step, -step)]
    high, low = (tg.autograd.grad(e ** exponent(e), e)[0].item() for e in ends)  # type: ignore[operator]
    assert_values(h, (high - low) / (2 * step), 1e-6)


def test_the_exponent_of_zero() -> None:
    y = leaf([-2.0, 0.0, 3.0])
    (0.0**y).sum().backward()
    assert_values_or_inf(y, [-INF, 0, 0])
    x, z = leaf([0.0, 0.0, 0.0]), leaf([-2.0, 0.0, 3.0])
    (x**z).sum().backward()
    assert_values_or_inf(z, [-INF, 0, 0])
    assert_values_or_inf(x, [-INF, 0, 0])


def assert_values_or_inf(x: tg.Tensor, expected: list[float]) -> None:
    assert x.grad is not None
    assert x.grad.tolist() == expected

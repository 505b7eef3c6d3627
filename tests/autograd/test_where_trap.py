"""Where a value was not chosen, its gradient is zero, even at a singularity: no nan comes out of the other branch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.backends import Backend
from tests.autograd.tools import assert_values, leaf

GUARDED: dict[str, Callable[[tg.Tensor], tg.Tensor]] = {
    "sqrt": tg.sqrt,
    "log": tg.log,
    "rsqrt": tg.rsqrt,
    "reciprocal": tg.reciprocal,
    "log2": tg.log2,
    "power": lambda x: x**0.5,
    "negative-power": lambda x: x**-1,
    "quotient": lambda x: 1 / x,
    "tensor-power": lambda x: x ** tg.full((3,), 0.3, dtype=tg.float64),
}
SLOPES: dict[str, Callable[[float], float]] = {
    "sqrt": lambda v: 0.5 * v**-0.5,
    "log": lambda v: 1 / v,
    "rsqrt": lambda v: -0.5 * v**-1.5,
    "reciprocal": lambda v: -1 / v**2,
    "log2": lambda v: 1 / v / np.log(2),
    "power": lambda v: 0.5 * v**-0.5,
    "negative-power": lambda v: -1 / v**2,
    "quotient": lambda v: -1 / v**2,
    "tensor-power": lambda v: 0.3 * v**-0.7,
}


@pytest.mark.parametrize("name", GUARDED)
def test_a_guard_by_where_guards_the_gradient(name: str) -> None:
    x = leaf([0.0, 4.0, 0.25])
    y = tg.where(x > 0, GUARDED[name](x), 0.0)
    y.sum().backward()
    assert_values(x.grad, [0, SLOPES[name](4.0), SLOPES[name](0.25)])


@pytest.mark.parametrize("name", GUARDED)
def test_the_second_derivative_is_guarded_too(name: str) -> None:
    x = leaf([0.0, 4.0, 0.25])
    (g,) = tg.autograd.grad(tg.where(x > 0, GUARDED[name](x), 0.0).sum(), x, create_graph=True)
    (h,) = tg.autograd.grad(g.sum(), x)
    step = 1e-6
    slope = SLOPES[name]
    assert_values(h, [0, *((slope(v + step) - slope(v - step)) / (2 * step) for v in (4.0, 0.25))], 1e-6)


def test_a_guarded_quotient() -> None:
    x, y = leaf([3.0, 0.0, 5.0]), leaf([2.0, 0.0, 0.0])
    tg.where(y != 0, x / y, 0.0).sum().backward()
    assert_values(x.grad, [0.5, 0, 0])
    assert_values(y.grad, [-0.75, 0, 0])


def test_without_a_guard_the_singularity_shows() -> None:
    x = leaf([0.0])
    tg.sqrt(x).sum().backward()
    assert x.grad is not None
    assert x.grad.item() == np.inf


def test_the_gradient_of_a_zero_gradient_is_not_lost() -> None:
    """A zero that is a variable: two passes give the product of the Jacobian with a vector."""
    x, v = leaf([0.5, 2.0]), leaf([0.0, 0.0])
    for name in ("sqrt", "log", "rsqrt", "power"):
        (pulled,) = tg.autograd.grad(GUARDED[name](x), x, v, create_graph=True)
        (pushed,) = tg.autograd.grad(pulled.sum(), v)
        assert_values(pushed, [SLOPES[name](0.5), SLOPES[name](2.0)])


def test_the_cpu_kernel_equals_its_definition() -> None:
    backend = tg.device("cpu").backend
    values = np.array([0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan], np.float32)
    g, slope = np.repeat(values, 7), np.tile(values, 7)
    with np.errstate(all="ignore"):
        found = backend.multiply_unless_zero(g, slope)
        defined = Backend.multiply_unless_zero(backend, g, slope)
        plain = g * slope
        column = backend.multiply_unless_zero(g.reshape(7, 7), np.full((7, 1), np.inf, np.float32))
    np.testing.assert_array_equal(found, defined)
    chosen = (g != 0) | np.isfinite(slope)
    np.testing.assert_array_equal(found, np.where(chosen, plain, 0))
    assert column[0].tolist() == [0] * 7
    assert backend.multiply_unless_zero(g[:0], slope[:0]).shape == (0,)

"""create_graph: gradients of gradients, to any order."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


def test_four_derivatives_of_a_power() -> None:
    x = leaf([0.5, -1.0, 2.0])
    values = x.numpy(force=True)
    y = x**5
    for order, coefficient in enumerate((5, 20, 60, 120), start=1):
        (y,) = tg.autograd.grad(y.sum(), x, create_graph=True)
        assert_values(y, coefficient * values ** (5 - order))


def test_six_derivatives_of_the_sine() -> None:
    x = leaf(0.7)
    y = x.sin()
    for order in range(1, 7):
        (y,) = tg.autograd.grad(y, x, create_graph=True)
        assert_values(y, math.sin(0.7 + order * math.pi / 2))


def test_third_derivatives_of_tanh_and_exp_together() -> None:
    x = leaf(0.3)
    y = tg.tanh(x) * tg.exp(2 * x)
    for _ in range(3):
        (y,) = tg.autograd.grad(y, x, create_graph=True)
    t, e = math.tanh(0.3), math.exp(0.6)
    d1, d2, d3 = 1 - t * t, -2 * t * (1 - t * t), (1 - t * t) * (6 * t * t - 2)
    assert_values(y, e * (d3 + 3 * 2 * d2 + 3 * 4 * d1 + 8 * t))


def test_mixed_second_derivatives() -> None:
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = tg.autograd.grad(x * x * y * y * y, [x, y], create_graph=True)
    gxy, gxx = tg.autograd.grad(gx, [y, x], retain_graph=True)
    (gyx,) = tg.autograd.grad(gy, x)
    assert_values(gxx, 2 * 27)
    assert_values(gxy, 2 * 2 * 3 * 9)
    assert_values(gyx, 2 * 2 * 3 * 9)


def test_the_hessian_of_a_quadratic_form() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4, 4))
    x = leaf(rng.standard_normal(4))
    (g,) = tg.autograd.grad(0.5 * (x @ (tg.tensor(a) @ x)), x, create_graph=True)
    rows = [tg.autograd.grad(g[i], x, retain_graph=True)[0].numpy() for i in range(4)]
    np.testing.assert_allclose(rows, (a + a.T) / 2, atol=1e-12)


def test_a_gradient_penalty_by_backward() -> None:
    w, x = leaf([1.0, -2.0]), leaf([3.0, 4.0])
    (g,) = tg.autograd.grad((w * x * x).sum(), x, create_graph=True)  # 2 w x
    (g * g).sum().backward()  # 4 w^2 x^2
    assert_values(w.grad, [8 * 9, -16 * 16])
    assert_values(x.grad, [8 * 3, 32 * 4])


def test_backward_with_create_graph_leaves_gradients_with_a_history() -> None:
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    g = x.grad
    assert g is not None
    assert g.requires_grad
    assert_values(g, 12)
    x.grad = None
    g.backward()
    assert_values(x.grad, 12)


def test_accumulation_onto_a_gradient_with_a_history() -> None:
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    (x * 5).backward()
    assert_values(x.grad, 12 + 5)
    (x**2).backward(create_graph=True)
    assert_values(x.grad, 17 + 4)


def test_create_graph_retains_the_graph() -> None:
    x = leaf(2.0)
    y = x**3
    tg.autograd.grad(y, x, create_graph=True)
    tg.autograd.grad(y, x, create_graph=True, retain_graph=False)
    with pytest.raises(tg.GraphError, match="freed"):
        tg.autograd.grad(y, x)


def test_the_gradient_with_respect_to_the_gradient_given() -> None:
    """The product of a Jacobian with a vector, by two passes."""
    x, v = leaf([1.0, 2.0, 3.0]), leaf([0.0, 0.0, 0.0])
    (pulled,) = tg.autograd.grad(x * x * x, x, v, create_graph=True)
    direction = tg.tensor([1.0, 10.0, 100.0], dtype=tg.float64)
    (pushed,) = tg.autograd.grad(pulled, v, direction)
    assert_values(pushed, [3, 12 * 10, 27 * 100])


def test_create_graph_works_under_no_grad() -> None:
    x = leaf(2.0)
    y = x**3
    with tg.no_grad():
        (g,) = tg.autograd.grad(y, x, create_graph=True)
    assert_values(tg.autograd.grad(g, x)[0], 12)


def test_a_network_with_a_gradient_penalty_against_finite_differences() -> None:
    rng = np.random.default_rng(1)
    x, w, v = (leaf(rng.standard_normal(s)) for s in ((5, 3), (3, 4), (4, 2)))

    def penalty(x: tg.Tensor, w: tg.Tensor, v: tg.Tensor) -> tg.Tensor:
        y = (tg.tanh(x @ w) @ v).softmax(1)
        (g,) = tg.autograd.grad((y * y).sum(), x, create_graph=True)
        return (g * g).sum()

    assert tg.autograd.gradcheck(penalty, [x, w, v])
    assert tg.autograd.gradgradcheck(penalty, [x, w, v], fast_mode=True)


def test_second_order_through_views_indexing_and_joining() -> None:
    rng = np.random.default_rng(2)
    x = leaf(rng.standard_normal((3, 4)))

    def function(x: tg.Tensor) -> tg.Tensor:
        y = tg.cat([x[:, 1:] * x[:, :-1], x.T.reshape(3, 4)[:, ::2]], dim=1)
        return (y[tg.tensor([0, 0, 2])] ** 3).sum(0)

    assert tg.autograd.gradcheck(function, x)
    assert tg.autograd.gradgradcheck(function, x)

"""tg.autograd.grad: gradients of any tensors with respect to any tensors, without touching `.grad`."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


def test_gradients_are_returned_in_the_order_of_the_inputs() -> None:
    x, y = leaf(2.0), leaf(3.0)
    gy, gx = tg.autograd.grad(x * x * y, [y, x])
    assert_values(gx, 12)
    assert_values(gy, 4)
    assert x.grad is None
    assert y.grad is None
    assert not gx.requires_grad


def test_one_tensor_need_not_be_in_a_list() -> None:
    x = leaf(2.0)
    assert_values(tg.autograd.grad(x * x, x)[0], 4)


def test_an_interior_tensor() -> None:
    x = leaf(2.0)
    a = x * x
    b = a * 3
    ga, gx = tg.autograd.grad(b * b, [a, x])
    assert_values(ga, 2 * 9 * 4)
    assert_values(gx, 72 * 4)


def test_an_interior_tensor_alone_does_not_need_its_leaves() -> None:
    x = leaf(2.0)
    a = x.exp()
    (ga,) = tg.autograd.grad(a * a, a)
    assert_values(ga, 2 * np.exp(2.0))
    a.backward()  # what lies below `a` was not touched, hence not freed
    assert_values(x.grad, np.exp(2.0))


def test_the_output_itself() -> None:
    x = leaf(2.0)
    y = x * 5
    assert_values(tg.autograd.grad(y, y, retain_graph=True)[0], 1)
    gy, gx = tg.autograd.grad(y, [y, x])
    assert_values(gy, 1)
    assert_values(gx, 5)


def test_several_outputs_are_summed() -> None:
    x = leaf([1.0, 2.0])
    weights = tg.tensor([10.0, 20.0], dtype=tg.float64)
    (g,) = tg.autograd.grad([(x * x).sum(), x], x, [None, weights])
    assert_values(g, [12, 24])


def test_an_unused_input_is_an_error_unless_allowed() -> None:
    x, y = leaf(2.0), leaf([3.0, 4.0])
    with pytest.raises(tg.GraphError, match=r"grad: .* input 1 \(shape \(2,\)\).*allow_unused=True"):
        tg.autograd.grad(x * x, [x, y])
    gx, gy = tg.autograd.grad(x * x, [x, y], allow_unused=True)
    assert_values(gx, 4)
    assert gy is None


def test_an_input_that_does_not_require_grad_is_an_error() -> None:
    x = leaf(2.0)
    with pytest.raises(tg.GraphError, match=r"grad: input 1 .*does not require grad"):
        tg.autograd.grad(x * x, [x, tg.ones(1)])


def test_the_same_input_twice_gives_independent_gradients() -> None:
    x = leaf([1.0, 2.0])
    first, second = tg.autograd.grad((x * x).sum(), [x, x])
    first.fill_(0)
    assert_values(second, [2, 4])


def test_it_frees_the_graph_unless_told_otherwise() -> None:
    x = leaf(2.0)
    y = x.exp()
    tg.autograd.grad(y, x, retain_graph=True)
    tg.autograd.grad(y, x)
    with pytest.raises(tg.GraphError, match="freed"):
        tg.autograd.grad(y, x)


def test_a_view_as_input() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    row = x[1]
    (g,) = tg.autograd.grad((row * row).sum(), row)
    assert_values(g, [6, 8])


def test_it_works_under_no_grad() -> None:
    x = leaf(3.0)
    y = x * x
    with tg.no_grad():
        assert_values(tg.autograd.grad(y, x)[0], 6)

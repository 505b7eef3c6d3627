"""tg.autograd.Function: operations whose gradient the user writes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tests.autograd.functions import Affine, Cube, Exp, SumAndProduct
from tests.autograd.tools import assert_values, leaf


# ---------------------------------------------------------------------- first order
def test_value_and_gradient() -> None:
    x = leaf([1.0, 2.0, -3.0])
    y = Cube.apply(x)
    assert_values(y, [1, 8, -27])
    assert y.requires_grad
    assert not y.is_leaf
    (y * 2).sum().backward()
    assert_values(x.grad, [6, 24, 54])


def test_in_the_middle_of_a_graph() -> None:
    x = leaf(0.5)
    Exp.apply(Cube.apply(x * 2)).backward()  # exp(8 x^3)
    assert_values(x.grad, 24 * 0.25 * np.exp(1.0))


def test_arguments_that_are_not_tensors_get_none() -> None:
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    y = Affine.apply(x, w, 2)
    assert Affine.asked == (True, True, False)
    y.sum().backward()
    assert_values(x.grad, [9, 16])
    assert_values(w.grad, [6, 16])


def test_keyword_arguments() -> None:
    x = leaf([1.0, 2.0])
    y = Affine.apply(x, tg.tensor([3.0, 4.0], dtype=tg.float64), 1, scale=10.0)
    assert Affine.asked == (True, False, False)
    y.sum().backward()
    assert_values(x.grad, [30, 40])
    with pytest.raises(tg.ArgumentError, match=r"Affine: the keyword argument w requires grad"):
        Affine.apply(x, w=leaf([1.0, 2.0]), power=1)


def test_several_outputs() -> None:
    x, y = leaf(2.0), leaf(5.0)
    total, product = SumAndProduct.apply(x, y)
    assert_values(total, 7)
    assert_values(product, 10)
    (3 * total + total * product).backward()  # d/ds = 3 + p, d/dp = s
    assert_values(x.grad, (3 + 10) + 7 * 5)
    assert_values(y.grad, (3 + 10) + 7 * 2)


def test_an_output_that_is_not_used_gets_zeros() -> None:
    x, y = leaf(2.0), leaf(5.0)
    _, product = SumAndProduct.apply(x, y)
    product.backward()
    assert_values(SumAndProduct.got[0], 0)
    assert_values(x.grad, 5)


def test_an_output_that_is_not_used_gets_none_where_asked_for() -> None:
    class Pair(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor | None, h: tg.Tensor | None) -> Any:
            assert g is None
            assert h is not None
            return 3 * h

    x = leaf(2.0)
    Pair.apply(x)[1].backward()
    assert_values(x.grad, 3)


def test_outputs_that_are_not_differentiable() -> None:
    class SortedWithPlaces(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor, tg.Tensor, str]:
            places = x.argsort()
            ranks = places.double()
            ctx.mark_non_differentiable(ranks)
            ctx.places = places
            return x[places], places, ranks, "a word"

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor, *others: Any) -> Any:
            assert [o is None for o in others] == [False, False, True]
            return tg.zeros_like(g).scatter(0, ctx.places, g)

    x = leaf([3.0, 1.0, 2.0])
    values, places, ranks, word = SortedWithPlaces.apply(x)
    assert values.requires_grad
    assert not places.requires_grad
    assert not ranks.requires_grad
    assert word == "a word"
    (values * tg.tensor([1.0, 10.0, 100.0], dtype=tg.float64)).sum().backward()
    assert_values(x.grad, [100, 1, 10])


def test_nothing_is_recorded_where_no_gradient_is_wanted() -> None:
    assert not Cube.apply(tg.ones(2)).requires_grad
    with tg.no_grad():
        assert not Cube.apply(leaf([1.0])).requires_grad


def test_forward_itself_is_not_recorded() -> None:
    class Watching(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            assert not tg.is_grad_enabled()
            y = x * 2
            assert not y.requires_grad
            return y

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            assert not tg.is_grad_enabled()
            return g * 5  # not the derivative: that is the point

    x = leaf(1.0)
    Watching.apply(x).backward()
    assert_values(x.grad, 5)


def test_the_style_with_setup_context() -> None:
    class Square(Function):
        @staticmethod
        def forward(x: tg.Tensor) -> tg.Tensor:
            return x * x

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(3.0)
    Square.apply(x).backward()
    assert_values(x.grad, 6)


def test_an_identity_with_another_gradient() -> None:
    class Reverse(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            return x

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            return -g

    x = leaf([1.0, 2.0])
    y = Reverse.apply(x)
    assert y is not x
    y.mul_(2)  # its own memory: x, a leaf, is not written
    assert_values(x, [1, 2])
    y.sum().backward()
    assert_values(x.grad, [-2, -2])


def test_hooks_on_outputs() -> None:
    x, y = leaf(2.0), leaf(5.0)
    total, product = SumAndProduct.apply(x, y)
    product.register_hook(lambda g: g * 10)
    total.retain_grad()
    (total + product).backward()
    assert_values(total.grad, 1)
    assert_values(x.grad, 1 + 10 * 5)


def test_gradients_of_interior_outputs() -> None:
    x, y = leaf(2.0), leaf(5.0)
    total, product = SumAndProduct.apply(x, y)
    gt, gp, gx = tg.autograd.grad(total * product, [total, product, x])
    assert_values(gt, 10)
    assert_values(gp, 7)
    assert_values(gx, 10 + 7 * 5)


def test_float32_stays_float32() -> None:
    class Widening(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            return g.double() * 2

    x = leaf([1.0], tg.float32)
    Widening.apply(x).sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == tg.float32


def test_what_backward_returns_stays_the_users() -> None:
    """A saved tensor, or one tensor for two arguments, may be returned: nobody writes into it."""

    class Constant(Function):
        slope = tg.tensor([1.0, 2.0], dtype=tg.float64)

        @staticmethod
        def forward(ctx: Any, x: tg.Tensor, y: tg.Tensor, z: tg.Tensor) -> tg.Tensor:
            return x + y + z

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> tuple[tg.Tensor, ...]:
            return Constant.slope, Constant.slope * 1, Constant.slope

    x, y, z = leaf([0.0, 0.0]), leaf([0.0, 0.0]), leaf([0.0, 0.0])
    (Constant.apply(x, y, z) + x + z).sum().backward()
    assert_values(Constant.slope, [1, 2])
    assert_values(x.grad, [2, 3])
    assert x.grad is not None
    x.grad.fill_(50)
    assert_values(Constant.slope, [1, 2])
    assert_values(z.grad, [2, 3])


# ---------------------------------------------------------------------- higher order
@pytest.mark.parametrize("function", [Cube, Exp])
def test_gradients_of_gradients(function: type[Function]) -> None:
    x = leaf(np.random.default_rng(0).standard_normal((2, 3)))
    assert tg.autograd.gradcheck(function.apply, x)
    assert tg.autograd.gradgradcheck(function.apply, x)


def test_third_order_through_a_saved_output() -> None:
    x = leaf(0.5)
    y = Exp.apply(2 * x)
    for order in (1, 2, 3):
        (y,) = tg.autograd.grad(y, x, create_graph=True)
        assert_values(y, 2**order * np.exp(1.0))


def test_second_order_with_several_outputs() -> None:
    x, y = leaf([1.5, 2.0]), leaf([3.0, -4.0])
    assert tg.autograd.gradcheck(SumAndProduct.apply, [x, y])
    assert tg.autograd.gradgradcheck(SumAndProduct.apply, [x, y])
    product_only = lambda x, y: SumAndProduct.apply(x, y)[1]  # noqa: E731
    assert tg.autograd.gradgradcheck(product_only, [x, y])


def test_once_differentiable() -> None:
    class OnlyOnce(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            assert not tg.is_grad_enabled()
            return 2 * g * ctx.saved_tensors[0]

    x = leaf(3.0)
    OnlyOnce.apply(x).backward()
    assert_values(x.grad, 6)
    (g,) = tg.autograd.grad(OnlyOnce.apply(x), x, create_graph=True)
    assert_values(g, 6)
    with pytest.raises(tg.GraphError, match=r"OnlyOnce: .*once_differentiable"):
        tg.autograd.grad(g * x, x)

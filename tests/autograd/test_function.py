"""tg.autograd.Function: operations whose gradient the user writes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function, once_differentiable
from tests.autograd.tools import assert_values, leaf


class Cube(Function):
    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        (y,) = ctx.saved_tensors
        return g * y


class Affine(Function):
    """Several arguments, some of them not Tensors; notes what was asked for."""

    asked: tuple[bool, ...] = ()

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor, w: tg.Tensor, power: int, scale: float = 1.0) -> tg.Tensor:
        Affine.asked = ctx.needs_input_grad
        ctx.save_for_backward(x, w)
        ctx.power, ctx.scale = power, scale
        return scale * x * w**power

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> tuple[Any, ...]:
        x, w = ctx.saved_tensors
        n, s = ctx.power, ctx.scale
        return g * s * w**n, g * s * x * n * w ** (n - 1), None


class SumAndProduct(Function):
    """Two outputs, one of them saved."""

    got: list[Any]

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor, y: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        product = x * y
        ctx.save_for_backward(x, y, product)
        return x + y, product

    @staticmethod
    def backward(ctx: Any, gs: tg.Tensor, gp: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        SumAndProduct.got = [gs, gp]
        x, y, product = ctx.saved_tensors
        return gs + gp * product / x, gs + gp * product / y


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


# ---------------------------------------------------------------------- errors
def _returning(*gradients: Any) -> type[Function]:
    class Wrong(Function):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor, n: int) -> tg.Tensor:
            return x * n

        @staticmethod
        def backward(ctx: Any, g: tg.Tensor) -> Any:
            return gradients

    return Wrong


@pytest.mark.parametrize(
    ("gradients", "error", "message"),
    [
        ((tg.ones(2),), tg.GraphError, r"Wrong: .* each of the 2 arguments .*got 1"),
        ((tg.ones(2), None, tg.ones(2)), tg.GraphError, r"Wrong: .* each of the 2 arguments .*got 3"),
        ((tg.ones(2), tg.ones(2)), tg.GraphError, r"Wrong: .*None for argument 1"),
        ((tg.ones(3), None), tg.ShapeError, r"Wrong: .*shape \(2,\) for argument 0, got \(3,\)"),
        ((1.0, None), tg.DTypeError, r"Wrong: .*got float for argument 0"),
    ],
)
def test_wrong_gradients(gradients: tuple[Any, ...], error: type[Exception], message: str) -> None:
    x = tg.ones(2, requires_grad=True)
    with pytest.raises(error, match=message):
        _returning(*gradients).apply(x, 3).sum().backward()
    assert x.grad is None


def test_nones_at_the_end_are_let_pass() -> None:
    x = tg.ones(2, requires_grad=True)
    _returning(tg.ones(2) * 3, None, None, None).apply(x, 3).sum().backward()
    assert_values(x.grad, [3, 3])


def test_none_means_no_gradient() -> None:
    x = leaf([1.0])
    (_returning(None, None).apply(x, 3) + x).sum().backward()
    assert_values(x.grad, [1])


def test_only_tensors_are_saved() -> None:
    class Saving(Cube):
        @staticmethod
        def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
            ctx.save_for_backward(x, None, 3)
            return x

    with pytest.raises(tg.DTypeError, match="Saving: save_for_backward takes Tensors and None, got int at position 2"):
        Saving.apply(leaf(1.0))


def test_missing_methods_say_so() -> None:
    class Empty(Function):
        pass

    with pytest.raises(NotImplementedError, match="forward"):
        Empty.apply(leaf(1.0))


def test_a_saved_tensor_that_was_written_is_noticed() -> None:
    x = leaf([1.0, 2.0])
    inner = x * 1
    y = Cube.apply(inner)
    inner.add_(1)
    with pytest.raises(tg.GraphError, match=r"Cube needs a value that was changed in place by add_"):
        y.sum().backward()
    z = Exp.apply(x)
    z.mul_(2)
    with pytest.raises(tg.GraphError, match=r"Exp needs a value .*by mul_"):
        z.sum().backward()


def test_the_graph_is_freed() -> None:
    x = leaf(2.0)
    y = Cube.apply(x)
    y.backward()
    with pytest.raises(tg.GraphError, match=r"freed by an earlier backward \(at Cube\)"):
        y.backward()
    total, product = SumAndProduct.apply(x, x * 1)
    (total * product).backward()
    with pytest.raises(tg.GraphError, match=r"freed by an earlier backward \(at (multiply|SumAndProduct)\)"):
        total.backward()
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()


def test_saved_tensors_are_freed_with_the_graph_and_there_are_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        calls: list[Callable[[tg.Tensor], Any]] = [Cube.apply, Exp.apply, lambda x: SumAndProduct.apply(x, x * 2)]
        for call in calls:
            x = leaf([1.0, 2.0]) * 1
            out = call(x)
            outs = out if isinstance(out, tuple) else (out,)
            refs = [weakref.ref(o) for o in outs] + [weakref.ref(o.grad_fn) for o in outs] + [weakref.ref(x)]
            (sum(o.sum() for o in outs) * 1).backward()
            del x, out, outs
            assert [r() for r in refs] == [None] * len(refs)
            x = leaf([1.0, 2.0]) * 1
            unused = call(x)
            refs = [weakref.ref(x)]
            del x, unused
            assert refs[0]() is None
    finally:
        gc.enable()

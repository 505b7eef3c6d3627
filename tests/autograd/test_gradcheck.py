"""gradcheck and gradgradcheck find what is wrong and say where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd import Function, gradcheck, gradgradcheck
from tests.autograd.tools import leaf


class WrongInOnePlace(Function):
    """x * x, with the gradient of element (1, 0) doubled."""

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        factor = tg.tensor([[1.0, 1.0], [2.0, 1.0]], dtype=tg.float64)
        return 2 * x * g * factor


class WrongSecond(Function):
    """x ** 3, whose backward cannot be differentiated properly: it reads x behind the tape's back."""

    @staticmethod
    def forward(ctx: Any, x: tg.Tensor) -> tg.Tensor:
        ctx.x = x.detach()
        return x**3

    @staticmethod
    def backward(ctx: Any, g: tg.Tensor) -> Any:
        return 3 * ctx.x**2 * g


@pytest.mark.parametrize("fast", [False, True])
def test_right_gradients_pass(fast: bool) -> None:
    rng = np.random.default_rng(0)
    x, w = leaf(rng.standard_normal((3, 2))), leaf(rng.standard_normal((2, 4)))

    def function(x: tg.Tensor, w: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
        return tg.tanh(x @ w), (x * x).sum()

    assert gradcheck(function, (x, w), fast_mode=fast)
    assert gradgradcheck(function, (x, w), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_a_wrong_gradient_fails(fast: bool) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(tg.GraphError, match=r"gradcheck: .*input 0"):
        gradcheck(WrongInOnePlace.apply, x, fast_mode=fast)
    assert gradcheck(WrongInOnePlace.apply, x, raise_exception=False, fast_mode=fast) is False


def test_the_message_says_where_and_how_much() -> None:
    x, y = leaf(1.0), leaf([[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(tg.GraphError) as error:
        gradcheck(lambda a, b: (a * 1, WrongInOnePlace.apply(b)), [x, y])
    message = str(error.value)
    assert "output 1 at (1, 0) with respect to input 1 at (1, 0) is 12, but finite differences give 6" in message
    assert "(1 of 16 entries are wrong)" in message


@pytest.mark.parametrize("fast", [False, True])
def test_a_wrong_second_order_fails_in_gradgradcheck_only(fast: bool) -> None:
    x = leaf([0.5, 1.5])
    assert gradcheck(WrongSecond.apply, x, fast_mode=fast)
    with pytest.raises(tg.GraphError, match=r"gradgradcheck: .*input 0"):
        gradgradcheck(WrongSecond.apply, x, fast_mode=fast)


def test_a_gradient_that_is_missing_fails() -> None:
    x = leaf([0.5, 1.5])
    with pytest.raises(tg.GraphError, match="is 0, but finite differences give"):
        gradcheck(lambda x: (x.detach() * 2) + 0 * x, x)
    assert not gradcheck(lambda x: x.detach() * 2, x, raise_exception=False)


def test_inputs_must_be_float64_and_require_grad() -> None:
    with pytest.raises(tg.DTypeError, match=r"input 0 is float32.*double\(\)"):
        gradcheck(tg.exp, leaf([1.0], tg.float32))
    with pytest.raises(tg.ArgumentError, match="requires grad, got none"):
        gradcheck(tg.exp, tg.ones(2, dtype=tg.float64))


def test_other_inputs_are_passed_on() -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    places = tg.tensor([1, 0, 1])
    assert gradcheck(lambda x, i, factor: x[i] * factor, [x, places, 2.5])
    assert gradgradcheck(lambda x, i, factor: (x * x)[i] * factor, [x, places, 2.5])


def test_given_gradients_of_the_outputs() -> None:
    x = leaf([1.0, 2.0])
    assert gradgradcheck(lambda x: x * x, x, grad_outputs=leaf([0.5, -0.5]))


def test_0d_and_empty_inputs() -> None:
    assert gradcheck(lambda x, y: x * y.sum() + x, [leaf(2.0), leaf([])])
    assert gradgradcheck(lambda x, y: x * x * y.sum() + x, [leaf(2.0), leaf([1.0])], fast_mode=True)


def test_the_inputs_and_their_gradients_are_left_alone() -> None:
    x = leaf([1.0, 2.0])
    gradcheck(lambda x: x * x, x)
    gradgradcheck(lambda x: x * x, x)
    assert x.grad is None
    np.testing.assert_array_equal(x.detach().numpy(), [1, 2])

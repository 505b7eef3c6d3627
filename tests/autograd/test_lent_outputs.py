"""Quotients of numbers, reciprocals and inverse roots keep their result: input and result may both be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, counting, leaf

OPS: dict[str, tuple[Callable[[tg.Tensor], tg.Tensor], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "reciprocal": (tg.reciprocal, lambda v: -1 / v**2, lambda v: 2 / v**3),
    "rsqrt": (tg.rsqrt, lambda v: -0.5 * v**-1.5, lambda v: 0.75 * v**-2.5),
    "3 / x": (lambda x: 3 / x, lambda v: -3 / v**2, lambda v: 6 / v**3),
    "0 / x": (lambda x: 0 / x, lambda v: 0 * v, lambda v: 0 * v),
    "div(-2, x)": (lambda x: tg.div(-2.0, x), lambda v: 2 / v**2, lambda v: -4 / v**3),
}
WRITES: dict[str, Callable[[tg.Tensor], Any]] = {
    "add_": lambda t: t.add_(1.0),
    "zero_": lambda t: t.zero_(),
    "a view": lambda t: t[1:].add_(1.0),
    "setitem": lambda t: t.__setitem__(0, 7.0),
    "uniform_": lambda t: t.uniform_(),
}
VALUES = np.array([0.5, 2.0, 3.0])


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("name", OPS)
def test_a_write_into_the_input(name: str, write: str) -> None:
    function, slope, _ = OPS[name]
    x = leaf(VALUES)
    kept = x * 1
    y = function(kept)
    with tg.no_grad():
        WRITES[write](kept)
    y.sum().backward()
    assert_values(x.grad, slope(VALUES))


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("name", OPS)
def test_a_write_into_the_result(name: str, write: str) -> None:
    function, slope, bend = OPS[name]
    x = leaf(VALUES)
    y = function(x * 1)
    with tg.no_grad():
        WRITES[write](y)
    (g,) = tg.autograd.grad(y.sum(), x, create_graph=True)
    assert_values(g, slope(VALUES))
    assert_values(tg.autograd.grad(g.sum(), x)[0], bend(VALUES))


@pytest.mark.parametrize("name", OPS)
def test_a_recorded_write_into_the_result(name: str) -> None:
    function, slope, _ = OPS[name]
    x = leaf(VALUES)
    y = function(x)
    y += 1
    y[0:1].zero_()
    y *= y.detach().clone()
    factor = y.detach().sqrt().numpy()
    y.sum().backward()
    assert_values(x.grad, [0, *(slope(VALUES) * factor)[1:]])


def test_the_copy_is_made_by_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    y = leaf(VALUES).reciprocal()
    copies = counting(monkeypatch, "copy")
    with tg.no_grad():
        y.add_(1)
        y.add_(1)
    assert len(copies) == 1


def test_a_write_that_nobody_can_see_coming_is_an_error() -> None:
    y = leaf(VALUES).reciprocal()
    y.detach().add_(1)
    with pytest.raises(tg.GraphError, match="reciprocal needs a value that was changed in place by add_"):
        y.sum().backward()


# ---------------------------------------------------------------------- between two differentiations
@pytest.mark.parametrize(
    "function",
    [
        lambda w, h: w * h,
        lambda w, h: (w * h).exp(),
        lambda w, h: w / h,
        lambda w, h: (w * h).softmax(0),
        lambda w, h: w @ h * tg.ones(2, dtype=tg.float64),
        lambda w, h: tg.var_mean(w * h, 0)[0] * h,
    ],
)
def test_a_write_between_two_differentiations_is_noticed(function: Callable[..., tg.Tensor]) -> None:
    x, w, v = leaf([2.0, 3.0]), leaf([1.0, 4.0]), leaf([1.0, 1.0])
    h = x * x
    (g,) = tg.autograd.grad(function(w, h), w, v, create_graph=True)
    with tg.no_grad():
        h.add_(1)
    with pytest.raises(tg.GraphError, match="changed in place by add_"):
        tg.autograd.grad(g.sum(), v)


def test_without_a_write_the_seed_has_its_gradient() -> None:
    x, w, v = leaf([2.0, 3.0]), leaf([1.0, 4.0]), leaf([1.0, 1.0])
    (g,) = tg.autograd.grad(w * (x * x), w, v, create_graph=True)
    assert_values(tg.autograd.grad(g.sum(), v)[0], [4, 9])

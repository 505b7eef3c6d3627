"""Gradients at special values, what is freed by backward, and the order of hooks: as in PyTorch.

Where PyTorch's own derivative is nan, ours may be a number: it keeps what was not chosen out.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import tensorgrad as tg

torch = pytest.importorskip("torch")

INF, NAN = math.inf, math.nan
SPECIAL = [-INF, -3.0, -2.0, -1.0, -0.9, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, INF, NAN]
Function = Callable[..., Any]

OF_TWO: dict[str, Function] = {
    "maximum": lambda t, x, y: t.maximum(x, y),
    "minimum": lambda t, x, y: t.minimum(x, y),
    "divide": lambda t, x, y: x / y,
    "power": lambda t, x, y: x**y,
    "clamp": lambda t, x, y: t.clamp(x, min=y),
    "remainder": lambda t, x, y: x % y,
}
OF_ONE: dict[str, Function] = {
    "relu": lambda t, x: x.relu(),
    "clamp between numbers": lambda t, x: x.clamp(-1, 1),
    "x ** relu(x)": lambda t, x: x ** x.relu(),
    "x ** clamp(x)": lambda t, x: x ** x.clamp(0, 1),
    **{f"** {y}": lambda t, x, y=y: x**y for y in (-2, -1.0, -0.5, 0, 0.5, 1, 1.5, 2, 3, INF, -INF, NAN)},
    **{f"{y} **": lambda t, x, y=y: y**x for y in (-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, INF, NAN)},
    **{
        n: lambda t, x, n=n: getattr(t, n)(x) for n in "exp log log1p sqrt square reciprocal rsqrt sin tanh erf".split()
    },
}


def _derivatives(t: Any, function: Function, values: tuple[float, ...]) -> list[float]:
    """The first derivatives, then the second ones."""
    inputs = [t.tensor(v, dtype=t.float64, requires_grad=True) for v in values]
    first = t.autograd.grad(function(t, *inputs), inputs, create_graph=True)
    found = [g.item() for g in first]
    for g in first:
        if g.requires_grad:
            second = t.autograd.grad(g, inputs, retain_graph=True, allow_unused=True)
            found += [0.0 if h is None else h.item() for h in second]
        else:
            found += [0.0] * len(inputs)
    return found


@pytest.mark.parametrize("name", [*OF_TWO, *OF_ONE])
def test_derivatives_at_special_values(name: str) -> None:
    function, count = (OF_TWO[name], 2) if name in OF_TWO else (OF_ONE[name], 1)
    for values in itertools.product(SPECIAL, repeat=count):
        if name in ("** 0.5", "** 1.5") and math.copysign(1.0, values[0]) < 0:
            continue  # PyTorch's is the power of a square root, which keeps the sign of -0.
        mine, theirs = (_derivatives(t, function, values) for t in (tg, torch))
        for a, b in zip(mine, theirs, strict=True):
            assert math.isnan(b) or a == pytest.approx(b, rel=1e-9, abs=0), f"{values}: {mine}, PyTorch {theirs}"


# ---------------------------------------------------------------------- freed history
FREED: dict[str, Function] = {
    "x + y": lambda t, x, y: x + y,
    "x + 2": lambda t, x, y: x + 2,
    "2 - x": lambda t, x, y: 2 - x,
    "x * 2": lambda t, x, y: x * 2,
    "x * y": lambda t, x, y: x * y,
    "x * constant": lambda t, x, y: x * y.detach(),
    "x / 2": lambda t, x, y: x / 2,
    "2 / x": lambda t, x, y: 2 / x,
    "x / y": lambda t, x, y: x / y,
    "x % 2": lambda t, x, y: x % 2,
    "x ** 0": lambda t, x, y: x**0,
    "x ** 3": lambda t, x, y: x**3,
    "2 ** x": lambda t, x, y: 2**x,
    "where": lambda t, x, y: t.where(x > 0, x, y),
    "masked_fill": lambda t, x, y: x.masked_fill(x > 0, 0.0),
    "cast": lambda t, x, y: x.float(),
    "view": lambda t, x, y: x.view(-1),
    "expand": lambda t, x, y: x.expand(2, 3, 3),
    "row": lambda t, x, y: x[0],
    "cat": lambda t, x, y: t.cat([x, y]),
    "stack": lambda t, x, y: t.stack([x, y]),
    "flip": lambda t, x, y: x.flip(0),
    "tril": lambda t, x, y: x.tril(),
    "index": lambda t, x, y: x[t.tensor([0, 1])],
    "sort": lambda t, x, y: x.sort(0)[0],
    "sum": lambda t, x, y: x.sum(),
    "mean": lambda t, x, y: x.mean(),
    "cumsum": lambda t, x, y: x.cumsum(0),
    "var_mean": lambda t, x, y: t.var_mean(x)[1],
    "fill_": lambda t, x, y: (x * 1).fill_(2.0),
    "copy_": lambda t, x, y: (x + 1).copy_(y),
    "zero_ of a view": lambda t, x, y: _zeroed(x * 1),
    "zero_ of a view of a sum": lambda t, x, y: _zeroed(x + 1),
    **{n: lambda t, x, y, n=n: getattr(t, n)(x) for n in "exp log sqrt square reciprocal rsqrt neg abs".split()},
    **{n: lambda t, x, y, n=n: getattr(t, n)(x) for n in "floor ceil trunc round sign clone tanh relu".split()},
}


def _zeroed(x: Any) -> Any:
    x[0:1].zero_()
    return x


def _raises(t: Any, name: str) -> bool:
    x, y = (t.tensor([[0.5, 0.7, k], [0.3, 1.2, 0.4], [1.1, 0.2, 0.8]], requires_grad=True) for k in (0.9, 0.1))
    z = FREED[name](t, x, y)
    z.backward(t.ones_like(z))
    try:
        z.backward(t.ones_like(z))
    except RuntimeError:
        return True
    return False


@pytest.mark.parametrize("name", FREED)
def test_a_second_backward_raises_where_pytorchs_does(name: str) -> None:
    assert _raises(tg, name) == _raises(torch, name)


# ---------------------------------------------------------------------- writes
WRITTEN = ("2 / x", "reciprocal", "rsqrt", "sqrt", "exp", "x / 2", "x * 2", "sum", "x + y", "tanh", "relu")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_write_into_the_input_or_the_result_is_let_where_pytorch_does(name: str) -> None:
    for into in (0, 1):
        errors: list[Exception | None] = []
        for t in (tg, torch):
            x, y = (t.tensor([[0.5, 0.7], [0.3, 1.2]], dtype=t.float64, requires_grad=True) for _ in range(2))
            kept = x.clone()
            z = FREED[name](t, kept, y)
            with t.no_grad():
                (kept, z)[into].add_(1)
            try:
                z.sum().backward()
                errors.append(None)
            except RuntimeError as error:
                errors.append(error)
        assert errors[0] is None or errors[1] is not None, f"{into}: {errors[0]}"


# ---------------------------------------------------------------------- hooks
ORDERS = [p for n in (1, 2, 3, 4) for p in itertools.product(["hook", "retain", "write", "write a view"], repeat=n)]


def _hooked(t: Any, order: tuple[str, ...]) -> tuple[Any, Any]:
    x = t.tensor([2.0, 3.0], dtype=t.float64, requires_grad=True)
    y = x * 3
    factors = iter((5, 7, 11, 13))
    for step in order:
        if step == "hook":
            y.register_hook(partial(operator.mul, next(factors)))
        elif step == "retain":
            y.retain_grad()
        else:
            (y if step == "write" else y[0]).mul_(2)
    (3 * y).sum().backward()
    return y.grad.tolist() if "retain" in order else None, x.grad.tolist()


def test_hooks_retained_gradients_and_writes_in_any_order() -> None:
    for order in ORDERS:
        assert _hooked(tg, order) == _hooked(torch, order), order

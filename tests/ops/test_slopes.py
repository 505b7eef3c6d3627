"""First and second derivatives near the ends of a dtype: no square on the way leaves it where the result does not.

And functions that are flat almost everywhere: their gradient is zero, and they have one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import tensorgrad as tg
from tests.autograd.tools import assert_values, leaf


class Slope(NamedTuple):
    """A function of one tensor, and its first and second derivatives in float64."""

    function: Callable[[tg.Tensor], tg.Tensor]
    first: Callable[[Any], Any]
    second: Callable[[Any], Any]
    negative: bool = True


def _power(y: float) -> Slope:
    whole = y == int(y)
    return Slope(
        lambda x: x**y,
        lambda v: y * np.power(v, y - 1),
        lambda v: y * (y - 1) * np.power(v, y - 2),
        whole,
    )


SLOPES: dict[str, Slope] = {
    "reciprocal": Slope(tg.reciprocal, lambda v: -1 / v**2, lambda v: 2 / v**3),
    "3 / x": Slope(lambda x: 3 / x, lambda v: -3 / v**2, lambda v: 6 / v**3),
    "tensor / x": Slope(lambda x: tg.full_like(x, 3.0) / x, lambda v: -3 / v**2, lambda v: 6 / v**3),
    "x / 3": Slope(lambda x: x / 3, lambda v: 1 / 3 + 0 * v, lambda v: 0 * v),
    "rsqrt": Slope(tg.rsqrt, lambda v: -0.5 * v**-1.5, lambda v: 0.75 * v**-2.5, False),
    "sqrt": Slope(tg.sqrt, lambda v: 0.5 * v**-0.5, lambda v: -0.25 * v**-1.5, False),
    "log": Slope(tg.log, lambda v: 1 / v, lambda v: -1 / v**2, False),
    "log2": Slope(tg.log2, lambda v: 1 / v / math.log(2), lambda v: -1 / v**2 / math.log(2), False),
    "log10": Slope(tg.log10, lambda v: 1 / v / math.log(10), lambda v: -1 / v**2 / math.log(10), False),
    "log1p": Slope(tg.log1p, lambda v: 1 / (1 + v), lambda v: -1 / (1 + v) ** 2, False),
    "square": Slope(tg.square, lambda v: 2 * v, lambda v: 2 + 0 * v),
    "erf": Slope(
        tg.erf,
        lambda v: 2 / math.sqrt(math.pi) * np.exp(-(v**2)),
        lambda v: -4 * v / math.sqrt(math.pi) * np.exp(-(v**2)),
    ),
    **{f"** {y}": _power(y) for y in (-3, -2, -1, -0.5, 0.5, 1.5, 2, 3)},
}


@pytest.mark.parametrize("seed", [1.0, 2.0**-12, 2.0**12])
@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize("name", SLOPES)
def test_what_fits_is_there(name: str, dtype: tg.dtype, seed: float) -> None:
    """For magnitudes over the whole range, wherever the value and the derivative are normal numbers."""
    slope, info = SLOPES[name], np.finfo(dtype)
    ends = math.log2(float(info.smallest_normal)), math.log2(float(info.max))
    sizes = np.exp2(np.linspace(ends[0] + 0.5, ends[1] - 0.5, 203)).astype(dtype)
    values = np.concatenate([-sizes, sizes]) if slope.negative else sizes
    exact = values.astype(np.longdouble)
    with np.errstate(all="ignore"):
        wanted = [seed * f(exact) for f in (slope.first, slope.second)]
    x = tg.tensor(values, requires_grad=True)
    y = slope.function(x)
    found = [tg.autograd.grad(y, x, tg.full_like(y, seed), create_graph=True)[0]]
    if found[0].requires_grad:
        found.append(tg.autograd.grad(found[0].sum(), x)[0])
    fits = _normal(y.detach().numpy(), info) & np.isfinite(exact)
    compared = 0
    for mine, its in zip(found, wanted, strict=False):
        there = fits & _normal(its, info)
        compared += there.sum()
        # The inner slope of a second derivative may be below the normal numbers of float16, and lose digits there.
        slack = 64 * float(info.eps) * (8 if dtype == tg.float16 else 1)
        if name == "erf":
            slack *= 100  # exp(-x^2) has the error of x^2, which is up to 88
        error = np.abs(mine.detach().numpy()[there] - its[there]) / np.abs(its[there])
        bad = ~(error <= slack)
        assert not bad.any(), f"at {values[there][bad]}: {mine.detach().numpy()[there][bad]}, not {its[there][bad]}"
        beyond = fits & (np.abs(its) > 2 * float(info.max))
        assert np.isinf(mine.detach().numpy()[beyond]).all()
    assert compared > 20


def _normal(x: Any, info: Any) -> Any:
    size = np.abs(np.asarray(x, np.longdouble))
    return (size >= float(info.smallest_normal)) & (size <= float(info.max))


def test_the_second_derivative_of_a_small_reciprocal() -> None:
    x = leaf(1e-10, tg.float32)
    (g,) = tg.autograd.grad(x.reciprocal(), x, create_graph=True)
    (h,) = tg.autograd.grad(g, x)
    np.testing.assert_allclose([g.item(), h.item()], [-1e20, 2e30], rtol=1e-6)


def test_powers_of_minus_zero_have_the_slope_of_zero() -> None:
    for y, slope in ((-0.5, -math.inf), (-1.5, -math.inf), (-2, math.inf), (-1, -math.inf), (0.5, math.inf)):
        x = leaf([-0.0])
        (x**y).sum().backward()
        assert x.grad is not None
        assert x.grad.item() == slope, y


def test_a_quotient_of_small_numbers_whose_gradient_fits() -> None:
    x, y = leaf([1.0, 1e-3], tg.float16), leaf([3e-3, 3e-4], tg.float16)
    (x / y).backward(tg.tensor([1e-3, 1e-3], dtype=tg.float16))
    wide = [t.detach().double().numpy() for t in (x, y)]
    assert y.grad is not None
    np.testing.assert_allclose(y.grad.double().numpy(), -float(np.float16(1e-3)) * wide[0] / wide[1] ** 2, rtol=5e-3)


# ---------------------------------------------------------------------- flat
FLAT: dict[str, Callable[[tg.Tensor, tg.Tensor], tg.Tensor]] = {
    "x // y": lambda x, y: x // y,
    "x // 2": lambda x, y: x // 2,
    "7 // x": lambda x, y: 7 // x,
    "floor_divide": tg.floor_divide,
    "div floor": lambda x, y: tg.div(x, y, rounding_mode="floor"),
    "div floor 2": lambda x, y: tg.div(x, 2.0, rounding_mode="floor"),
    "div trunc": lambda x, y: tg.div(x, y, rounding_mode="trunc"),
    "div trunc of a number": lambda x, y: tg.div(5.0, x, rounding_mode="trunc"),
    "a row": lambda x, y: x // y[:1],
    "a column": lambda x, y: x.reshape(3, 1) // y,
    "//=": lambda x, y: (x * 1).floor_divide_(y),
    "floor": lambda x, y: x.floor(),
    "ceil": lambda x, y: x.ceil(),
    "trunc": lambda x, y: x.trunc(),
    "round": lambda x, y: x.round(),
    "sign": lambda x, y: x.sign(),
}


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
@pytest.mark.parametrize("name", FLAT)
def test_a_flat_function_has_a_gradient_of_zero(name: str, dtype: tg.dtype) -> None:
    x, y = leaf([3.0, -5.0, 7.5], dtype), leaf([2.0, 3.0, -2.0], dtype)
    z = FLAT[name](x, y)
    assert z.requires_grad
    found = tg.autograd.grad((z * z).sum() + x.sum() + 2 * y.sum(), [x, y])
    for gradient, rest in zip(found, (1, 2), strict=True):
        assert gradient.dtype == dtype
        assert_values(gradient, [rest] * 3)
    infinite = leaf([3.0, -5.0, 7.5], dtype)
    FLAT[name](infinite, y).backward(tg.full(z.shape, math.inf, dtype=dtype))
    assert_values(infinite.grad, [0] * 3)


def test_the_second_derivative_of_a_remainder() -> None:
    """x % y = x - y (x // y): linear in both between the jumps."""
    x, y = leaf([7.5, -7.5]), leaf([2.0, 2.0])
    gx, gy = tg.autograd.grad((x % y).sum(), [x, y], create_graph=True)
    assert_values(gx, [1, 1])
    assert_values(gy, [-3, 4])
    assert_values(tg.autograd.grad(gy.sum(), y)[0], [0, 0])

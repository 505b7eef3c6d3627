"""Cases of the elementwise functions: arithmetic, exponentials, rounding, choosing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

import tensorgrad as tg
from tests.ops.table import Array, Case, Sample

FLOATS = (tg.float16, tg.float32, tg.float64)
WITH_INTEGERS = (*FLOATS, tg.int64)


def _called(name: str, **arguments: Any) -> Callable[..., tg.Tensor]:
    return lambda *tensors: getattr(tg, name)(*tensors, **arguments)


def _unary(name: str, reference: Callable[[Array], Array], sample: Sample = "normal", **options: Any) -> list[Case]:
    """Usual (also as a method, float16 and integers), empty and 0-d."""
    function = _called(name)
    return [
        Case(name, function, reference, [(3, 4)], sample, WITH_INTEGERS, **options),
        Case(f"{name}-method", lambda x: getattr(x, name)(), reference, [(2, 3, 2)], sample, **options),
        Case(f"{name}-empty", function, reference, [(0, 3)], sample, **options),
        Case(f"{name}-0d", function, reference, [()], sample, **options),
    ]


def _binary(
    name: str, reference: Callable[[Array, Array], Array], sample: Any = "normal", **options: Any
) -> list[Case]:
    """Usual (also as a method, float16 and integers), broadcast in every way, empty, 0-d, a number on the right."""
    function = _called(name)
    scalar = sample[1] if isinstance(sample, tuple) else sample
    number = {"normal": -1.5, "nonzero": -1.5, "distinct": 0.01, "positive": 1.5}[str(scalar)]
    first = sample[0] if isinstance(sample, tuple) else sample
    return [
        Case(name, function, reference, [(3, 4), (3, 4)], sample, WITH_INTEGERS, **options),
        Case(f"{name}-method", lambda x, y: getattr(x, name)(y), reference, [(2, 3), (2, 3)], sample, **options),
        Case(f"{name}-row", function, reference, [(3, 4), (4,)], sample, **options),
        Case(f"{name}-column", function, reference, [(3, 1), (2, 3, 4)], sample, **options),
        Case(f"{name}-both", function, reference, [(3, 1, 2), (4, 1)], sample, **options),
        Case(f"{name}-with-0d", function, reference, [(2, 3), ()], sample, **options),
        Case(f"{name}-empty", function, reference, [(0, 3), (3,)], sample, **options),
        Case(f"{name}-empty-by-broadcast", function, reference, [(2, 1), (0,)], sample, **options),
        Case(f"{name}-0d", function, reference, [(), ()], sample, **options),
        Case(
            f"{name}-number",
            lambda x: getattr(tg, name)(x, number),
            lambda x: reference(x, np.asarray(number, x.dtype)),
            [(3, 4)],
            first,
            FLOATS,
            **options,
        ),
    ]


def _trunc_div(x: Array, y: Array) -> Array:
    return np.trunc(x / y).astype(np.result_type(x, y))


def _round_half_even(x: Array) -> Array:
    return np.asarray(np.round(x))


def _masks(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.random(shape) < 0.5)


def _off_halves(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Numbers whose first digit behind the point is not about to change."""
    return rng.integers(-30, 30, shape) / 10 + rng.uniform(0.01, 0.04, shape)


def _zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape)


UNARY = [
    *_unary("abs", np.abs, "nonzero"),
    *_unary("neg", np.negative),
    *_unary("exp", np.exp),
    *_unary("expm1", np.expm1),
    *_unary("log", np.log, "positive"),
    *_unary("log1p", np.log1p, "positive"),
    *_unary("log2", np.log2, "positive"),
    *_unary("log10", np.log10, "positive"),
    *_unary("sqrt", np.sqrt, "positive"),
    *_unary("rsqrt", lambda x: 1 / np.sqrt(x), "positive"),
    *_unary("square", np.square),
    *_unary("sin", np.sin),
    *_unary("cos", np.cos),
    # Near its poles the tangent multiplies the rounding of its argument.
    *_unary("tan", np.tan, "unit"),
    *_unary("tanh", np.tanh),
    *_unary("erf", scipy.special.erf),
    *_unary("sign", np.sign, "nonzero"),
    *_unary("floor", np.floor),
    *_unary("ceil", np.ceil),
    *_unary("trunc", np.trunc),
    *_unary("round", _round_half_even),
    # Integers: NumPy's reciprocal would be an integer.
    *_unary("reciprocal", lambda x: 1 / x, "nonzero"),
]

BINARY = [
    *_binary("add", np.add),
    *_binary("sub", np.subtract),
    *_binary("mul", np.multiply),
    *_binary("div", np.divide, ("normal", "nonzero")),
    *_binary("remainder", np.remainder, ("normal", "nonzero")),
    *_binary("floor_divide", np.floor_divide, ("normal", "nonzero"), gradient=False),
    *_binary("maximum", np.maximum, "distinct"),
    *_binary("minimum", np.minimum, "distinct"),
    *_binary("pow", np.power, ("positive", "positive")),
]

OPERATORS = [
    Case("operator-add", lambda x, y: x + y, np.add, [(2, 3), (3,)]),
    Case("operator-sub", lambda x, y: x - y, np.subtract, [(2, 3), (3,)]),
    Case("operator-mul", lambda x, y: x * y, np.multiply, [(2, 3), (3,)]),
    Case("operator-truediv", lambda x, y: x / y, np.divide, [(2, 3), (3,)], "nonzero"),
    Case("operator-mod", lambda x, y: x % y, np.remainder, [(2, 3), (3,)], "nonzero"),
    Case("operator-pow", lambda x, y: x**y, np.power, [(2, 3), (3,)], "positive"),
    Case("operator-neg", lambda x: -x, np.negative, [(2, 3)]),
    Case("operator-pos", lambda x: +x, np.positive, [(2, 3)]),
    Case("operator-abs", abs, np.abs, [(2, 3)], "nonzero"),
    Case("operator-radd", lambda x: 2 + x, lambda x: 2 + x, [(2, 3)], dtypes=WITH_INTEGERS),
    Case("operator-rsub", lambda x: 2 - x, lambda x: 2 - x, [(2, 3)], dtypes=WITH_INTEGERS),
    Case("operator-rmul", lambda x: 2 * x, lambda x: 2 * x, [(2, 3)], dtypes=WITH_INTEGERS),
    Case("operator-rtruediv", lambda x: 2 / x, lambda x: 2 / x, [(2, 3)], "nonzero", WITH_INTEGERS),
    Case("operator-rmod", lambda x: 5 % x, lambda x: 5 % x, [(2, 3)], "nonzero", WITH_INTEGERS),
    Case("operator-rpow", lambda x: 2**x, lambda x: 2**x, [(2, 3)], "positive", WITH_INTEGERS),
    Case("operator-floordiv", lambda x: x // 2, lambda x: x // 2, [(2, 3)], gradient=False),
    Case("operator-rfloordiv", lambda x: 5 // x, lambda x: 5 // x, [(2, 3)], "nonzero", gradient=False),
]

VARIANTS = [
    Case("add-alpha", lambda x, y: tg.add(x, y, alpha=-3), lambda x, y: x - 3 * y, [(2, 3), (3,)]),
    Case("sub-alpha", lambda x, y: tg.sub(x, y, alpha=0.5), lambda x, y: x - 0.5 * y, [(2, 3), (3,)]),
    Case("add-itself", lambda x: x + x, lambda x: x + x, [(2, 3)]),
    Case("mul-itself", lambda x: x * x, lambda x: x * x, [(2, 3)]),
    Case("div-itself-shifted", lambda x: x / (x + 3), lambda x: x / (x + 3), [(2, 3)], "positive"),
    Case(
        "div-floor",
        lambda x, y: tg.div(x, y, rounding_mode="floor"),
        np.floor_divide,
        [(3, 4), (3, 4)],
        "nonzero",
        WITH_INTEGERS,
        gradient=False,
    ),
    Case(
        "div-trunc",
        lambda x, y: tg.div(x, y, rounding_mode="trunc"),
        _trunc_div,
        [(3, 4), (3, 4)],
        "nonzero",
        WITH_INTEGERS,
        gradient=False,
    ),
    Case("pow-2", lambda x: x**2, lambda x: x**2, [(3, 4)], dtypes=WITH_INTEGERS),
    Case("pow-3", lambda x: x**3, lambda x: x**3, [(3, 4)], dtypes=WITH_INTEGERS),
    Case("pow-1", lambda x: x**1, lambda x: x**1, [(3, 4)]),
    Case("pow-0", lambda x: x**0, lambda x: x**0, [(3, 4)]),
    Case("pow-0-at-0", lambda x: x**0, lambda x: x**0, [(3,)], _zeros),
    Case("pow-2-at-0", lambda x: x**2.0, lambda x: x**2, [(3,)], _zeros),
    Case("pow-half", lambda x: x**0.5, np.sqrt, [(3, 4)], "positive"),
    Case("pow-negative", lambda x: x**-2, lambda x: 1.0 / (x * x), [(3, 4)], "nonzero"),
    Case("rpow-1", lambda x: 1.0**x, lambda x: np.ones_like(x), [(3, 4)]),
    Case("round-halves", lambda x: tg.round(x * 0 + 2.5), lambda x: x * 0 + 2.0, [(3,)]),
    Case("round-decimals", lambda x: tg.round(x, decimals=1), lambda x: np.round(x, 1), [(3, 4)], _off_halves),
    Case("round-tens", lambda x: (100 * x).round(decimals=-1), lambda x: np.round(100 * x, -1), [(3, 4)], _off_halves),
    Case("positive", tg.positive, lambda x: x, [(3, 4)], dtypes=WITH_INTEGERS),
    Case("erf-far", lambda x: tg.erf(4 * x), lambda x: scipy.special.erf(4 * x), [(50,)]),
    Case("log1p-small", lambda x: tg.log1p(1e-6 * x), lambda x: np.log1p(1e-6 * x), [(9,)], "positive"),
    Case("expm1-small", lambda x: tg.expm1(1e-6 * x), lambda x: np.expm1(1e-6 * x), [(9,)], "positive"),
    Case("log-at-0", lambda x: tg.log(x), np.log, [(3,)], _zeros, gradient=False),
    Case("sqrt-below-0", lambda x: tg.sqrt(-x), lambda x: np.sqrt(-x), [(3,)], "positive", gradient=False),
    Case("div-by-0", lambda x: x / 0.0, lambda x: x / 0.0, [(3,)], "nonzero", gradient=False),
]

CHOOSING = [
    Case("clamp", lambda x: tg.clamp(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7), [(3, 4)], "distinct"),
    Case("clamp-min", lambda x: x.clamp(min=0.1), lambda x: np.maximum(x, 0.1), [(3, 4)], "distinct"),
    Case("clamp-max", lambda x: x.clamp(max=0.1), lambda x: np.minimum(x, 0.1), [(3, 4)], "distinct"),
    Case("clamp_min", lambda x: tg.clamp_min(x, 0.1), lambda x: np.maximum(x, 0.1), [(3, 4)], "distinct"),
    Case("clamp_max", lambda x: tg.clamp_max(x, 0.1), lambda x: np.minimum(x, 0.1), [(3, 4)], "distinct"),
    Case("clamp-integers", lambda x: x.clamp(-2, 2), lambda x: np.clip(x, -2, 2), [(9,)], dtypes=(tg.int64,)),
    Case("clamp-0d", lambda x: x.clamp(-9, 9), lambda x: x, [()]),
    Case("clamp-empty", lambda x: x.clamp(0, 1), lambda x: x, [(0, 2)]),
    Case(
        "clamp-tensors",
        lambda x, low, high: tg.clamp(x, low - 1.01, high + 1.01),
        lambda x, low, high: np.minimum(np.maximum(x, low - 1.01), high + 1.01),
        [(3, 4), (4,), (3, 1)],
        ("distinct", "unit", "unit"),
    ),
    Case("where", tg.where, np.where, [(3, 4), (3, 4), (3, 4)], (_masks, "normal", "normal"), WITH_INTEGERS),
    Case("where-broadcast", tg.where, np.where, [(4,), (3, 1), (2, 1, 1)], (_masks, "normal", "normal")),
    Case("where-0d", tg.where, np.where, [(), (), ()], (_masks, "normal", "normal")),
    Case("where-empty", tg.where, np.where, [(0, 2), (2,), ()], (_masks, "normal", "normal")),
    Case(
        "where-number",
        lambda c, x: tg.where(c, x, 0.5),
        lambda c, x: np.where(c, x, x.dtype.type(0.5)),
        [(3, 4), (3, 4)],
        (_masks, "normal"),
    ),
    Case(
        "where-method",
        lambda c, x, y: x.where(c, y),
        np.where,
        [(3, 4), (3, 4), (4,)],
        (_masks, "normal", "normal"),
    ),
    Case(
        "masked_fill",
        lambda x, m: tg.masked_fill(x, m, -7.0),
        lambda x, m: np.where(m, x.dtype.type(-7), x),
        [(3, 4), (4,)],
        ("normal", _masks),
        WITH_INTEGERS,
    ),
    Case(
        "masked_fill-empty",
        lambda x, m: x.masked_fill(m, 1.0),
        lambda x, m: np.where(m, x.dtype.type(1), x),
        [(0, 4), (4,)],
        ("normal", _masks),
    ),
]

CONVERTING = [
    Case("double", lambda x: x.double(), lambda x: x, [(2, 3)], dtypes=FLOATS, result_dtype=tg.float64),
    # From float64 too: the second order would mix the dtypes of the two gradients.
    Case("float", lambda x: x.float(), lambda x: x, [(2, 3)], dtypes=FLOATS, result_dtype=tg.float32, second=False),
    Case("long", lambda x: x.long(), lambda x: x.astype(np.int64), [(2, 3)], dtypes=WITH_INTEGERS, gradient=False),
    Case("bool", lambda x: x.bool(), lambda x: x != 0, [(2, 3)], dtypes=WITH_INTEGERS, gradient=False),
    Case("clone", lambda x: x.clone(), lambda x: x, [(2, 3)], dtypes=WITH_INTEGERS),
    Case("contiguous", lambda x: x.contiguous(), lambda x: x, [(2, 3)], dtypes=WITH_INTEGERS),
]

CASES: list[Case] = [*UNARY, *BINARY, *OPERATORS, *VARIANTS, *CHOOSING, *CONVERTING]

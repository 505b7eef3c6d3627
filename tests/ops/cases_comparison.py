"""Comparisons, logic and bits: the family's cases. None has a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tensorgrad as tg
from tensorgrad.functional.comparison import bitwise_left_shift, bitwise_right_shift
from tests.ops.table import Array, Case

NUMBERS = (tg.float16, tg.float32, tg.float64, tg.int32, tg.int64, tg.uint8)
WHOLE = (tg.uint8, tg.int32, tg.int64)

PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((0, 3), (3,)),
    ((), ()),
    ((2, 3), ()),
)


def _few(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Few values, so that equals occur; converted to the dtype of the case."""
    return rng.integers(0, 3, shape).astype(np.float64)


def _special(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.choice([0.0, 1.5, np.inf, -np.inf, np.nan], shape)


def _shifts(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return rng.integers(0, 6, shape)


def _binary(name: str, reference: Callable[..., Any], **options: Any) -> list[Case]:
    function = getattr(tg, name)
    options = {"sample": _few, "dtypes": NUMBERS, "gradient": False, **options}
    return [
        *[Case(f"{name}-{x}-{y}".replace(" ", ""), function, reference, shapes=[x, y], **options) for x, y in PAIRS],
        Case(f"{name}-number", lambda x: function(x, 1), lambda x: reference(x, 1), shapes=[(3, 4)], **options),
    ]


_COMPARISONS = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
_BITS = {"bitwise_and": np.bitwise_and, "bitwise_or": np.bitwise_or, "bitwise_xor": np.bitwise_xor}

CASES: list[Case] = [
    *[case for name, reference in _COMPARISONS.items() for case in _binary(name, reference)],
    *[case for name, reference in _BITS.items() for case in _binary(name, reference, sample="normal", dtypes=WHOLE)],
    *[
        Case(
            f"{name}-bool",
            getattr(tg, name),
            reference,
            shapes=[(3, 4), (4,)],
            dtypes=(tg.bool,),
            gradient=False,
        )
        for name, reference in _BITS.items()
    ],
    *[
        Case(name, getattr(tg, name), reference, shapes=[(3, 4)], sample=_special, gradient=False)
        for name, reference in (("isnan", np.isnan), ("isinf", np.isinf), ("isfinite", np.isfinite))
    ],
    Case("isnan-integers", tg.isnan, np.isnan, shapes=[(3,)], dtypes=(tg.int64,), gradient=False),
    Case(
        "logical_not",
        tg.logical_not,
        np.logical_not,
        shapes=[(3, 4)],
        sample=_few,
        dtypes=NUMBERS,
        gradient=False,
    ),
    Case("bitwise_not", tg.bitwise_not, np.invert, shapes=[(3, 4)], dtypes=(*WHOLE, tg.bool), gradient=False),
    Case(
        "bitwise_left_shift",
        bitwise_left_shift,
        np.left_shift,
        shapes=[(3, 4), (4,)],
        sample=_shifts,
        dtypes=(tg.int64,),
        gradient=False,
    ),
    Case(
        "bitwise_right_shift",
        lambda x, y: bitwise_right_shift(x * 1000, y),
        lambda x, y: np.right_shift(x * 1000, y),
        shapes=[(3, 4), (4,)],
        sample=_shifts,
        dtypes=(tg.int64,),
        gradient=False,
    ),
    *[
        Case(
            f"isclose-{'nan' if equal_nan else 'plain'}",
            lambda x, y, e=equal_nan: tg.isclose(x, y, rtol=0.1, atol=0.2, equal_nan=e),
            lambda x, y, e=equal_nan: np.isclose(x, y, rtol=0.1, atol=0.2, equal_nan=e),
            shapes=[(6, 8), (8,)],
            sample=(_special, lambda rng, shape: _special(rng, shape) + 0.25),
            gradient=False,
        )
        for equal_nan in (False, True)
    ],
]

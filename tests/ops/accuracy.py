"""Values and slopes that lose their bits where a formula is written down naively: far tails, certainty, zero times
infinity. For the tests of every device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special

import tensorgrad as tg
from tensorgrad.nn import functional as F

__all__ = ["CURVES", "LIMITS", "Curve", "assert_close", "relative"]

Array = Any
ROOT = np.sqrt(2 * np.pi)
CUBE = 0.044715


def _density(x: Array) -> Array:
    return np.exp(-x * x / 2) / ROOT


def _tanh_gelu_argument(x: Array) -> Array:
    return 2 * np.sqrt(2 / np.pi) * x * (1 + CUBE * x * x)


def _tanh_gelu_slope(x: Array) -> Array:
    s, rest = special.expit(_tanh_gelu_argument(x)), special.expit(-_tanh_gelu_argument(x))
    return s * (1 + x * rest * 2 * np.sqrt(2 / np.pi) * (1 + 3 * CUBE * x * x))


class Curve(NamedTuple):
    """A function, its value and its slope in float64; whether the slope is told from the result, which has rounded; how
    many times its greatest exponent is rounded before it is exponentiated."""

    function: Callable[[tg.Tensor], tg.Tensor]
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    slope_of_result: bool = False
    exponent: Callable[[Array], Array] = np.zeros_like


CURVES: dict[str, Curve] = {
    "relu": Curve(F.relu, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0)),
    "leaky_relu": Curve(F.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1.0, 0.01)),
    "elu": Curve(F.elu, lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
    "sigmoid": Curve(F.sigmoid, special.expit, lambda x: special.expit(x) * special.expit(-x), slope_of_result=True),
    "logsigmoid": Curve(F.logsigmoid, special.log_expit, lambda x: special.expit(-x)),
    "silu": Curve(
        F.silu,
        lambda x: x * special.expit(x),
        lambda x: special.expit(x) * (1 + x * special.expit(-x)),
    ),
    "softplus": Curve(lambda x: F.softplus(x, threshold=1e6), lambda x: np.logaddexp(x, 0), special.expit),
    "softplus-beta": Curve(
        lambda x: F.softplus(x, 2.0, 1e6), lambda x: np.logaddexp(2 * x, 0) / 2, lambda x: special.expit(2 * x)
    ),
    "tanh": Curve(F.tanh, np.tanh, lambda x: 1 / np.cosh(np.clip(x, -300, 300)) ** 2, slope_of_result=True),
    "gelu": Curve(
        F.gelu,
        lambda x: x * special.ndtr(x),
        lambda x: special.ndtr(x) + x * _density(x),
        exponent=lambda x: x * x / 2,  # it is SciPy that rounds it
    ),
    "gelu-tanh": Curve(
        lambda x: F.gelu(x, approximate="tanh"),
        lambda x: x * special.expit(_tanh_gelu_argument(x)),
        _tanh_gelu_slope,
        exponent=_tanh_gelu_argument,
    ),
    "erf": Curve(tg.erf, special.erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
    "bce_with_logits-right": Curve(
        lambda x: F.binary_cross_entropy_with_logits(x, tg.ones_like(x), reduction="none"),
        lambda x: np.logaddexp(-x, 0),
        lambda x: -special.expit(-x),
    ),
    "bce_with_logits-wrong": Curve(
        lambda x: F.binary_cross_entropy_with_logits(x, tg.zeros_like(x), reduction="none"),
        lambda x: np.logaddexp(x, 0),
        special.expit,
    ),
    "bce_with_logits-pos_weight": Curve(
        lambda x: F.binary_cross_entropy_with_logits(
            x, tg.ones_like(x), pos_weight=tg.full((), 3.0, dtype=x.dtype, device=x.device), reduction="none"
        ),
        lambda x: 3 * np.logaddexp(-x, 0),
        lambda x: -3 * special.expit(-x),
    ),
    "bce_with_logits-pos_weight-wrong": Curve(
        lambda x: F.binary_cross_entropy_with_logits(
            x, tg.zeros_like(x), pos_weight=tg.full((), 3.0, dtype=x.dtype, device=x.device), reduction="none"
        ),
        lambda x: np.logaddexp(x, 0),
        special.expit,
    ),
}

# What each tends to on both sides, and its slope there: at the greatest numbers of every dtype.
LIMITS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "sigmoid": ((0.0, 1.0), (0.0, 0.0)),
    "silu": ((0.0, np.inf), (0.0, 1.0)),
    "gelu": ((0.0, np.inf), (0.0, 1.0)),
    "gelu-tanh": ((0.0, np.inf), (0.0, 1.0)),
    "softplus": ((0.0, np.inf), (0.0, 1.0)),
    "logsigmoid": ((-np.inf, 0.0), (1.0, 0.0)),
    "elu": ((-1.0, np.inf), (0.0, 1.0)),
    "erf": ((-1.0, 1.0), (0.0, 0.0)),
    "tanh": ((-1.0, 1.0), (0.0, 0.0)),
}

# How many units of the relative precision a value may be off; in float64 that is SciPy's error too.
_UNITS = {"float16": 1.0, "float32": 4.0, "float64": 500.0}


def relative(dtype: Any, units: float = 1.0) -> float:
    """So many times what two neighbours of `dtype` differ by, relatively."""
    return units * _UNITS[str(dtype)] * float(np.finfo(dtype).eps)


def assert_close(got: tg.Tensor, exact: Array, exponent: Array | float = 0.0) -> None:
    """Relatively, down to where the dtype's numbers lose their bits; `exponent` is one that has rounded."""
    found = got.detach().cpu().numpy()
    with np.errstate(over="ignore"):
        wanted = exact.astype(found.dtype).astype(np.float64)
    exact = np.where(np.isfinite(wanted), exact, wanted)
    half = found.dtype == np.float16
    # Exponentials below the least normal number are 0, or have few bits, and are multiplied by up to 100.
    least = (
        float(np.finfo(found.dtype).smallest_subnormal) if half else 200 * float(np.finfo(found.dtype).smallest_normal)
    )
    slack = relative(found.dtype) * (1 + (0.0 if half else 1.0) * np.abs(exponent))
    wrong = np.abs(found.astype(np.float64) - exact) > slack * np.abs(exact) + least
    np.testing.assert_array_equal(found[~np.isfinite(exact)], exact[~np.isfinite(exact)])
    assert not wrong[np.isfinite(exact)].any(), (found[wrong], exact[wrong])

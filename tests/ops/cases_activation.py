"""Activations, softmax and dropout against the formulas of NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import tensorgrad as tg
from tensorgrad.functional import activation as A
from tests.ops.table import FLOAT32_AND_64, Case

FLOATS = (tg.float16, *FLOAT32_AND_64)


def _spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """From the flat ends of the activations to the bends, away from the kink at 0."""
    return rng.choice([-30.0, -4.0, -1.0, -0.1, 0.1, 1.0, 4.0, 30.0], shape) + rng.uniform(-0.05, 0.05, shape)


def _tanh_gelu(x: Any) -> Any:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x * x * x)))


def _softplus(beta: float, threshold: float) -> Callable[[Any], Any]:
    return lambda x: np.where(beta * x > threshold, x, np.logaddexp(0, np.minimum(beta * x, threshold)) / beta)


def _elu(alpha: float) -> Callable[[Any], Any]:
    return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


POINTWISE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "relu": (A.relu, lambda x: np.maximum(x, 0)),
    "leaky_relu": (A.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    "leaky_relu-steep": (lambda x: A.leaky_relu(x, 1.5), lambda x: np.where(x > 0, x, 1.5 * x)),
    "leaky_relu-negative": (lambda x: A.leaky_relu(x, -0.2), lambda x: np.where(x > 0, x, -0.2 * x)),
    "elu": (A.elu, _elu(1.0)),
    "elu-alpha": (lambda x: A.elu(x, alpha=0.3), _elu(0.3)),
    "gelu": (A.gelu, lambda x: x * special.ndtr(x)),
    "gelu-tanh": (lambda x: A.gelu(x, approximate="tanh"), _tanh_gelu),
    "silu": (A.silu, lambda x: x * special.expit(x)),
    "softplus": (A.softplus, _softplus(1.0, 20.0)),
    "softplus-beta": (lambda x: A.softplus(x, beta=3.0, threshold=2.0), _softplus(3.0, 2.0)),
    "sigmoid": (A.sigmoid, special.expit),
    "logsigmoid": (A.logsigmoid, special.log_expit),
}

# A case a function and shape: usual, empty, 0-d. Halves of an ulp differ where a formula of several roundings
# is compared with SciPy's single one.
CASES: list[Case] = [
    Case(f"{name}-{kind}", function, reference, [shape], sample=sample, dtypes=FLOATS, tolerance=4)
    for name, (function, reference) in POINTWISE.items()
    for kind, shape, sample in (("usual", (4, 33), _spread), ("empty", (0, 3), _spread), ("scalar", (), "nonzero"))
]


def _along(f: Callable[..., Any], axis: int) -> Callable[[Any], Any]:
    return lambda x: f(x, axis=axis)


for _name, _function, _reference in (
    ("softmax", A.softmax, special.softmax),
    ("log_softmax", A.log_softmax, special.log_softmax),
):
    for _kind, _shape, _dim in (
        ("last", (5, 7), 1),
        ("negative_dim", (3, 4, 5), -2),
        ("first", (6, 2), 0),
        ("one_class", (3, 1), 1),
        ("no_rows", (0, 3), 1),
    ):
        CASES.append(
            Case(
                f"{_name}-{_kind}",
                lambda x, f=_function, d=_dim: f(x, d),
                _along(_reference, _dim),
                [_shape],
                dtypes=FLOATS,
                tolerance=4,
            )
        )

CASES += [
    Case("softmax-empty_dim", lambda x: A.softmax(x, 1), lambda x: x, [(2, 0)]),
    Case("log_softmax-empty_dim", lambda x: A.log_softmax(x, 1), lambda x: x, [(2, 0)]),
    Case("softmax-scalar", lambda x: A.softmax(x, 0), lambda x: x * 0 + 1, [()]),
    Case("dropout-eval", lambda x: A.dropout(x, 0.5, training=False) * 1, lambda x: x, [(3, 4)]),
    Case("dropout-none", lambda x: A.dropout(x, 0.0) * 1, lambda x: x, [(3, 4)]),
    Case("dropout-all", lambda x: A.dropout(x, 1.0), lambda x: x * 0, [(3, 4)]),
    Case("relu-integers", A.relu, lambda x: np.maximum(x, 0), [(4, 3)], dtypes=(tg.int64, tg.int32, tg.uint8)),
    Case("silu-integers", A.silu, lambda x: x * special.expit(x), [(4, 3)], dtypes=(tg.int64,), tolerance=4),
]

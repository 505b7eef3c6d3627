"""Ops: forward and vector-Jacobian products, written once against a backend; one family a file."""

from __future__ import annotations

from tensorgrad.ops import (
    activation,
    elementwise,
    guarded,
    index,
    integers,
    linear,
    loss,
    random,
    reduce,
    rounding,
    shape,
)

__all__ = [
    "activation",
    "elementwise",
    "guarded",
    "index",
    "integers",
    "linear",
    "loss",
    "random",
    "reduce",
    "rounding",
    "shape",
]

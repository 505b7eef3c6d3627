"""The checks of numbers: what passes, what is said, and that every kind of backend has them."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.autograd.tape_backend import TapeBackend
from tests.opaque import opaque_device

Array = Any
FLOATS = [np.float16, np.float32, np.float64]
BACKENDS = ["cpu", "opaque", "tape"]


def checks_of(kind: str) -> tuple[Any, Any]:
    """A backend, and what makes its arrays."""
    if kind == "tape":
        return TapeBackend(tg.device("cpu")), tg.tensor
    backend = (tg.device("cpu") if kind == "cpu" else opaque_device()).backend
    return backend, backend.asarray


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_what_lies_in_the_range_passes(kind: str, dtype: Any) -> None:
    B, made = checks_of(kind)
    greatest, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    B.check_range(made(np.array([0.0, 1.0, 0.5, -0.0, least], dtype)), 0.0, 1.0, what="x")
    B.check_finite(made(np.array([greatest, -greatest, 0, least], dtype)), what="x")
    for empty in (np.zeros(0, dtype), np.zeros((2, 0), dtype)):
        B.check_range(made(empty), 0.0, 1.0, what="x")
        B.check_finite(made(empty), what="x")


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", [-0.1, 1.001, math.nan, math.inf, -math.inf])
def test_the_first_number_outside_is_named(kind: str, dtype: Any, value: float) -> None:
    B, made = checks_of(kind)
    x = np.full((2, 3, 4), 0.25, dtype)
    x[1, 0, 2] = value
    x[1, 1] = 7
    text = f"op: input must be in [0, 1], got {dtype(value)!s} at position (1, 0, 2); do this"
    with pytest.raises(tg.errors.ArgumentError, match=f"^{re.escape(text)}$"):
        B.check_range(made(x), 0.0, 1.0, what="op: input", hint="; do this")


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_first_number_that_is_not_finite_is_named(kind: str, value: float) -> None:
    B, made = checks_of(kind)
    with pytest.raises(tg.errors.ArgumentError, match=f"^op: x is {value} at position 1, so look$"):
        B.check_finite(made(np.array([3e38, value, math.nan], np.float32)), what="op: x", hint=", so look")
    with pytest.raises(tg.errors.ArgumentError, match=f"^op: x is {value}$"):
        B.check_finite(made(np.array(value)), what="op: x")


def test_a_strided_array_is_walked_in_its_own_order() -> None:
    B, _ = checks_of("cpu")
    x = np.zeros((3, 4))
    x[0, 3] = x[2, 0] = 5
    with pytest.raises(tg.errors.ArgumentError, match=r"got 5.0 at position \(0, 2\)$"):
        B.check_range(x.T, 0.0, 1.0, what="x")


def test_the_bounds_are_the_callers() -> None:
    B, made = checks_of("cpu")
    B.check_range(made(np.array([-2.5, 4.0])), -2.5, 4.0, what="x")
    with pytest.raises(tg.errors.ArgumentError, match=r"x must be in \[-2.5, 4\], got 4.5 at position 0"):
        B.check_range(made(np.array([4.5])), -2.5, 4.0, what="x")


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_number_has_the_digits_of_its_dtype(dtype: Any) -> None:
    B, _ = checks_of("cpu")
    with pytest.raises(tg.errors.ArgumentError, match=r"got 1\.1$"):
        B.check_range(np.array(1.1, dtype), 0.0, 1.0, what="x")

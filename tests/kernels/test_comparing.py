"""What passes for right, and what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.kernels.comparing import check_error

Array = Any


def floats(*values: float) -> Array:
    return np.array(values, np.float32)


def same(x: Array) -> Array:
    return x


def test_a_result_may_err_twice_as_much_as_the_composition() -> None:
    x = floats(1 / 3, 2.0, 3.0)
    check_error(x + np.float32(2e-7), "float32", same, x)
    with pytest.raises(AssertionError, match=r"error 1e-05, allowed 3\.6e-07"):
        check_error(x + np.float32(1e-5), "float32", same, x)
    rough = floats(1 / 3, 2.0, 3.0) * np.float32(1 + 1e-5)
    check_error(rough, "float32", lambda x: x * (1 + 1e-5 * (x.dtype == np.float32)), x)


def test_nothing_may_be_infinite_or_nan_that_should_not_be() -> None:
    x = floats(1.0, np.inf, np.nan)
    check_error(x, "float32", same, x)
    with pytest.raises(AssertionError, match="nan in other places"):
        check_error(floats(1.0, np.inf, 0.0), "float32", same, x)
    with pytest.raises(AssertionError, match="infinite in other places"):
        check_error(floats(np.inf, np.inf, np.nan), "float32", same, x)


def test_what_is_too_large_for_the_dtype_is_infinite() -> None:
    x = np.array([1.0, 300.0], np.float16)
    with np.errstate(over="ignore"):
        check_error(x * x, "float16", np.square, x)


def test_the_shape_is_compared() -> None:
    with pytest.raises(AssertionError, match=r"shape \(2,\), expected \(3,\)"):
        check_error(floats(1, 2), "float32", same, floats(1, 2, 3))


def test_in_float64_units_in_the_last_place_are_counted() -> None:
    x = np.array([1.0])
    check_error(x + 30 * 2.0**-52, "float64", same, x)
    with pytest.raises(AssertionError, match=r"allowed 7\.1e-15"):
        check_error(x + 40 * 2.0**-52, "float64", same, x)
    check_error(x + 40 * 2.0**-52, "float64", same, x, units=64)

"""Comparisons beyond the table: closeness, equality, and what is refused."""

from __future__ import annotations

import math

import pytest

import tensorgrad as tg
from tensorgrad.errors import DTypeError
from tensorgrad.functional.comparison import bitwise_left_shift, bitwise_right_shift

INF, NAN = math.inf, math.nan


def test_infinities_are_close_to_themselves_only() -> None:
    x = tg.tensor([INF, INF, 1.0, -INF, NAN])
    y = tg.tensor([INF, -INF, INF, -INF, NAN])
    assert tg.isclose(x, y).tolist() == [True, False, False, True, False]
    assert tg.isclose(x, y, equal_nan=True).tolist() == [True, False, False, True, True]


def test_the_tolerance_is_relative_to_the_second() -> None:
    assert tg.allclose(tg.tensor([90.0]), tg.tensor([100.0]), rtol=0.1, atol=0)
    assert not tg.allclose(tg.tensor([100.0]), tg.tensor([90.0]), rtol=0.1, atol=0)
    assert not tg.allclose(tg.tensor([1.0, 2.0]), tg.tensor([1.0, 2.1]))


def test_integers_are_close_without_wrapping_around() -> None:
    x, y = tg.tensor([0, 255], dtype=tg.uint8), tg.tensor([255, 0], dtype=tg.uint8)
    assert tg.isclose(x, y, atol=1).tolist() == [False, False]
    assert tg.isclose(x, x).tolist() == [True, True]


def test_closeness_leaves_no_history() -> None:
    x = tg.tensor([1.0], requires_grad=True)
    assert not tg.isclose(x, x).requires_grad
    assert not (x > 0).requires_grad


def test_closeness_needs_one_dtype() -> None:
    with pytest.raises(DTypeError, match=r"^isclose: both must have one dtype, got float32 and float64"):
        tg.isclose(tg.zeros(2), tg.zeros(2, dtype=tg.float64))


def test_equal_is_about_shapes_and_elements() -> None:
    x = tg.tensor([[1.0, 2.0]])
    assert tg.equal(x, x.clone()) is True
    assert tg.equal(x, tg.tensor([1.0, 2.0])) is False
    assert tg.equal(x, tg.tensor([[1.0, 3.0]])) is False
    assert tg.equal(tg.zeros(0), tg.zeros(0)) is True
    assert tg.equal(tg.tensor([NAN]), tg.tensor([NAN])) is False


def test_an_integer_meets_a_float_as_a_float() -> None:
    assert (tg.tensor([1, 2]) < 1.5).tolist() == [True, False]
    assert (tg.tensor([1, 2]) == tg.tensor([1.0, 2.5])).tolist() == [True, False]


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
def test_floats_have_no_bits(name: str) -> None:
    with pytest.raises(DTypeError, match=rf"^{name}: expected integers or bools, got a tensor of float32"):
        getattr(tg, name)(tg.zeros(2), tg.zeros(2))
    with pytest.raises(DTypeError, match=rf"^{name}: expected integers or bools, got the number 1\.5"):
        getattr(tg, name)(tg.tensor([1]), 1.5)
    with pytest.raises(DTypeError, match=r"^bitwise_not: expected integers or bools"):
        tg.bitwise_not(tg.zeros(2))


def test_bools_are_not_shifted_by_bools() -> None:
    for function in (bitwise_left_shift, bitwise_right_shift):
        for other in (True, tg.tensor([True])):
            with pytest.raises(DTypeError, match=r"^bitwise_(left|right)_shift: not defined for bools"):
                function(tg.tensor([True]), other)

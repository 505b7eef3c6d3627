"""Integers and bools in arithmetic: exact, wrapped around as PyTorch does, and never an error of NumPy's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg


# ---------------------------------------------------------------------- quotients
def test_integers_are_truncated_exactly() -> None:
    rng = np.random.default_rng(0)
    numbers = [16777217, 2**62 + 1, -(2**62) - 1, -(2**63), 2**63 - 1, 0, 7, -7]
    x = [*numbers, *map(int, rng.integers(-50, 50, 200))]
    y = [1, 3, 3, 3, -2, 5, 2, 2, *(int(n) or 1 for n in rng.integers(-9, 9, 200))]
    expected = [abs(a) // abs(b) * (1 if a * b >= 0 else -1) for a, b in zip(x, y, strict=True)]
    assert tg.div(tg.tensor(x), tg.tensor(y), rounding_mode="trunc").tolist() == expected


def test_truncated_quotients_of_other_operands() -> None:
    bytes_ = tg.tensor([7, 255], dtype=tg.uint8)
    assert tg.div(bytes_, 2, rounding_mode="trunc").tolist() == [3, 127]
    assert tg.div(-7, tg.tensor([2, -2]), rounding_mode="trunc").tolist() == [-3, 3]
    assert tg.div(tg.tensor([-7.5]), 2, rounding_mode="trunc").tolist() == [-3]
    assert tg.div(tg.tensor([-7]), 2.0, rounding_mode="trunc").dtype == tg.float32


# ---------------------------------------------------------------------- powers
def test_integers_to_negative_powers_in_a_tensor_are_truncated() -> None:
    x, y = tg.tensor([2, 1, -1, 0, -1, -3, 3]), tg.tensor([-1, -2, -3, -1, -2, 3, 2])
    assert (x**y).tolist() == [0, 1, -1, 0, 1, -27, 9]  # printed by PyTorch 2
    assert (2 ** tg.tensor([-1, 2])).tolist() == [0, 4]
    assert x.int().pow(y.int()).dtype == tg.int32
    with pytest.raises(tg.ArgumentError, match="negative power"):
        x**-1


# ---------------------------------------------------------------------- numbers next to narrow integers
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda x: x + 300, [45, 43]),
        (lambda x: x * -1, [255, 1]),
        (lambda x: 256 - x, [255, 1]),
        (lambda x: x - 2, [255, 253]),
        (lambda x: x == -1, [False, True]),
        (lambda x: tg.maximum(x, 257), [1, 255]),
        (lambda x: x & -2, [0, 254]),
        (lambda x: x.clamp(-5, 300), [1, 255]),
        (lambda x: x.clamp(max=-5), [0, 0]),
        (lambda x: x.masked_fill(x > 5, -1), [1, 255]),
    ],
)
def test_integers_wrap_around_in_the_dtype_of_the_tensor(call: Callable[[tg.Tensor], tg.Tensor], expected: Any) -> None:
    assert call(tg.tensor([1, 255], dtype=tg.uint8)).tolist() == expected


def test_signed_integers_wrap_around_too() -> None:
    x = tg.tensor([1], dtype=tg.int8)
    assert (x + 200).tolist() == [-55]
    assert (x * -129).tolist() == [127]
    assert (x + (2**63 - 1)).tolist() == [0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: x.masked_fill(x > 0, 300),
        lambda x: tg.where(x > 0, x, 300),
        lambda x: x.clone().fill_(300),
        lambda x: x.clone().__setitem__(0, 300),
        lambda x: tg.nn.functional.pad(x, (1, 1), value=300),
        lambda x: tg.full_like(x, 300),
        lambda x: x.scatter(0, tg.tensor([0]), 300),
        lambda x: x.clone().fill_(float("nan")),
    ],
)
def test_constants_must_fit(call: Callable[[tg.Tensor], Any]) -> None:
    with pytest.raises(tg.ArgumentError, match=r"(300|nan) does not fit into uint8, which holds \[0, 255\]"):
        call(tg.tensor([1, 255], dtype=tg.uint8))


# ---------------------------------------------------------------------- bools
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sub", lambda x: x - x),
        ("sub", lambda x: x - True),
        ("sub", lambda x: x.clone().sub_(x)),
        ("floor_divide", lambda x: x // x),
        ("remainder", lambda x: x % x),
        ("div", lambda x: tg.div(x, x, rounding_mode="trunc")),
        ("neg", lambda x: -x),
        ("positive", lambda x: +x),
    ],
)
def test_what_bools_do_not_have_is_refused_by_name(name: str, call: Callable[[tg.Tensor], Any]) -> None:
    with pytest.raises(tg.DTypeError, match=f"^{name}: "):
        call(tg.tensor([True, False]))


def test_what_bools_have() -> None:
    x = tg.tensor([True, False])
    assert (x / tg.tensor([True, True])).tolist() == [1, 0]
    assert (x - 1).tolist() == [0, -1]
    assert tg.sign(x).tolist() == [True, False]
    assert x.square().dtype == tg.int64


# ---------------------------------------------------------------------- logarithms
@pytest.mark.parametrize("dtype", [tg.float32, tg.float64])
def test_logarithms_of_powers_are_exact(dtype: Any) -> None:
    powers = np.arange(-20, 21)
    x = tg.tensor(2.0**powers, dtype=dtype)
    assert tg.log2(x).tolist() == powers.tolist()
    assert tg.log10(tg.tensor([1.0, 10.0, 100.0, 1000.0, 1e5], dtype=dtype)).tolist() == [0, 1, 2, 3, 5]
    assert tg.log2(tg.tensor([8])).tolist() == [3]


# ---------------------------------------------------------------------- clamp
@pytest.mark.parametrize(
    ("bounds", "expected"),
    [(("min",), ([1, 1, 0, 1, 0], [0, 0, 1, 0, 1])), (("max",), ([1, 0, 1, 0, 1], [0, 1, 0, 1, 0]))],
)
def test_the_gradient_at_a_bound_goes_to_the_input(bounds: tuple[str], expected: Any) -> None:
    """Printed by PyTorch 2."""
    x = tg.tensor([2.0, 2.0, 1.0, 3.0, 5.0], requires_grad=True)
    bound = tg.tensor([2.0, 1.0, 2.0, 2.0, 6.0], requires_grad=True)
    tg.clamp(x, **{bounds[0]: bound}).sum().backward()
    for tensor, wanted in zip((x, bound), expected, strict=True):
        assert tensor.grad is not None
        assert tensor.grad.tolist() == wanted


def test_a_bound_may_be_a_tensor_and_the_other_a_number() -> None:
    x = tg.tensor([1, 5, 9])
    assert x.clamp(tg.tensor([2, 2, 2]), 6).tolist() == [2, 5, 6]
    assert x.clamp(2.5, tg.tensor(6)).tolist() == [2.5, 5, 6]
    assert tg.clamp_min(x, 4).tolist() == [4, 5, 9]
    assert x.clamp_max(4).tolist() == [1, 4, 4]

"""The standardizer, against NumPy in float64."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Standardizer

Array = np.ndarray[Any, np.dtype[Any]]

X = np.array([[1.0, 5.0, 1e6], [2.0, 5.0, 1e6 + 1], [6.0, 5.0, 1e6 + 2]])


def test_each_column_on_its_own() -> None:
    scaler = Standardizer.fit(tg.tensor(X))
    found = scaler.transform(tg.tensor(X))
    expected = (X - X.mean(0)) / np.array([X[:, 0].std(), 1.0, X[:, 2].std()])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(scaler.inverse(found).numpy(), X, rtol=1e-15)


def test_alike_columns_share_one_scale() -> None:
    found = Standardizer.fit(tg.tensor(X), alike=True).transform(tg.tensor(X))
    np.testing.assert_allclose(found.numpy(), (X - X.mean()) / X.std(), rtol=1e-12)


def test_float32_goes_in_and_out_and_is_computed_in_float64() -> None:
    wide = Standardizer.fit(tg.tensor(X))
    narrow = tg.tensor(X.astype(np.float32))
    assert wide.transform(narrow).dtype == tg.float32
    np.testing.assert_allclose(wide.transform(narrow).numpy()[:, 2], wide.transform(tg.tensor(X)).numpy()[:, 2], 1e-6)


def test_state_goes_through_a_dict() -> None:
    scaler = Standardizer.fit(tg.tensor(X))
    again = Standardizer.from_state_dict(scaler.state_dict())
    assert np.array_equal(again.transform(tg.tensor(X)).numpy(), scaler.transform(tg.tensor(X)).numpy())


@pytest.mark.parametrize("value", [0.1, 1 / 3, -0.7, 1e-300, 1e300, 1700000000.1, 2.0**60 + 256, 0.0])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("dtype", [tg.float64, tg.float32])
@pytest.mark.parametrize("alike", [False, True])
def test_a_constant_keeps_its_scale(value: float, count: int, dtype: np.dtype[Any], alike: bool) -> None:
    """What rounding makes of its mean is not taken for variation."""
    if value == 1e300 and dtype == tg.float32:
        value = 1e38
    x = tg.tensor(np.full((count, 2), value), dtype=dtype)
    scaler = Standardizer.fit(x, alike=alike)
    assert scaler.std.tolist() == [1.0, 1.0]
    assert np.array_equal(scaler.mean.numpy(), x[0].double().numpy())
    assert scaler.transform(x).tolist() == [[0.0, 0.0]] * count


@pytest.mark.parametrize(
    "column",
    [
        2.0**53 - 10 + np.arange(10),
        1e15 + np.array([0.0, 0.125, 0.25, 0.0]),
        1700000000.0 + np.arange(1000),
        1e8 + np.random.default_rng(0).normal(size=5000),
        np.random.default_rng(1).normal(size=4001) * 1e-200,
        np.random.default_rng(2).normal(size=4000) * 1e300,
        np.array([-8e307, 8e307, 1.0]),
        np.array([1e16, 1.0, 2.0, 3.0]),
    ],
    ids=["whole near 2^53", "next doubles", "seconds", "1e8", "tiny", "huge", "wide", "outlier first"],
)
def test_moments_against_exact_arithmetic(column: Array) -> None:
    exact = [Fraction(value) for value in column.tolist()]
    mean = sum(exact, Fraction()) / len(exact)
    variance = sum(((value - mean) ** 2 for value in exact), Fraction()) / len(exact)
    deviation = Decimal(variance.numerator) / Decimal(variance.denominator)
    scaler = Standardizer.fit(tg.tensor(column.reshape(-1, 1)))
    reach = float(max(abs(value - exact[0]) for value in exact))
    assert scaler.mean.item() == pytest.approx(float(mean), abs=4e-16 * reach, rel=3e-16)
    assert scaler.std.item() == pytest.approx(float(deviation.sqrt()), rel=1e-13)


def test_columns_can_be_skipped() -> None:
    scaler = Standardizer.fit(tg.tensor(X), skip=[0, 2])
    assert (scaler.mean.tolist(), scaler.std.tolist()) == ([0.0, 5.0, 0.0], [1.0, 1.0, 1.0])
    assert np.array_equal(scaler.transform(tg.tensor(X)).numpy()[:, [0, 2]], X[:, [0, 2]])


def test_integers_are_not_cut_off() -> None:
    """They would be 0 and 1 after scaling."""
    x = tg.tensor([[1, 10], [2, 20], [6, 60]])
    scaler = Standardizer.fit(x)
    found = scaler.transform(x)
    assert found.dtype == tg.float32
    np.testing.assert_allclose(found.numpy(), scaler.transform(x.double()).numpy(), rtol=1e-6)
    assert scaler.inverse(tg.tensor([[1, 1]])).tolist() == [
        [pytest.approx(3 + 14**0.5 / 3**0.5), pytest.approx(51.602468)]
    ]


def test_half_precision_is_computed_in_float64() -> None:
    x = tg.tensor(np.array([[60000.0], [60032.0], [60064.0]]), dtype=tg.float16)
    found = Standardizer.fit(x).transform(x)
    assert found.dtype == tg.float16
    np.testing.assert_allclose(found.numpy()[:, 0], [-1.2247, 0, 1.2247], atol=1e-3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [[1.0, 2.0], [3.0, float("nan")]],
            "column 1 .* holds nan or infinities; fill missing values with tg.data.Imp",
        ),
        ([[float("inf"), 2.0], [3.0, 4.0]], "column 0 .* holds nan or infinities"),
        ([[1.7e308, 2.0], [-1.7e308, 4.0]], "column 0 .* its values lie too far apart for float64"),
    ],
)
def test_columns_without_finite_moments_are_named(rows: list[list[float]], message: str) -> None:
    with pytest.raises(tg.errors.NonFiniteError, match=message):
        Standardizer.fit(tg.tensor(rows, dtype=tg.float64))


def test_needs_samples() -> None:
    with pytest.raises(tg.errors.ShapeError, match=r"got \(0, 3\)"):
        Standardizer.fit(tg.zeros(0, 3))
    with pytest.raises(tg.errors.ShapeError, match=r"got \(3,\)"):
        Standardizer.fit(tg.zeros(3))


def test_arrays_are_taken_as_well() -> None:
    x = np.array([[1.0, 2.0], [3.0, 6.0]])
    scale = tg.data.Standardizer.fit(x)
    assert scale.transform(x).tolist() == [[-1.0, -1.0], [1.0, 1.0]]
    assert scale.inverse(scale.transform(x).numpy()).tolist() == x.tolist()
    holes = np.array([[1.0, np.nan], [3.0, 6.0]])
    assert tg.data.Imputer.fit(holes).transform(holes).tolist() == [[1.0, 6.0], [3.0, 6.0]]

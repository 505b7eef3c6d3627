"""Missing values filled in, against NumPy's functions that pass over nan."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Imputer

NAN = float("nan")
X = np.array([[1.0, NAN, 0.1], [2.0, 5.0, 0.1], [NAN, 7.0, 0.1], [6.0, 9.0, NAN]])


@pytest.mark.parametrize(("strategy", "usual"), [("mean", np.nanmean), ("median", np.nanmedian)])
@pytest.mark.parametrize("dtype", [tg.float64, tg.float32, tg.float16])
def test_what_is_usual_in_the_column(strategy: Any, usual: Any, dtype: np.dtype[Any]) -> None:
    x = tg.tensor(X, dtype=dtype)
    imputer = Imputer.fit(x, strategy)
    expected = usual(x.double().numpy(), axis=0)
    np.testing.assert_allclose(imputer.fill.numpy(), expected, rtol=1e-15)
    found = imputer.transform(x)
    assert found.dtype == dtype
    filled = np.where(np.isnan(X), expected, X).astype(dtype)
    np.testing.assert_array_equal(found.numpy(), filled)


def test_values_that_are_there_stay_to_the_last_bit() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    assert np.array_equal(Imputer.fit(tg.tensor(x)).transform(tg.tensor(x)).numpy(), x)


def test_sums_do_not_overflow() -> None:
    column = [1.5e308, 1.7e308, NAN]
    fill = Imputer.fit(tg.tensor([[value] for value in column], dtype=tg.float64)).fill.item()
    assert fill == pytest.approx(float((Fraction(1.5e308) + Fraction(1.7e308)) / 2), rel=1e-15)


def test_state_goes_through_a_dict() -> None:
    imputer = Imputer.fit(tg.tensor(X), "median")
    again = Imputer.from_state_dict(imputer.state_dict())
    assert np.array_equal(again.transform(tg.tensor(X)).numpy(), imputer.transform(tg.tensor(X)).numpy())


def test_new_samples_get_the_values_of_the_old() -> None:
    assert Imputer.fit(tg.tensor(X)).transform(tg.tensor([[NAN, 1.0, NAN]])).tolist() == [
        [3.0, 1.0, pytest.approx(0.1)]
    ]


def test_refusals() -> None:
    with pytest.raises(tg.errors.ArgumentError, match="strategy must be mean or median, got 'mode'"):
        Imputer.fit(tg.tensor(X), "mode")  # type: ignore[arg-type]
    with pytest.raises(tg.errors.ShapeError, match=r"got \(0, 3\)"):
        Imputer.fit(tg.zeros(0, 3))
    with pytest.raises(tg.errors.ShapeError, match=r"got \(3,\)"):
        Imputer.fit(tg.zeros(3))
    with pytest.raises(tg.errors.DTypeError, match=r"Imputer\.fit: .* int64 does not have; use \.double\(\)"):
        Imputer.fit(tg.tensor([[1, 2]]))
    with pytest.raises(tg.errors.DTypeError, match=r"Imputer\.transform: .* int64 does not have"):
        Imputer.fit(tg.tensor(X)).transform(tg.tensor([[1, 2, 3]]))
    with pytest.raises(tg.errors.ArgumentError, match="column 1 has no values to take a mean of"):
        Imputer.fit(tg.tensor([[1.0, NAN], [2.0, NAN]]))
    with pytest.raises(tg.errors.NonFiniteError, match="column 0 holds infinities"):
        Imputer.fit(tg.tensor([[float("inf"), 1.0]]))

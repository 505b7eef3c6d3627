"""The standardizer, against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Standardizer

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


def test_needs_samples() -> None:
    with pytest.raises(tg.errors.ShapeError, match=r"got \(0, 3\)"):
        Standardizer.fit(tg.zeros(0, 3))
    with pytest.raises(tg.errors.ShapeError, match=r"got \(3,\)"):
        Standardizer.fit(tg.zeros(3))

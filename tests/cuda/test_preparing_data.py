"""Scaling and filling in on the device: what the CPU finds, and no constant is taken for variation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.data import Imputer, Standardizer

X = np.array([[0.1, 1e15, 1.0, 3e300], [0.1, 1e15 + 0.125, -2.0, 1e300], [0.1, 1e15 + 0.25, 5.0, -2e300]])


@pytest.mark.parametrize("options", [{}, {"alike": True}, {"skip": [0, 2]}], ids=str)
def test_moments_are_the_cpus(options: dict[str, Any], cuda_device: tg.Device) -> None:
    x = X[:, :3] if options.get("alike") else X
    here, there = (Standardizer.fit(tg.tensor(x, device=place), **options) for place in ("cpu", cuda_device))
    assert there.mean.device is cuda_device
    np.testing.assert_allclose(there.mean.cpu().numpy(), here.mean.numpy(), rtol=1e-15)
    np.testing.assert_allclose(there.std.cpu().numpy(), here.std.numpy(), rtol=1e-14)
    found = there.transform(tg.tensor(x, device=cuda_device)).cpu().numpy()
    np.testing.assert_allclose(found, here.transform(tg.tensor(x)).numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [tg.float64, tg.float32])
@pytest.mark.parametrize("value", [0.1, 1 / 3, 1700000000.1])
def test_constants(value: float, dtype: np.dtype[Any], cuda_device: tg.Device) -> None:
    x = tg.tensor(np.full((3, 2), value), dtype=dtype, device=cuda_device)
    assert Standardizer.fit(x).std.tolist() == [1.0, 1.0]
    assert Standardizer.fit(x).transform(x).tolist() == [[0.0, 0.0]] * 3


def test_columns_without_moments_are_named(cuda_device: tg.Device) -> None:
    with pytest.raises(tg.errors.NonFiniteError, match=r"column 1 .* holds nan"):
        Standardizer.fit(tg.tensor([[1.0, float("nan")], [2.0, 1.0]], device=cuda_device))


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_filling_in(strategy: Any, cuda_device: tg.Device) -> None:
    x = np.where(np.eye(3, 4, dtype=bool), np.nan, X)
    imputer = Imputer.fit(tg.tensor(x, device=cuda_device), strategy)
    found = imputer.transform(tg.tensor(x, device=cuda_device))
    assert found.device is cuda_device
    assert np.array_equal(found.cpu().numpy(), Imputer.fit(tg.tensor(x), strategy).transform(tg.tensor(x)).numpy())
